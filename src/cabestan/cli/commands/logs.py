"""`cabestan logs`, and `cabestan journal`: what applications say."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, Value, address
from cabestan.cli.follow import EventStream
from cabestan.cli.options import EnvironmentOption, ProjectOption, connect, the_project
from cabestan.cli.output import tell
from cabestan.cli.said_lines import Writer

_SHOWN, _SHOWN_IN_JOURNAL = 100, 10
#: asked for at once, as the API gives them
_PAGE = 10_000

Services = Annotated[list[str] | None, typer.Argument(metavar="SERVICE", help="Of these alone; of all when not given.")]
Lines = Annotated[
    int | None, typer.Option("--lines", "-n", metavar="N", help="The newest so many; 100, or 10 of `journal`.")
]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="From then on: 10m, 2h, 3d ago, or a time.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="What was said before then.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is said from now on.")]
Regexp = Annotated[str, typer.Option("--regexp", metavar="R", help="Lines with a match; (?i) ignores the case.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="K=V", help="Lines in JSON with that value; a.b is b in a. All that are given."),
]
Replica = Annotated[int | None, typer.Option("--replica", min=0, metavar="N", help="Of this replica alone.")]
Access = Annotated[bool, typer.Option("--access", help="With the requests to its routes, as the router saw them.")]
Errors = Annotated[bool, typer.Option("--stderr", help="What was said to standard error alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def logs(
    context: typer.Context,
    environment: EnvironmentOption,
    services: Services = None,
    lines: Lines = None,
    since: Since = "",
    until: Until = "",
    follow: Follow = False,
    regexp: Regexp = "",
    field: Fields = None,
    replica: Replica = None,
    access: Access = False,
    stderr: Errors = False,
    as_json: AsJson = False,
    project: ProjectOption = None,
) -> None:
    """Show what applications say: all containers, also those that have ended, as one stream."""
    if lines is None:
        lines = _SHOWN_IN_JOURNAL if context.info_name == "journal" else _SHOWN
    query: dict[str, Value] = {
        "service": services or None,
        "since": since or None,
        "until": until or None,
        "regexp": regexp or None,
        "field": field or None,
        "replica": replica,
        "access": "true" if access else None,
        "stderr": "true" if stderr else None,
    }
    api, path = connect(), address("projects", the_project(project), "environments", environment, "logs")
    newest, place = _newest(api, path, abs(lines), query)
    write = _write_json if as_json else Writer(sys.stdout.isatty()).write
    write(newest)
    if follow:
        del query["since"]  # the end of it is before what comes
        for events in EventStream(api, f"{path}/stream", place, **query).batches():
            for event in events:
                write(json.loads(event.data))
    elif not newest:
        tell(f"Nothing of that kind was said in {environment}.")


#: another name for it, with fewer lines
journal = logs


def _newest(api: Api, path: str, count: int, query: dict[str, Value]) -> tuple[list[Thing], int]:
    """In their order, over as many answers as that takes; and the number to go on with."""
    pages: list[list[Thing]] = []
    before, left, place = None, count, None
    while True:
        found = api.get(path, lines=min(left, _PAGE), before=before, **query)
        pages.append(found["lines"])
        place = found["next"] if place is None else place
        left -= len(found["lines"])
        if left <= 0 or not found["before"] or not found["lines"]:
            return [line for page in reversed(pages) for line in page], int(place)
        before = found["lines"][0]["number"]


def _write_json(lines: Iterable[Thing]) -> None:
    text = "".join(json.dumps(_told(line), ensure_ascii=False) + "\n" for line in lines)
    sys.stdout.write(text)
    sys.stdout.flush()


_TOLD: Sequence[str] = ("time", "service", "replica", "release", "stream", "line", "fields")


def _told(line: Thing) -> Thing:
    return {name: line[name] for name in _TOLD}
