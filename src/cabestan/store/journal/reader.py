"""Reading a journal: on from a line, back from one, the newest that match. Any number at the same time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabestan.domain.journal import Line, Source
from cabestan.store.journal.query import Query
from cabestan.store.journal.records import Head, columns_of, line_of, meta_of, source_number
from cabestan.store.journal.segments import SegmentFile, may_match, segments_in

#: of the texts in one answer (bytes)
ANSWER_BYTES = 4 << 20
#: how often a folder is read again whose files go meanwhile
_TRIES = 5


@dataclass(frozen=True)
class Found:
    """`next` is the number to go on with; `before` whether older ones may be there."""

    lines: list[Line]
    next: int
    before: bool = False


class JournalReader:
    """Of one environment; the folder need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bounds(self) -> tuple[int, int]:
        """The number of the first line that is there, and the one that the next will get."""
        found = self.opened()
        if not found:
            return 1, 1
        heads = found[-1].heads()
        return found[0].segment.first, heads[-1].after if heads else found[-1].segment.first

    def on(self, number: int, query: Query, limit: int) -> Found:
        """The first that match from a number on."""
        return self.tail(number, query).more(limit)

    def tail(self, number: int, query: Query) -> Tail:
        """Goes on from a number, as often as it is asked."""
        return Tail(self, number, query)

    def back(self, query: Query, limit: int, before: int | None = None) -> Found:
        """The last that match, before a number where one is given; in their order."""
        pieces: list[list[Line]] = []
        size = count = 0
        files = self.opened()
        after = self._after(files)
        for file in reversed(files):
            if before is not None and file.segment.first >= before:
                continue
            if not file.may_match(query):
                continue
            found = _heads_with_sources(file)
            for head, sources in reversed(found):
                if before is not None and head.first >= before:
                    continue
                piece = [
                    line for line in _matching(file, head, sources, query) if before is None or line.number < before
                ]
                pieces.append(piece)
                count += len(piece)
                size += sum(len(line.text) for line in piece)
                if count > limit or size > ANSWER_BYTES:
                    return Found(_last(pieces, limit), after, before=True)
        return Found(_last(pieces, limit), after, before=count > limit)

    def at(self, time: int) -> int:
        """The number of the first line that was said then, or later; that of the next one where none was."""
        for file in self.opened():
            if file.ended_before(time):
                continue
            for head in file.heads():
                if head.count and head.newest >= time:
                    times = columns_of(file.read, head).times
                    return next(head.first + place for place, moment in enumerate(times) if moment >= time)
        return self.bounds()[1]

    def sources(self) -> frozenset[Source]:
        """Of all lines that are there."""
        found: set[Source] = set()
        for file in self.opened():
            for head in file.heads()[:1] if file.segment.packed else file.heads():
                found.update(meta_of(file.read, head).sources.values())
        return frozenset(found)

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self._folder.glob("*")) if self._folder.exists() else 0

    def opened(self, number: int = 0) -> list[SegmentFile]:
        """Those with lines from a number on; files may go, be packed or begin while they are opened."""
        for _ in range(_TRIES):
            segments = segments_in(self._folder)
            start = max(0, bisect_right([segment.first for segment in segments], number) - 1)
            try:
                return [SegmentFile(segment) for segment in segments[start:]]
            except FileNotFoundError:
                continue
        return []

    def _after(self, files: Sequence[SegmentFile]) -> int:
        heads = files[-1].heads() if files else ()
        return heads[-1].after if heads else 1


class Tail:
    """One who reads on and on. It holds one file open, and costs nothing while it does not ask."""

    def __init__(self, reader: JournalReader, number: int, query: Query) -> None:
        self._reader = reader
        self._query = query
        self._number = number
        self._file: SegmentFile | None = None
        self._at = 0
        self._sources: dict[int, Source] = {}

    def more(self, limit: int) -> Found:
        """The next that match, as far as they are there."""
        lines: list[Line] = []
        size = 0
        while head := self._next_head():
            file, sources = self._file, self._sources
            if file is None:
                break
            if not head.packed:
                sources |= meta_of(file.read, head).sources
            for line in _matching(file, head, sources, self._query) if head.after > self._number else ():
                if line.number < self._number:
                    continue
                lines.append(line)
                size += len(line.text)
                if len(lines) >= limit or size > ANSWER_BYTES:
                    self._number = line.number + 1
                    return Found(lines, self._number)
            self._at, self._number = head.end, max(self._number, head.after)
        return Found(lines, self._number)

    def _next_head(self) -> Head | None:
        while True:
            if self._file and (head := self._file.head(self._at)):
                return head
            if not self._open_next():
                return None

    def _open_next(self) -> bool:
        """Whether there is a file after this one: before that one began, this one had come to its end."""
        here = self._file.segment.first if self._file else -1
        following = [file for file in self._reader.opened(self._number) if file.segment.first > here]
        if not following or (self._file and self._file.head(self._at)):
            return bool(following)
        self._file, self._at, self._sources = following[0], 0, {}
        return True


def _heads_with_sources(file: SegmentFile) -> list[tuple[Head, dict[int, Source]]]:
    """In an open segment a source is told once; what is packed tells its own."""
    known: dict[int, Source] = {}
    found = []
    for head in file.heads():
        if not head.packed:
            known |= meta_of(file.read, head).sources
        found.append((head, known))
    return found


def _matching(file: SegmentFile, head: Head, sources: Mapping[int, Source], query: Query) -> Iterator[Line]:
    if not head.count or not may_match(file.read, head, query):
        return
    if head.packed:
        sources = meta_of(file.read, head).sources
    wanted = frozenset(number for number, source in sources.items() if query.wants_source(source))
    if not wanted:
        return
    columns = columns_of(file.read, head)
    if query.search is None:
        chosen: Iterable[tuple[int, bytes]] = enumerate(columns.texts.split(b"\n"))
    else:
        chosen = _searched(columns.texts, query.search)
    for place, text in chosen:
        tagged, moment = columns.tags[place], columns.times[place]
        if source_number(tagged) not in wanted or not query.wants_time(moment):
            continue
        line = line_of(head.first + place, moment, tagged, text, sources)
        if (line.error or not query.errors_only) and query.wants_fields(text):
            yield line


def _searched(texts: bytes, search: Any) -> Iterator[tuple[int, bytes]]:
    """The lines with a match, and their places among all."""
    place = counted = end = 0
    for found in search.finditer(texts):
        at: int = found.start()
        if at < end:
            continue
        start = texts.rfind(b"\n", 0, at) + 1
        end = texts.find(b"\n", at)
        end = len(texts) if end < 0 else end
        place += texts.count(b"\n", counted, start)
        counted = start
        yield place, texts[start:end]
        end += 1


def _last(pieces: Sequence[Sequence[Line]], limit: int) -> list[Line]:
    """Of pieces of which the last ones came first."""
    lines = [line for piece in reversed(pieces) for line in piece]
    return lines[-limit:] if limit else []
