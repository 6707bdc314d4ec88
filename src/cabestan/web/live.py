"""Streams that last, and end when the visitor's rights do."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from cabestan.web.access import Visitor, visitor_of

#: the rights are read again after so many seconds at the latest
RIGHTS_SECONDS = 15.0
#: and after this part of them at the earliest: those who came at once, as after a restart, do not ask at once
_EARLIEST = 0.8
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class LiveStream(StreamingResponse):
    """Server-sent events, for as long as `allowed` says so. It may block: it is asked in a thread."""

    def __init__(self, events: AsyncIterator[bytes] | AsyncIterator[str], allowed: Callable[[], bool]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self._allowed = allowed

    async def stream_response(self, send: Send) -> None:
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

    def look_again(self) -> bool:
        """False when the token or the session is not good any more."""
        found = visitor_of(self._request)
        self.visitor = found or self.visitor
        return found is not None
