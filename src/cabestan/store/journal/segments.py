"""The files of one journal: `NUMBER.open`, which grows, and `NUMBER.packed`, which are never written again.

The number is that of the first line. A kill while one is packed leaves both; then the packed one is the whole of it,
unless it is the newest: that one is still open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cabestan.store.journal.records import Head, heads
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


class SegmentFile:
    """For reading."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.read = OpenFile(segment.path).read

    def heads(self) -> tuple[Head, ...]:
        return tuple(heads(self.read))

    def head(self, at: int) -> Head | None:
        """Of the record that begins there, where one does."""
        return next(heads(self.read, at), None)
