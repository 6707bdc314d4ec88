"""A log as the API gives it: whole, live, by lines, searched. The same for jobs and runs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from cabestan.engine.services import Services
from cabestan.store.logs import LogReader
from cabestan.web.api.shapes import Json
from cabestan.web.streams import follow, start_offset

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Offset = Annotated[int, Query(ge=0)]
From = Annotated[int, Query(alias="from", ge=1)]
Count = Annotated[int, Query(ge=1, le=5000)]
Query_ = Annotated[str, Query(min_length=1, max_length=200)]
Most = Annotated[int, Query(ge=1, le=10_000)]


def whole(reader: LogReader, offset: int) -> StreamingResponse:
    """All so far, as text, from a byte on."""
    headers = {"Content-Disposition": f'attachment; filename="{reader.id}.log"'}
    return StreamingResponse(reader.chunks(offset), media_type="text/plain; charset=utf-8", headers=headers)


def live(
    request: Request, services: Services, reader: LogReader, offset: str | None, ended: Callable[[], str | None]
) -> StreamingResponse:
    """Server-sent events: from a byte on, then as it grows, until `ended` gives the last status.

    The log's own mark is looked at first, for that costs nothing.
    """
    start = start_offset(request.headers.get("last-event-id"), offset, reader.size())
    known = lambda: None if reader.size() and not reader.ended() else ended()  # noqa: E731
    events = follow(reader, services.hub, offset=start, ended=known)
    return StreamingResponse(events, media_type="text/event-stream", headers=STREAM_HEADERS)


def some(reader: LogReader, start: int, count: int) -> Json:
    """Lines from a number on."""
    found = [
        {"number": line.number, "offset": line.offset, "time": line.time_ms, "text": line.text}
        for line in reader.lines_from(start, count)
    ]
    return {"lines": found, "total": reader.lines(), "size": reader.size()}


def matching(reader: LogReader, query: str, limit: int) -> Json:
    """The numbers of the lines that hold a text, in whatever case."""
    found = reader.search(query, limit + 1, ignore_case=True)
    return {"matches": found[:limit], "more": len(found) > limit}
