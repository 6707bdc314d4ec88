"""Reading a log while it grows, or long after, packed or not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from cabestan.errors import NotFound
from cabestan.store.logs.frames import Frames, PackedFile
from cabestan.store.logs.layout import Flag, Head, LogPaths, read_head
from cabestan.store.logs.lines import Entries, LogLine, lines_between, within
from cabestan.store.logs.open_file import OpenFile
from cabestan.store.logs.search import Found, longest_match, matching_lines

#: bytes read at once
CHUNK = 1 << 20
#: of the lines of one answer, together, in bytes
LISTED = 1 << 20
#: a search looks through so much of a log, and then says how far it came
SEARCHED = 32 << 20
Read = Callable[[int, int], bytes]


class LogReader:
    """A log as of now, at each call. It may be shared by threads, and made before the log exists."""

    def __init__(self, log_id: str, paths: LogPaths) -> None:
        self.id = log_id
        self._paths = paths
        self._index: OpenFile | None = None
        self._read: Read | None = None

    def head(self) -> Head:
        """The counts; all zero when nothing was written yet."""
        index = self._open_index()
        return (read_head(index.fileno()) if index else None) or Head()

    def size(self) -> int:
        """Bytes."""
        return self.head().stored

    def lines(self) -> int:
        """Lines, with the last one, which may have no end yet."""
        return self.head().lines_shown

    def ended(self) -> bool:
        """Whether the writer has said that nothing follows."""
        return self.head().has(Flag.ENDED)

    def read(self, offset: int, limit: int) -> bytes:
        """The bytes from `offset` on, up to `limit` of them; fewer only at the end of the log."""
        return self._read_up_to(offset, min(offset + limit, self.size()))

    def chunks(self, offset: int = 0) -> Iterator[bytes]:
        """What the log holds now from `offset` on, in pieces of at most `CHUNK` bytes: for downloads."""
        return self._chunks_between(offset, self.size())

    def lines_from(self, number: int, count: int, most: int = sys.maxsize) -> list[LogLine]:
        """Up to `count` lines, the first of them line `number`; fewer where they have more than `most` bytes together,
        but the first in any case.
        """
        head, index, number = self.head(), self._open_index(), max(1, number)
        if index is None or number > head.lines_shown:
            return []
        count = min(count, head.lines_shown - number + 1)
        return list(within(most, lines_between(Entries(index, head.entries), self.chunks, number, count)))

    def search(self, query: str, limit: int = 1000, ignore_case: bool = False, start: int = 0) -> Found:
        """The first `limit` lines that hold `query`, from byte `start` on, of the next `SEARCHED` bytes.

        Raises Invalid for an unusable query.
        """
        end, following = self._searched(start, query)
        chunks, first = self._chunks_between(start, end), self._line_at(start)
        numbers = matching_lines(chunks, query, first=first, limit=limit + 1, ignore_case=ignore_case)
        if len(numbers) <= limit:
            return Found(numbers, following)
        return Found(numbers[:limit], max(start, self.lines_from(numbers[limit], 1)[0].offset), more=True)

    def close(self) -> None:
        """Lets go of the files; the reader opens them again when it is used."""
        self._index = self._read = None

    def __enter__(self) -> LogReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunks_between(self, offset: int, end: int) -> Iterator[bytes]:
        while offset < end and (piece := self._read_up_to(offset, min(end, offset + CHUNK))):
            yield piece
            offset += len(piece)

    def _searched(self, start: int, query: str) -> tuple[int, int | None]:
        """How far one search looks, and where the next one begins: between lines, unless there is one that is so long
        that what matches in it may lie on both sides.
        """
        size, end = self.size(), start + SEARCHED
        if end >= size:
            return size, None
        last = self._read_up_to(max(start, end - CHUNK), end)
        if line_end := last.rfind(b"\n") + 1:
            end += line_end - len(last)
            return end, end
        return end, max(start + 1, end - longest_match(query))

    def _line_at(self, offset: int) -> int:
        """The number of the line in which a byte is."""
        index = self._open_index()
        if index is None or not offset:
            return 1
        entry = Entries(index, self.head().entries).before_offset(offset)
        return 1 + entry.lines + sum(chunk.count(b"\n") for chunk in self._chunks_between(entry.offset, offset))

    def _open_index(self) -> OpenFile | None:
        """None where nothing was written yet."""
        index = self._index
        if index is None:
            with suppress(FileNotFoundError):
                self._index = index = OpenFile(self._paths.index)
        return index

    def _read_up_to(self, offset: int, end: int) -> bytes:
        pieces = []
        while 0 <= offset < end and (piece := self._open_data()(offset, end - offset)):
            pieces.append(piece)
            offset += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _open_data(self) -> Read:
        """The plain file where there is one; it stays readable in here when it is packed away meanwhile."""
        read = self._read
        if read is None:
            try:
                self._read = read = OpenFile(self._paths.log).read
            except FileNotFoundError:
                self._read = read = self._open_packed()
        return read

    def _open_packed(self) -> Read:
        try:
            frames = Frames.read(self._paths.frames)
            file = OpenFile(self._paths.packed)
        except FileNotFoundError as error:
            raise NotFound(f"The log {self.id} is gone.", "It was deleted; run the job again for a new one.") from error
        return PackedFile(file, frames).read
