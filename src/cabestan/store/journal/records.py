"""The bytes of a journal: records of lines, each whole by itself.

A record is a head, the sources of its lines, the words that stand in them (in those that are packed), and its lines by
columns: times, tags, texts. A tag is the source's number times four, and two for a line that goes on with the one
before, and one for standard error. Number 0 stands for a line that was taken away.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cabestan.domain.journal import Line, Origin, Position, Source

_HEAD = struct.Struct("<4sIIIIIQqq")
_OPEN, _PACKED = b"CbJr", b"CbJp"
_MAGIC = {_OPEN: False, _PACKED: True}
HEAD_SIZE = _HEAD.size
_CONTINUED, _ERROR, _SOURCE_BITS = 2, 1, 2
#: numbers of sources in one segment
MOST_SOURCES = (1 << 14) - 1
_WORD = re.compile(rb"[a-z]{3,}")
#: quick rather than small: what is written now is read again and again
_LEVEL = 3

Read = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Head:
    """Of a record that begins at byte `at`: `count` lines from number `first` on, `oldest` to `newest` (ns)."""

    at: int
    packed: bool
    meta: int
    words: int
    body: int
    check: int
    count: int
    first: int
    oldest: int
    newest: int

    @property
    def end(self) -> int:
        return self.at + HEAD_SIZE + self.meta + self.words + self.body

    @property
    def after(self) -> int:
        """The number after its last line."""
        return self.first + self.count


@dataclass(frozen=True)
class Columns:
    """Lines as they are kept. `texts` has as many lines as there are times."""

    times: array[int]
    tags: array[int]
    texts: bytes

    @staticmethod
    def of(times: Iterable[int], tags: Iterable[int], texts: Sequence[bytes]) -> Columns:
        return Columns(array("q", times), array("H", tags), b"\n".join(texts))


@dataclass(frozen=True)
class Meta:
    """`positions` are of containers, after the record; `sizes`, in bytes, what each source said in what is packed."""

    sources: Mapping[int, Source]
    positions: Mapping[str, Position] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)


def tag(number: int, *, error: bool, continued: bool) -> int:
    return number << _SOURCE_BITS | (_CONTINUED if continued else 0) | (_ERROR if error else 0)


def source_number(tagged: int) -> int:
    return tagged >> _SOURCE_BITS


def line_of(number: int, time: int, tagged: int, text: bytes, sources: Mapping[int, Source]) -> Line:
    source = sources[tagged >> _SOURCE_BITS]
    return Line(number, time, source, text, bool(tagged & _ERROR), bool(tagged & _CONTINUED))


def record(first: int, columns: Columns, meta: Meta, *, packed: bool = False) -> bytes:
    body = b"".join((columns.times.tobytes(), columns.tags.tobytes(), columns.texts))
    times = columns.times or array("q", [0])
    bounds = (min(times), max(times))
    if packed:
        return _bytes(_PACKED, first, len(columns.times), bounds, meta, words_of(columns.texts), _compressed(body))
    return _bytes(_OPEN, first, len(columns.times), bounds, meta, b"", body)


def summary(first: int, bounds: tuple[int, int], meta: Meta, words: bytes) -> bytes:
    """Of the packed records that follow it in a file: `bounds` are the times of their oldest and newest line."""
    return _bytes(_PACKED, first, 0, bounds, meta, words, b"")


def _bytes(
    magic: bytes, first: int, count: int, bounds: tuple[int, int], meta: Meta, words: bytes, body: bytes
) -> bytes:
    told = json.dumps(_plain(meta), separators=(",", ":")).encode()
    payload = b"".join((told, words, body))
    head = (magic, len(told), len(words), len(body), zlib.crc32(payload), count, first, *bounds)
    return _HEAD.pack(*head) + payload


def heads(read: Read, at: int = 0) -> Iterator[Head]:
    """Of whole records, from byte `at` on; what a kill left unfinished ends them."""
    while head := _head(read(at, HEAD_SIZE), at):
        yield head
        at = head.end


def _head(data: bytes, at: int) -> Head | None:
    if len(data) < HEAD_SIZE:
        return None
    magic, meta, words, body, check, count, first, oldest, newest = _HEAD.unpack(data)
    if magic not in _MAGIC:
        return None
    return Head(at, _MAGIC[magic], meta, words, body, check, count, first, oldest, newest)


def is_whole(read: Read, head: Head) -> bool:
    size = head.meta + head.words + head.body
    payload = read(head.at + HEAD_SIZE, size)
    return len(payload) == size and zlib.crc32(payload) == head.check


def meta_of(read: Read, head: Head) -> Meta:
    told = json.loads(read(head.at + HEAD_SIZE, head.meta))
    return Meta(
        {int(number): _source(values) for number, values in told.get("s", {}).items()},
        {container: Position(*values) for container, values in told.get("p", {}).items()},
        {int(number): size for number, size in told.get("b", {}).items()},
    )


def known_words(read: Read, head: Head) -> bytes:
    return read(head.at + HEAD_SIZE + head.meta, head.words)


def columns_of(read: Read, head: Head) -> Columns:
    body = read(head.at + HEAD_SIZE + head.meta + head.words, head.body)
    if head.packed:
        body = _expanded(body)
    times, tags = array("q"), array("H")
    cut, end = head.count * times.itemsize, head.count * (times.itemsize + tags.itemsize)
    times.frombytes(body[:cut])
    tags.frombytes(body[cut:end])
    return Columns(times, tags, body[end:])


def words_of(texts: bytes) -> bytes:
    """All words of letters in them, each once, in small letters: what has none of a query's need not be looked at."""
    return b"\n".join(sorted(set(_WORD.findall(texts.lower()))))


def _plain(meta: Meta) -> dict[str, Any]:
    sources = {str(number): list(source) for number, source in meta.sources.items()}
    positions = {key: [*vars(position).values()] for key, position in meta.positions.items()}
    sizes = {str(number): size for number, size in meta.sizes.items()}
    return {key: values for key, values in (("s", sources), ("p", positions), ("b", sizes)) if values}


def _source(values: Sequence[Any]) -> Source:
    service, origin, replica, release, container = values
    return Source(service, Origin(origin), replica, release, container)


def _compressed(body: bytes) -> bytes:
    import zstandard  # late, for it takes memory, and what nobody reads or writes needs none

    return zstandard.ZstdCompressor(level=_LEVEL).compress(body)


def _expanded(body: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompress(body)
