"""Tells open pages what has changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

#: A page that does not fetch its changes for so many loses the oldest ones: it asks for everything anyway.
_BACKLOG = 1000
#: After so many seconds of silence a listener hears that the connection still stands.
_SILENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Change:
    """`topic` is `project:demo/hello`, `pipeline:5` and the like, of something in the project."""

    project: str
    topic: str


class Changes:
    """From any thread to all who listen in the event loop."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[Change], asyncio.AbstractEventLoop] = {}

    def publish(self, project: str, *topics: str) -> None:
        """The project itself has changed, and the further topics in it."""
        changes = [Change(project, topic) for topic in (f"project:{project}", *topics)]
        for queue, loop in list(self._listeners.items()):
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(_put, queue, changes)

    async def listen(self) -> AsyncIterator[Change | None]:
        """What changes, from now on; None after a silence."""
        queue: asyncio.Queue[Change] = asyncio.Queue(_BACKLOG)
        self._listeners[queue] = asyncio.get_running_loop()
        try:
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), _SILENCE_SECONDS)
                except TimeoutError:
                    yield None
        finally:
            del self._listeners[queue]


def _put(queue: asyncio.Queue[Change], changes: list[Change]) -> None:
    for change in changes:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(change)
