"""Logs of an environment: the newest lines, then live; the past; what was said around a moment; as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse

from cabestan.domain.environment import Environment
from cabestan.domain.journal import Line
from cabestan.errors import Invalid
from cabestan.store import environments as store
from cabestan.store.journal import JournalReader
from cabestan.store.journal import Query as Wanted
from cabestan.web.journal_lines import exact
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Before, Inside, Reading
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.journal_asked import Filter, Filtered, Short, number_or_time
from cabestan.web.pages.journal_blocks import blocks

router = APIRouter()
_AT = "/{group}/{name}/environments/{environment:path}/logs"
LINES = 200
#: before a moment, and after it
AROUND = 100
#: in the download
_MOST = 10_000
_QUICK = (("15m", "15 min"), ("1h", "1 hour"), ("24h", "24 hours"))
Start = Annotated[int | None, Query(alias="from", ge=1, le=2**62)]


@dataclass(frozen=True)
class Shown:
    """`next` is the number that is gone on with; `live` where that is the end, and what is said comes there."""

    lines: list[Line]
    next: int
    older: int | None = None
    newer: int | None = None
    live: bool = False
    marked: int | None = None


@router.get(_AT)
def logs(
    at: Reading, environment: str, filter: Filtered, moment: Annotated[Short, Query(alias="at")] = "",
    before: Before = None, start: Start = None,
) -> Response:  # fmt: skip
    found = _environment(at, environment)
    reader = at.services.journals.reader(found.id)
    trouble = None
    try:
        shown = _shown(at, reader, filter, moment, before, start)
    except Invalid as error:
        trouble, shown = error, Shown([], 1)
    return _page(at, found, reader, filter, shown, trouble)


@router.get(_AT + "/rows")
def rows(at: Reading, environment: str, filter: Filtered, start: Start = None) -> Response:
    """The next ones alone, for a page that is open."""
    place = _environment(at, environment)
    reader = at.services.journals.reader(place.id)
    found = reader.on(start or reader.bounds()[1], filter.wanted(at.services), LINES)
    return at.html(
        "journal_rows.html",
        "Environments",
        here=f"{href(place)}/logs",
        filter=filter,
        marked=None,
        blocks=blocks(found.lines),
        next=found.next,
        whole=len(found.lines) < LINES,
    )


@router.get(_AT + ".txt")
def text(at: Reading, environment: str, filter: Filtered, before: Before = None) -> Response:
    """The newest that match."""
    reader = at.services.journals.reader(_environment(at, environment).id)
    found = reader.back(filter.wanted(at.services), _MOST, before)
    name = f"{at.project.name}-{environment}".replace("/", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.log"', "X-Content-Type-Options": "nosniff"}
    return PlainTextResponse("".join(_written(found.lines)), headers=headers)


def _shown(
    at: Inside, reader: JournalReader, filter: Filter, moment: str, before: int | None, start: int | None
) -> Shown:
    """Raises Invalid."""
    wanted = filter.wanted(at.services)
    if moment:
        number, time = number_or_time(moment, at.services)
        return _around(reader, wanted, reader.at(time) if number is None else number)
    if start is not None:
        return _from(reader, filter, wanted, start)
    found = reader.back(wanted, LINES, before)
    lines = found.lines
    older = lines[0].number if found.before and lines else None
    newer = before if before is not None and before < found.next else None
    return Shown(lines, found.next, older, newer, live=newer is None and not filter.until)


def _from(reader: JournalReader, filter: Filter, wanted: Wanted, start: int) -> Shown:
    found = reader.on(start, wanted, LINES)
    is_end = len(found.lines) < LINES
    first = found.lines[0].number if found.lines else start
    older = first if first > reader.bounds()[0] else None
    newer = None if is_end else found.next
    return Shown(found.lines, found.next, older, newer, live=is_end and not filter.until)


def _around(reader: JournalReader, wanted: Wanted, number: int) -> Shown:
    earlier = reader.back(wanted, AROUND, number)
    later = reader.on(number, wanted, AROUND + 1)
    lines = earlier.lines + later.lines
    older = lines[0].number if earlier.before and lines else None
    newer = later.next if len(later.lines) > AROUND else None
    return Shown(lines, later.next, older, newer, live=newer is None, marked=_mark(lines, number))


def _mark(lines: list[Line], number: int) -> int | None:
    """The block that has the line: a continued one is in that of the line before it."""
    heads: dict[object, int] = {}
    for line in lines:
        if not line.continued or line.source not in heads:
            heads[line.source] = line.number
        if line.number >= number:
            return heads[line.source]
    return lines[-1].number if lines else None


def _page(
    at: Inside, found: Environment, reader: JournalReader, filter: Filter, shown: Shown, trouble: Invalid | None
) -> Response:
    here = f"{href(found)}/logs"
    names = sorted({source.service for source in reader.sources()} | set(filter.services))
    return at.html(
        "journal.html",
        "Environments",
        Crumb(found.name, href(found)),
        Crumb("Logs", here),
        environment=found,
        here=here,
        filter=filter,
        shown=shown,
        marked=shown.marked,
        blocks=blocks(shown.lines),
        services=names,
        empty=reader.bounds()[1] == 1,
        trouble=trouble,
        quick=[(words, filter.of_last(since), filter.since == since and not filter.until) for since, words in _QUICK],
        wider=replace(Filter(), access=filter.access),
    )


def _environment(at: Inside, name: str) -> Environment:
    with at.services.database.reading() as tx:
        return store.get(tx, at.project.id, name)


def _written(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        mark = " stderr" if line.error else ""
        yield f"{exact(line.time)} {line.source.name}{mark} | {line.text.decode('utf-8', 'replace')}\n"
