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
    summary,
    words_of,
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

    @property
    def columns(self) -> Columns:
        return Columns(self.times, self.tags, b"\n".join(self.texts))


@dataclass(frozen=True)
class _Part:
    """Of a segment: one packed record."""

    first: int
    columns: Columns
    sources: Mapping[int, Source]

    @property
    def meta(self) -> Meta:
        sizes: Counter[int] = Counter()
        for tagged, length in zip(self.columns.tags, map(len, self.columns.texts.split(b"\n")), strict=True):
            sizes[tagged] += length + 1
        by_number: Counter[int] = Counter()
        for tagged, size in sizes.items():
            by_number[source_number(tagged)] += size
        used = {number: self.sources[number] for number in by_number if number in self.sources}
        return Meta(used, sizes={number: by_number[number] for number in used})


def packed_records(read: Read, found: Iterable[Head]) -> Iterator[bytes]:
    """Of an open segment."""
    return _written(_parts(read, found))


def thinned_records(read: Read, found: Iterable[Head], services: Collection[str]) -> Iterator[bytes]:
    """Of a packed one, without the lines of some services; numbers stay what they were."""
    parts = []
    for head in found:
        sources = meta_of(read, head).sources
        gone = {number for number, source in sources.items() if source.service in services}
        kept = {number: source for number, source in sources.items() if number not in gone}
        if head.count:
            parts.append(_Part(head.first, _without(columns_of(read, head), gone), kept))
    return _written(parts)


def _parts(read: Read, found: Iterable[Head]) -> Iterator[_Part]:
    sources: dict[int, Source] = {}
    block: _Block | None = None
    for head in found:
        sources |= meta_of(read, head).sources
        if not head.count:
            continue
        block = block or _Block(head.first)
        block.add(columns_of(read, head))
        if block.full:
            yield _Part(block.first, block.columns, sources)
            block = None
    if block:
        yield _Part(block.first, block.columns, sources)


def _written(parts: Iterable[_Part]) -> Iterator[bytes]:
    """A summary comes first: a record without lines, with the sources, sizes, times and words of all."""
    told, sizes, sources = [(part, part.meta) for part in parts], Counter[int](), dict[int, Source]()
    for _, meta in told:
        sources |= meta.sources
        sizes.update(meta.sizes)
    if told:
        times = [moment for part, _ in told for moment in (min(part.columns.times), max(part.columns.times))]
        words = b"\n".join(words_of(part.columns.texts) for part, _ in told)
        yield summary(told[0][0].first, (min(times), max(times)), Meta(sources, sizes=sizes), words_of(words))
    for part, meta in told:
        yield record(part.first, part.columns, meta, packed=True)


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
