"""Why something ended badly, or waits: the first words that a command says of it."""

from collections.abc import Iterator

from cabestan.cli.api import Thing
from cabestan.cli.cells import clean, colour, status_words
from cabestan.cli.output import print_line, print_verbatim, tell
from cabestan.domain.why import Why

_INDENT = "    "


def print_reason(thing: Thing) -> None:
    """To stdout, before all else of it; nothing where it has none."""
    if not thing.get("reason"):
        return
    status, why = str(thing.get("status") or ""), _why(thing)
    print_line(f"{status_words(status)}: {why.headline}", colour(status))
    print_why(why)
    print_line("")


def print_trouble(state: str, reason: str) -> None:
    """Why something that was deployed is in that state, which its headline names."""
    why = Why.of(reason)
    print_line(f"{status_words(state).partition(' ')[0]} {why.headline}", colour(state))
    print_why(why)
    print_line("")


def print_why(why: Why) -> None:
    """What was said, and what to do about it; its headline stands above."""
    for line in why.lines:
        print_verbatim(f"{_INDENT}{line}")
    if why.remedy:
        print_line(why.remedy)


def tell_reason(job: Thing) -> None:
    """The same of a job on stderr, for its log goes to stdout."""
    for line in _lines(job):
        tell(line)


def where_in_log(job: Thing) -> str:
    """The command that shows the log from where it says why; empty where that is not told."""
    line = job.get("log_line")
    return f"In its log: cabestan job log {job['id']} --from-line {line}" if line else ""


def _lines(job: Thing) -> Iterator[str]:
    why = _why(job)
    yield f"{status_words(str(job['status']))}: {why.headline}"
    yield from (f"{_INDENT}{clean(line)}" for line in why.lines)
    yield from (line for line in (why.remedy, where_in_log(job)) if line)


def _why(thing: Thing) -> Why:
    return Why.of(str(thing["reason"]))
