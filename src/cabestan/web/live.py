"""Streams that last, and end when the visitor's rights do."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from cabestan.errors import Busy, TooMany
from cabestan.web.access import Visitor, visitor_of

#: the rights are read again after so many seconds at the latest
RIGHTS_SECONDS = 15.0
#: and after this part of them at the earliest: those who came at once, as after a restart, do not ask at once
_EARLIEST = 0.8
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Streams:
    """How many are open."""

    def __init__(self, per_user: int, most: int) -> None:
        self._per_user, self._most = per_user, most
        self._of_user: Counter[str] = Counter()

    @contextmanager
    def one_of(self, user: str) -> Iterator[None]:
        """Raises TooMany and Busy."""
        if self._of_user[user] >= self._per_user:
            raise TooMany(f"You follow {self._per_user} things at the same time already.", "Close some pages first.")
        if self._of_user.total() >= self._most:
            raise Busy("Too many follow something at the same time.", "Try again in a moment.")
        self._of_user[user] += 1
        try:
            yield
        finally:
            self._of_user[user] -= 1
            self._of_user += Counter()  # forgets those who follow nothing


class LiveStream(StreamingResponse):
    """Server-sent events, for as long as `allowed` says so. It may block: it is asked in a thread.

    `counted` may refuse, before anything is sent.
    """

    def __init__(
        self,
        events: AsyncIterator[bytes] | AsyncIterator[str],
        allowed: Callable[[], bool],
        counted: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self._allowed = allowed
        self._counted = counted

    async def stream_response(self, send: Send) -> None:
        with self._counted():
            await self._stream(send)

    async def _stream(self, send: Send) -> None:
        streaming = asyncio.create_task(super().stream_response(send))
        try:
            await self._until_over(streaming)
        finally:
            streaming.cancel()
        await asyncio.wait({streaming})
        if streaming.cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            streaming.result()

    async def _until_over(self, streaming: asyncio.Task[None]) -> None:
        """The stream, or the rights."""
        while not streaming.done():
            seconds = RIGHTS_SECONDS * random.uniform(_EARLIEST, 1)  # noqa: S311
            await asyncio.wait({streaming}, timeout=seconds)
            if not streaming.done() and not await asyncio.to_thread(self._allowed):
                return


class Follower:
    """Who follows a stream, with the rights of the last look."""

    def __init__(self, request: Request, visitor: Visitor) -> None:
        self._request = request
        self.visitor = visitor

    @contextmanager
    def counted(self) -> Iterator[None]:
        """While the stream is open. Raises TooMany and Busy."""
        streams: Streams = self._request.app.state.streams
        with streams.one_of(self.visitor.user.name):
            yield

    def look_again(self) -> bool:
        """False when the token or the session is not good any more."""
        found = visitor_of(self._request)
        self.visitor = found or self.visitor
        return found is not None
