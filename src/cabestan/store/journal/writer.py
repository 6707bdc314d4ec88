"""Appending to the journal of one environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cabestan.domain.journal import Position, Said, Source
from cabestan.store.journal.packing import packed_records
from cabestan.store.journal.records import (
    MOST_SOURCES,
    Columns,
    Head,
    Meta,
    Read,
    heads,
    is_whole,
    meta_of,
    record,
    tag,
)
from cabestan.store.journal.segments import OPEN, PACKED, segment_path, segments_in, superfluous_in
from cabestan.store.logs.open_file import OpenFile

#: an open segment of this size is packed (bytes)
SEGMENT_BYTES = 4 << 20
#: and one that began so long ago, so that days can go (ns)
_SEGMENT_AGE = 86400 * 10**9


@dataclass(frozen=True)
class Taken:
    """What is appended at once, in the order in which it is read, and how far each container was taken by that."""

    lines: Sequence[tuple[Source, Said]]
    positions: Mapping[str, Position]


class JournalWriter:
    """The one writer of a journal. A kill cuts what was not whole, and with it the positions that told of it.

    An error, as of a full disk, leaves it as it was before: append again. Not safe for threads.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._sources: dict[Source, int] = {}
        self.positions: dict[str, Position] = {}
        self._number, self._end, self._oldest, self._file = 1, 0, 0, -1
        self._recover()

    @property
    def next_number(self) -> int:
        return self._number

    def append(self, taken: Taken) -> None:
        if len(self._sources) + len({source for source, _ in taken.lines}) > MOST_SOURCES:
            self.pack()
        fresh: dict[int, Source] = {}
        times, tags, texts = [], [], []
        for source, said in taken.lines:
            times.append(said.time)
            tags.append(tag(self._number_of(source, fresh), error=said.error, continued=said.continued))
            texts.append(said.text)
        self._write(record(self._number, Columns.of(times, tags, texts), Meta(fresh, taken.positions)))
        self._number += len(times)
        self._oldest = self._oldest or min(times, default=0)
        self.positions |= taken.positions
        if self._end >= self._segment_bytes:
            self.pack()

    def forget(self, containers: set[str]) -> None:
        """Those that are gone: their positions are not carried on any more."""
        for container in containers:
            self.positions.pop(container, None)

    def pack_old(self, now: int) -> None:
        """What began long ago; `now` in nanoseconds."""
        if self._oldest and now - self._oldest > _SEGMENT_AGE:
            self.pack()

    def pack(self) -> None:
        """Ends the open segment: its records become few, and small."""
        first, source = self._first, segment_path(self._folder, self._first, OPEN)
        if first == self._number:  # it tells of positions alone
            self._begin(first).rename(source)
            self._open(first)
            return
        target = segment_path(self._folder, first, PACKED)
        part = target.with_suffix(".part")
        read = OpenFile(source).read
        with part.open("wb") as file:
            file.writelines(packed_records(read, heads(read)))
            file.flush()
            os.fsync(file.fileno())
        fresh = self._begin(self._number)
        part.rename(target)
        fresh.rename(segment_path(self._folder, self._number, OPEN))
        source.unlink()
        self._open(self._number)

    def close(self) -> None:
        os.close(self._file)

    def _number_of(self, source: Source, fresh: dict[int, Source]) -> int:
        number = self._sources.get(source)
        if number is None:
            number = self._sources[source] = len(self._sources) + 1
            fresh[number] = source
        return number

    def _write(self, data: bytes) -> None:
        """A full disk raises OSError; then the sources that were fresh are told again with the next record."""
        try:
            _write_all(self._file, data, self._end)
        except OSError:
            self._recover()
            raise
        self._end += len(data)

    def _begin(self, number: int) -> Path:
        """The next segment, which tells the positions first, made under a name that nobody reads."""
        path = segment_path(self._folder, number, ".new")
        path.write_bytes(record(number, Columns.of((), (), ()), Meta({}, positions=self.positions)))
        return path

    def _open(self, first: int) -> None:
        """Counts what is whole of it and cuts the rest."""
        if self._file >= 0:
            os.close(self._file)
        path = segment_path(self._folder, first, OPEN)
        self._first, self._sources = first, {}
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._number, self._end, self._oldest = first, 0, 0
        read = OpenFile(path).read
        for head in _whole(read):
            meta = meta_of(read, head)
            self._sources |= {source: number for number, source in meta.sources.items()}
            self.positions |= meta.positions
            self._number, self._end = head.after, head.end
            self._oldest = self._oldest or (head.oldest if head.count else 0)
        os.ftruncate(self._file, self._end)

    def _recover(self) -> None:
        found = segments_in(self._folder)
        if not found or found[-1].packed:
            # a first one, or one whose end a power cut took
            first = _after(found[-1].path) if found else 1
            self._begin(first).rename(segment_path(self._folder, first, OPEN))
            found = segments_in(self._folder)
        for path in superfluous_in(self._folder):
            path.unlink(missing_ok=True)
        self._open(found[-1].first)


def _whole(read: Read) -> Iterator[Head]:
    for head in heads(read):
        if not is_whole(read, head):
            return
        yield head


def _after(path: Path) -> int:
    return max((head.after for head in heads(OpenFile(path).read)), default=1)


def _write_all(file: int, data: bytes, offset: int) -> None:
    written = os.pwrite(file, data, offset)
    while written < len(data):
        written += os.pwrite(file, data[written:], offset + written)
