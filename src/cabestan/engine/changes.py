"""Tells open pages what has changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

#: A page that does not fetch its changes for so many loses the oldest ones: it asks for everything anyway.
_BACKLOG = 1000


class Changes:
    """Topics such as `project:demo/hello`, `pipeline:5`; from any thread to all who listen in the event loop."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[str], asyncio.AbstractEventLoop] = {}

    def publish(self, *topics: str) -> None:
        for queue, loop in list(self._listeners.items()):
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(_put, queue, topics)

    async def listen(self) -> AsyncIterator[str]:
        """Topics as they change, from now on."""
        queue: asyncio.Queue[str] = asyncio.Queue(_BACKLOG)
        self._listeners[queue] = asyncio.get_running_loop()
        try:
            while True:
                yield await queue.get()
        finally:
            del self._listeners[queue]


def _put(queue: asyncio.Queue[str], topics: tuple[str, ...]) -> None:
    for topic in topics:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(topic)
