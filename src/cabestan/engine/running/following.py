"""Following a container that runs to its end: its output into the log, its end into a verdict."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from cabestan.adapters.container_logs import LogSource, copy_log
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.once import Containers, Once
from cabestan.adapters.task_ends import LOST
from cabestan.domain.outcome import Exit, Verdict
from cabestan.domain.redaction import Redactor
from cabestan.domain.status import RunStatus
from cabestan.domain.why import Why, headline, shortened
from cabestan.engine.cluster import Cluster
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, NotFound
from cabestan.store.logs import LogWriter

#: lines looked at for the last one that says something
_LAST_LINES = 20
#: for what is read of a container that has ended (seconds)
_SETTLE_SECONDS = 5.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class Explain:
    """Why an exit code came, out of a log's last `lines`, each with its number, and the line that tells most."""

    lines: int
    why: Callable[[Sequence[tuple[int, str]]], tuple[Why, int]]


@dataclass(frozen=True)
class Followed:
    """What is followed. `key` tells its attempts apart in the log; `seconds_left` bounds it from now on."""

    run: Once
    #: where it runs, and what it is one of there
    cluster: Cluster
    containers: Containers
    log: str
    key: str
    redactor: Redactor
    judge: Callable[[Exit], Verdict]
    cancel_asked: Callable[[], bool]
    seconds_left: float
    #: why it was stopped when its time was over
    too_late: str
    #: it has no terminal
    framed: bool = False
    #: what it says is kept among the lines of its environment, too: it is not taken away before it was read for that
    collected: bool = False
    #: says more of why it failed, from the log's last lines
    explain: Explain | None = None


def follow_to_the_end(services: Services, what: Followed, failure: str) -> Verdict:
    """Copies the output of a container until it ends, and gives the verdict.

    `failure` says why there is no container. May be done again after a crash: the log goes on where it was.
    """
    services.logs.unpack(what.log)
    with services.logs.writer(what.log, what.redactor) as writer:
        verdict = Verdict(RunStatus.FAILED, failure) if failure else _verdict(services, what, writer)
        verdict = replace(verdict, reason=what.redactor.text(verdict.reason))
        verdict = _explained(services, what, verdict)
        _close_log(writer, verdict, what.key)
    services.hub.advanced(what.log)
    return verdict


def _explained(services: Services, what: Followed, verdict: Verdict) -> Verdict:
    """A bare exit code tells little: the last line of the output is put beside it, or what is made of more of them."""
    if not verdict.reason.startswith("Exit code"):
        return verdict
    if what.explain:
        reader, count = services.logs.reader(what.log), what.explain.lines
        if lines := reader.lines_from(max(1, reader.lines() - count), count + 1):
            why, line = what.explain.why([(line.number, line.text) for line in lines])
            return replace(verdict, reason=shortened(why.text), line=line)
    texts = [text for line in last_lines(services, what.log) if (text := line.strip())]
    return replace(verdict, reason=f"{verdict.reason} Its last line: {texts[-1][:300]}") if texts else verdict


def last_lines(services: Services, log: str) -> list[str]:
    """The end of what was said, without colours."""
    reader = services.logs.reader(log)
    lines = reader.lines_from(max(1, reader.lines() - _LAST_LINES), _LAST_LINES + 1)
    return [_ESCAPES.sub("", line.text).rstrip() for line in lines]


def _close_log(writer: LogWriter, verdict: Verdict, key: str) -> None:
    if verdict.again:
        writer.note(f"\x1b[1;33m{verdict.reason} The job is run again.\x1b[0m", key=f"again-{key}")
        return
    if verdict.reason:
        writer.note(f"\x1b[1;31m{headline(verdict.reason)}\x1b[0m", key=f"end-{key}")
    writer.end()


def _verdict(services: Services, what: Followed, writer: LogWriter) -> Verdict:
    try:
        return what.judge(_watch(services, what, writer))
    except CabestanError as error:
        return Verdict(RunStatus.FAILED, str(error))


def _watch(services: Services, what: Followed, writer: LogWriter) -> Exit:
    """From the start of its container to its end, across restarts of the engine."""
    if what.cancel_asked():
        what.cluster.patiently(lambda: what.containers.stop(what.run))
        return Exit(None, ended_by_us="canceled")
    with _deadline(what) as late:
        ended = what.cluster.patiently(lambda: _copy_to_the_end(services, what, writer, late))
    if what.cancel_asked():
        return replace(ended, ended_by_us="canceled")
    return replace(ended, ended_by_us=what.too_late) if late.is_set() else ended


def _copy_to_the_end(services: Services, what: Followed, writer: LogWriter, late: threading.Event) -> Exit:
    found = what.containers.container(what.run, given_up=lambda: late.is_set() or what.cancel_asked())
    if isinstance(found, Exit):
        return found
    if late.is_set() or what.cancel_asked():  # what was stopped had not started when it was to be stopped
        what.containers.stop(what.run)
    try:
        advanced = partial(services.hub.advanced, what.log)
        copy_log(_log_source(found.engine), found.id, writer, advanced, framed=what.framed)
        if what.collected:
            services.settling.wait(found.id, _SETTLE_SECONDS)
    except NotFound as error:
        return Exit(LOST, error=str(error))
    return what.containers.exit_of(found) or Exit(None, error="its log ended before it did")


def _log_source(engine: Engine) -> LogSource:
    return LogSource(engine.address, engine.client.api.api_version)


@contextmanager
def _deadline(what: Followed) -> Iterator[threading.Event]:
    """Stops the container when its time is over; the event tells that it was."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        what.cluster.patiently(lambda: what.containers.stop(what.run))

    timer = threading.Timer(what.seconds_left, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
