"""The files of one journal: `NUMBER.open`, which grows, and `NUMBER.packed`, which are never written again.

The number is that of the first line. A kill while one is packed leaves both; then the packed one is the whole of it,
unless it is the newest: that one is still open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cabestan.store.journal.query import Query
from cabestan.store.journal.records import Head, Read, heads, known_words
from cabestan.store.logs.open_file import OpenFile

OPEN, PACKED = ".open", ".packed"
_DIGITS = 15


@dataclass(frozen=True, order=True)
class Segment:
    first: int
    path: Path

    @property
    def packed(self) -> bool:
        return self.path.suffix == PACKED


def segment_path(folder: Path, first: int, suffix: str) -> Path:
    return folder / f"{first:0{_DIGITS}}{suffix}"


def segments_in(folder: Path) -> list[Segment]:
    """The oldest first."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    newest = max((name for name in names if name.endswith(OPEN)), default="").removesuffix(OPEN)
    packed = {name.removesuffix(PACKED) for name in names if name.endswith(PACKED)} - {newest}
    still_open = {name.removesuffix(OPEN) for name in names if name.endswith(OPEN)} - packed
    found = [Segment(int(name), folder / f"{name}{PACKED}") for name in packed]
    found += [Segment(int(name), folder / f"{name}{OPEN}") for name in still_open]
    return sorted(found)


def superfluous_in(folder: Path) -> Iterable[Path]:
    """What a kill left while a segment was packed."""
    used = {segment.path for segment in segments_in(folder)}
    return [path for path in folder.iterdir() if path not in used]


def may_match(read: Read, head: Head, query: Query) -> bool:
    """By the times and the words of a packed record, or of all that follow a summary."""
    if head.newest < query.since or (query.until is not None and head.oldest >= query.until):
        return False
    return not head.packed or not query.words or query.may_be_in(known_words(read, head))


class SegmentFile:
    """For reading."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.read = OpenFile(segment.path).read

    def heads(self) -> tuple[Head, ...]:
        return tuple(heads(self.read))

    def may_match(self, query: Query) -> bool:
        """Whether it can have lines that do; of what is packed, by its summary."""
        head = self.head(0) if self.segment.packed else None
        return head is None or may_match(self.read, head, query)

    def ended_before(self, time: int) -> bool:
        """Whether all that was said in it is older."""
        head = self.head(0) if self.segment.packed else None
        return head is not None and head.newest < time

    def head(self, at: int) -> Head | None:
        """Of the record that begins there, where one does."""
        return next(heads(self.read, at), None)
