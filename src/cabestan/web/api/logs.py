"""A log as the API gives it: whole, live, by lines, searched. The same for jobs and runs."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from cabestan.domain.status import RunStatus
from cabestan.engine.services import Services
from cabestan.errors import NotFound
from cabestan.store.logs import LISTED, LogReader
from cabestan.web.access import SignedIn, Visitor, Wired
from cabestan.web.api.shapes import Json
from cabestan.web.live import Follower, LiveStream
from cabestan.web.streams import follow, start_offset

Offset = Annotated[int, Query(ge=0)]
From = Annotated[int, Query(alias="from", ge=1)]
Count = Annotated[int, Query(ge=1, le=5000)]
Text = Annotated[str, Query(min_length=1, max_length=200)]
Most = Annotated[int, Query(ge=1, le=10_000)]


@dataclass(frozen=True)
class Logged:
    """What writes a log, by its number: jobs, or runs."""

    log_id: Callable[[int], str]
    #: raises NotFound where the visitor may not see it
    check: Callable[[Services, Visitor, int], object]
    status: Callable[[sa.Connection, int], RunStatus]

    def reader(self, services: Services, visitor: Visitor, number: int) -> LogReader:
        self.check(services, visitor, number)
        return services.logs.reader(self.log_id(number))

    def followed(self, services: Services, follower: Follower, number: int) -> bool:
        """Whether it may be, still."""
        if not follower.look_again():
            return False
        try:
            self.check(services, follower.visitor, number)
        except NotFound:
            return False
        return True

    def ended(self, services: Services, number: int) -> str | None:
        """Its last status."""
        with services.database.reading() as tx:
            status = self.status(tx, number)
        return status if status.ended else None


def add_routes(router: APIRouter, at: str, logged: Logged) -> None:
    """The four below `at`, such as `/jobs/{number}/log`."""

    @router.get(at)
    def log(visitor: SignedIn, services: Wired, number: int, offset: Offset = 0) -> StreamingResponse:
        """The whole log so far, as text, from a byte on."""
        return whole(logged.reader(services, visitor, number), offset)

    @router.get(f"{at}/stream")
    def stream(
        request: Request, visitor: SignedIn, services: Wired, number: int, offset: str | None = None
    ) -> LiveStream:
        """The log as server-sent events: from a byte on, then as it grows, until its writer has ended."""
        reader = logged.reader(services, visitor, number)
        follower = Follower(request, visitor)
        events = live(request, services, reader, offset, lambda: logged.ended(services, number))
        return LiveStream(events, lambda: logged.followed(services, follower, number), follower.counted)

    @router.get(f"{at}/lines")
    def lines(visitor: SignedIn, services: Wired, number: int, start: From = 1, count: Count = 200) -> Json:
        """Some lines, from a number on."""
        return some(logged.reader(services, visitor, number), start, count)

    @router.get(f"{at}/search")
    def search(
        visitor: SignedIn, services: Wired, number: int, q: Text, limit: Most = 1000, offset: Offset = 0
    ) -> Json:
        """The numbers of the lines that hold a text, in whatever case, from a byte on."""
        return matching(logged.reader(services, visitor, number), q, limit, offset)


def whole(reader: LogReader, offset: int) -> StreamingResponse:
    """All so far, as text, from a byte on."""
    headers = {"Content-Disposition": f'attachment; filename="{reader.id}.log"'}
    return StreamingResponse(reader.chunks(offset), media_type="text/plain; charset=utf-8", headers=headers)


def live(
    request: Request, services: Services, reader: LogReader, offset: str | None, ended: Callable[[], str | None]
) -> AsyncIterator[bytes]:
    """Server-sent events: from a byte on, then as it grows, until `ended` gives the last status.

    The log's own mark is looked at first, for that costs nothing.
    """
    start = start_offset(request.headers.get("last-event-id"), offset, reader.size())
    known = lambda: None if reader.size() and not reader.ended() else ended()  # noqa: E731
    return follow(reader, services.hub, offset=start, ended=known)


def some(reader: LogReader, start: int, count: int) -> Json:
    """Lines from a number on, as many as an answer may have bytes; `next` is the line after them."""
    found = [
        {"number": line.number, "offset": line.offset, "time": line.time_ms, "text": line.text}
        for line in reader.lines_from(start, count, LISTED)
    ]
    total, after = reader.lines(), start + len(found)
    return {"lines": found, "total": total, "size": reader.size(), "next": after if found and after <= total else None}


def matching(reader: LogReader, query: str, limit: int, start: int) -> Json:
    """The numbers of the lines that hold a text, in whatever case; `next` is the byte up to which it was looked for."""
    found = reader.search(query, limit, ignore_case=True, start=start)
    return {"matches": found.lines, "more": found.more, "next": found.next, "size": reader.size()}
