"""From the threads that write logs to the coroutines that follow them, in one process.

A writer's thread calls `LogHub.advanced` after each append (after the head is written) and once after the
job's end is recorded. It never waits for a follower.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress

#: followers of one log are woken at most once in this time (seconds)
PAUSE = 0.04
#: and at least once in this time, in case another process writes the log (seconds)
TICK = 1.0
#: pieces kept for followers at the same place
_PIECES = 8

#: what is sent of a log at once, encoded, and the offset after it
Piece = tuple[bytes, int]


class Channel:
    """The followers of one log. All methods but `advanced` belong to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.followers = 0
        #: how often followers were woken
        self.version = 0
        self._loop = loop
        self._due = False
        self._woken_at = 0.0
        self._waiting: list[asyncio.Future[None]] = []
        self._tick = loop.call_later(TICK, self._ticked)
        self._pieces: OrderedDict[Hashable, asyncio.Future[Piece]] = OrderedDict()
        self._status: tuple[int, str | None] = (-1, None)

    def advanced(self) -> None:
        """Something was appended: from any thread, cheap when followers are due to wake anyway."""
        if not self._due:
            self._due = True
            with suppress(RuntimeError):  # the loop is closed: nobody follows any more
                self._loop.call_soon_threadsafe(self._plan)

    async def wait(self, seen: int) -> None:
        """Until `version` is another than `seen`: at the latest after `TICK`."""
        if self.version == seen:
            woken = self._loop.create_future()
            self._waiting.append(woken)
            await woken

    def status(self, ended: Callable[[], str | None]) -> str | None:
        """`ended()`, asked once per wake-up for all followers."""
        version, status = self._status
        if status is None and version != self.version:
            status = ended()
            self._status = (self.version, status)
        return status

    async def piece(self, key: Hashable, make: Callable[[], Piece]) -> Piece:
        """`make()`, run once in a thread for all followers that ask for the same `key` soon after each
        other.
        """
        made = self._pieces.get(key)
        if made is None:
            made = self._pieces[key] = self._loop.run_in_executor(None, make)
            made.add_done_callback(lambda done: self._forget_failed(key, done))
            while len(self._pieces) > _PIECES:
                self._pieces.popitem(last=False)
        return await asyncio.shield(made)

    def close(self) -> None:
        self._tick.cancel()

    def _plan(self) -> None:
        self._loop.call_at(self._woken_at + PAUSE, self._wake)

    def _wake(self) -> None:
        self._due = False
        self._woken_at = self._loop.time()
        self.version += 1
        waiting, self._waiting = self._waiting, []
        for woken in waiting:
            if not woken.done():
                woken.set_result(None)

    def _forget_failed(self, key: Hashable, made: asyncio.Future[Piece]) -> None:
        if self._pieces.get(key) is made and (made.cancelled() or made.exception() or not made.result()[0]):
            del self._pieces[key]

    def _ticked(self) -> None:
        self._wake()
        self._tick = self._loop.call_later(TICK, self._ticked)


class LogHub:
    """Channels by log id, made for the first follower and dropped after the last one."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}

    def advanced(self, log_id: str) -> None:
        """The log has grown, or its job has ended: wakes its followers soon. From any thread."""
        channel = self._channels.get(log_id)
        if channel is not None:
            channel.advanced()

    @contextmanager
    def following(self, log_id: str) -> Iterator[Channel]:
        """The channel of a log, for a follower in the running event loop."""
        channel = self._channels.get(log_id)
        if channel is None:
            channel = self._channels[log_id] = Channel(asyncio.get_running_loop())
        channel.followers += 1
        try:
            yield channel
        finally:
            channel.followers -= 1
            if not channel.followers:
                del self._channels[log_id]
                channel.close()
