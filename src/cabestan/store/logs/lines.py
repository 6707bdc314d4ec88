"""Lines by their number, through the sparse index."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from cabestan.store.logs.layout import Entry, read_entries
from cabestan.store.logs.open_file import OpenFile

#: a longer line is cut where lines are listed (bytes)
LONGEST_LINE = 64 << 10
#: and is read no further than so
_ENDLESS = 1 << 20


@dataclass(frozen=True)
class LogLine:
    """One line as it is shown. `number` counts from 1; `time_ms` (since 1970) is exact to about a second."""

    number: int
    #: of its first byte
    offset: int
    time_ms: int
    #: without the line end; invalid UTF-8 replaced; of the first `LONGEST_LINE` bytes
    text: str


class Entries:
    """The index entries in an open file, `count` of them."""

    def __init__(self, index: OpenFile, count: int) -> None:
        self._index = index
        self._count = count

    def before_line(self, number: int) -> int:
        """The last entry from which reading on meets the start of line `number`."""
        place = bisect_left(range(self._count), number - 1, key=lambda at: self._at(at).lines)
        return max(0, place - 1)

    def before_offset(self, offset: int) -> Entry:
        """The last entry that is not beyond a byte."""
        place = bisect_right(range(self._count), offset, key=lambda at: self._at(at).offset)
        return self._at(place - 1) if place else Entry(0, 0, 0)

    def from_entry(self, first: int) -> Iterator[Entry]:
        """The entries from the `first` on."""
        while first < self._count and (some := read_entries(self._index.fileno(), first, min(64, self._count - first))):
            yield from some
            first += len(some)

    def _at(self, place: int) -> Entry:
        return read_entries(self._index.fileno(), place, 1)[0]


def within(most: int, lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """The first ones that have at most so many bytes together, and one in any case."""
    for place, line in enumerate(lines):
        most -= len(line.text.encode())
        if place and most < 0:
            return
        yield line


def lines_between(
    entries: Entries, chunks_from: Callable[[int], Iterable[bytes]], number: int, count: int
) -> Iterator[LogLine]:
    """`count` lines from line `number` on, or as many as there are. A line without end is not read to its end: the
    index tells where the next one is near.
    """
    beyond = number + count
    while number < beyond:
        begun = number
        for line in _lines_near(entries, chunks_from, number, beyond - number):
            yield line
            number += 1
        if number == begun:
            return


def _lines_near(
    entries: Entries, chunks_from: Callable[[int], Iterable[bytes]], number: int, count: int
) -> Iterator[LogLine]:
    """The same, up to the first line that is too long to be read to its end."""
    clock = entries.from_entry(entries.before_line(number))
    now = next(clock)
    following = next(clock, None)
    skipped = number - 1 - now.lines
    found = islice(split_lines(chunks_from(now.offset), now.offset, skipped), skipped, skipped + count)
    for place, (offset, line) in enumerate(found, number):
        while following and following.offset <= offset:
            now, following = following, next(clock, None)
        yield LogLine(place, offset, now.time_ms, line.decode("utf-8", "replace"))


def split_lines(chunks: Iterable[bytes], offset: int, patient: int = sys.maxsize) -> Iterator[tuple[int, bytes]]:
    """The lines in `chunks`, each with its offset, when the first chunk lies at `offset`.

    It ends after a line that has `_ENDLESS` bytes and no end, but for the first `patient` ones.
    """
    start = at = offset
    kept = b""
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            yield start, (kept + part)[:LONGEST_LINE]
            at += len(part) + 1
            start, kept = at, b""
            patient -= 1
        kept = (kept + rest)[:LONGEST_LINE]
        at += len(rest)
        if patient <= 0 and at - start >= _ENDLESS:
            break
    if at > start:
        yield start, kept
