"""Many small records of an open segment as few packed ones, and packed ones without what has to go."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cabestan.domain.journal import Source
from cabestan.store.journal.records import (
    Columns,
    Head,
    Meta,
    Read,
    columns_of,
    meta_of,
    record,
    source_number,
)

#: of the texts in one packed record: what is expanded at once to find a line (bytes)
BLOCK_BYTES = 128 << 10
#: and lines, which also may be empty
_BLOCK_LINES = 32_768


@dataclass
class _Block:
    first: int
    times: array[int] = field(default_factory=lambda: array("q"))
    tags: array[int] = field(default_factory=lambda: array("H"))
    texts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, columns: Columns) -> None:
        self.times.extend(columns.times)
        self.tags.extend(columns.tags)
        self.texts.append(columns.texts)
        self.size += len(columns.texts)

    @property
    def full(self) -> bool:
        return self.size >= BLOCK_BYTES or len(self.times) >= _BLOCK_LINES

    def record(self, sources: Mapping[int, Source]) -> bytes:
        return _packed(self.first, Columns(self.times, self.tags, b"\n".join(self.texts)), sources)


def packed_records(read: Read, found: Iterable[Head]) -> Iterator[bytes]:
    sources: dict[int, Source] = {}
    block: _Block | None = None
    for head in found:
        sources |= meta_of(read, head).sources
        if not head.count:
            continue
        block = block or _Block(head.first)
        block.add(columns_of(read, head))
        if block.full:
            yield block.record(sources)
            block = None
    if block:
        yield block.record(sources)


def thinned_records(read: Read, found: Iterable[Head], services: Collection[str]) -> Iterator[bytes]:
    """Packed ones without the lines of some services; numbers stay what they were."""
    for head in found:
        sources = meta_of(read, head).sources
        gone = {number for number, source in sources.items() if source.service in services}
        kept = {number: source for number, source in sources.items() if number not in gone}
        yield _packed(head.first, _without(columns_of(read, head), gone), kept)


def _packed(first: int, columns: Columns, sources: Mapping[int, Source]) -> bytes:
    sizes: Counter[int] = Counter()
    for tagged, length in zip(columns.tags, map(len, columns.texts.split(b"\n")), strict=True):
        sizes[tagged] += length + 1
    by_number: Counter[int] = Counter()
    for tagged, size in sizes.items():
        by_number[source_number(tagged)] += size
    used = {number: sources[number] for number in by_number if number in sources}
    return record(first, columns, Meta(used, sizes={number: by_number[number] for number in used}), packed=True)


def _without(columns: Columns, gone: Collection[int]) -> Columns:
    """What goes leaves a line without text, of nobody, so that it takes next to no room."""
    times, tags, texts, last = [], [], [], 0
    for moment, tagged, text in zip(columns.times, columns.tags, columns.texts.split(b"\n"), strict=True):
        away = source_number(tagged) in gone or not source_number(tagged)
        last = last if away and last else moment
        times.append(last)
        tags.append(0 if away else tagged)
        texts.append(b"" if away else text)
    return Columns.of(times, tags, texts)
