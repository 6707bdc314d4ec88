"""What applications say: lines of containers, where they came from, and how far each container's were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

#: so much older than the newest one a message may come after it: output and errors are stamped side by side (ns)
_SLACK = 2 * 10**9


class Origin(StrEnum):
    """What kind of container a line is of."""

    #: of a service that keeps running
    SERVICE = "service"
    #: of what runs once or by the clock
    RUN = "run"
    #: of a database that the platform keeps
    MANAGED = "managed"
    #: the router, of a request to one of the environment's routes
    ACCESS = "access"
    #: the platform itself, which says what is missing
    PLATFORM = "platform"


class Source(NamedTuple):
    """A container, as people know it. `replica` is 0 where it has no number; `release` the one it was started for."""

    service: str
    origin: Origin = Origin.SERVICE
    replica: int = 0
    release: int = 0
    #: the first digits of its id
    container: str = ""

    @property
    def name(self) -> str:
        """`web.2`, `postgresql`."""
        return f"{self.service}.{self.replica}" if self.replica else self.service


class Line(NamedTuple):
    """One line. `number` counts those of the environment, from 1, and is never given twice; `time` in nanoseconds."""

    number: int
    time: int
    source: Source
    text: bytes
    error: bool = False
    #: belongs to the line before of the same container: part of a stack trace
    continued: bool = False


class Said(NamedTuple):
    """A line as a container said it. `messages`: the engine's, of which long lines take several.

    `note`: the platform's own word, instead of so many messages that were dropped.
    """

    time: int
    error: bool
    text: bytes
    messages: int = 1
    continued: bool = False
    note: bool = False


@dataclass(frozen=True)
class Position:
    """How far a container's log was taken, so that it is gone on with neither a gap nor a double.

    The engine is asked for all since `since`; `taken` messages of those are known, the first of which was at `first`.
    `total` and `begin` are the same from the log's very start. Times in nanoseconds, 0 for none.
    """

    since: int = 0
    first: int = 0
    taken: int = 0
    newest: int = 0
    total: int = 0
    begin: int = 0
    ended: bool = False


@dataclass
class _Mark:
    since: int
    first: int
    taken: int = 0


@dataclass
class Progress:
    """Counts what is taken of one container's messages, which the engine stamps almost in their order.

    A mark is a place in the log that all messages before it are older than, and none after it: from there the engine
    can be asked. The one that is used is a little old, for a late message may still come before a newer one; where the
    clock went back there is none, and the log is counted from its start.
    """

    position: Position = Position()
    _marks: list[_Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = self.position
        self._marks = [_Mark(known.since, known.first, known.taken)] if known.since else []

    def take(self, lines: Sequence[Said]) -> None:
        """The next ones, in their order."""
        if not lines:
            return
        times, count = [line.time for line in lines], sum(line.messages for line in lines)
        known, oldest, newest = self.position, min(times), max(times)
        self._marks = [mark for mark in self._marks if mark.since <= oldest]
        if oldest > known.newest and known.total:
            self._marks.append(_Mark(oldest, times[0]))
        for mark in self._marks:
            mark.taken += count
        newest = max(newest, known.newest)
        settled = [mark for mark in self._marks if mark.since <= newest - _SLACK]
        self._marks = settled[-1:] + self._marks[len(settled) :]
        total, begin = known.total + count, known.begin or times[0]
        used = settled[-1] if settled else _Mark(0, begin, total)
        self.position = Position(used.since, used.first, used.taken, newest, total, begin)

    def end(self) -> None:
        self.position = replace(self.position, ended=True)


class Resuming:
    """Drops from a log that is read again what was taken of it before."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self._left = position.taken
        #: whether the engine has thrown away some that were never taken, or may have
        self.lost = False

    def is_known(self, time: int) -> bool:
        """Of the next message, by its time."""
        if not self._left:
            return False
        if self._left == self._position.taken and time != self._position.first:
            self.lost = True
        if self.lost:
            if time <= self._position.newest:
                return True
            self._left = 0
            return False
        self._left -= 1
        return True


def continues(before: bytes, text: bytes) -> bool:
    """Whether a line goes on with the one before it: it is indented, or ends the trace of an exception."""
    if text[:1] in _INDENTED or text.startswith(_CAUSES):
        return True
    return before[:1] in _INDENTED and _ends_a_traceback(before, text)


_INDENTED = (b" ", b"\t")
_CAUSES = (b"Caused by: ", b"... ", b"During handling of the above", b"The above exception was")


def _ends_a_traceback(before: bytes, text: bytes) -> bool:
    """Python's last line stands at the margin: `ValueError: no such thing`, after the indented source."""
    name = text.partition(b":")[0]
    is_name = name[:1].isalpha() and name.replace(b".", b"").replace(b"_", b"").isalnum()
    return before.startswith((b"    ", b'  File "')) and is_name
