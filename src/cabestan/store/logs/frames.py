"""Cold logs: independent gzip members of about 1 MiB each, which `zcat` reads as one, and where each of
them starts.
"""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cabestan.store.logs.layout import LogPaths
from cabestan.store.logs.open_file import OpenFile

#: bytes of the log in one frame
FRAME = 1 << 20
_PLACE = struct.Struct("<QQ")


@dataclass(frozen=True)
class Frames:
    """Where each frame starts, in the log and in the packed file; the last pair is their ends."""

    offsets: list[int]
    places: list[int]

    @classmethod
    def read(cls, path: Path) -> Frames:
        pairs = list(_PLACE.iter_unpack(path.read_bytes()))
        return cls([offset for offset, _ in pairs], [place for _, place in pairs])

    def at(self, offset: int) -> int:
        """The number of the frame that holds `offset`."""
        return bisect_right(self.offsets, offset) - 1

    def __len__(self) -> int:
        return len(self.offsets) - 1


class PackedFile:
    """Reads a packed log like a plain one; remembers the frame that was read last."""

    def __init__(self, file: OpenFile, frames: Frames) -> None:
        self._file = file
        self._frames = frames
        self._last: tuple[int, bytes] = (-1, b"")

    def read(self, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes, no more than one frame holds: fewer than `limit` do not mean the end."""
        number = self._frames.at(offset)
        if not 0 <= number < len(self._frames):
            return b""
        start = offset - self._frames.offsets[number]
        return self._frame(number)[start : start + limit]

    def _frame(self, number: int) -> bytes:
        last = self._last
        if last[0] != number:
            first, end = self._frames.places[number : number + 2]
            last = (number, gzip.decompress(self._file.read(first, end - first)))
            self._last = last
        return last[1]


def pack(paths: LogPaths, size: int) -> None:
    """Packs the first `size` bytes of a log and removes the plain file. Killed in between, it can be run
    again.
    """
    if paths.packed.exists():
        paths.log.unlink(missing_ok=True)
        return
    drafts = [path.with_name(path.name + ".new") for path in (paths.packed, paths.frames)]
    with open(paths.log, "rb") as log, open(drafts[0], "wb") as packed:
        places = [*_write_frames(log, size, packed), (size, packed.tell())]
        _to_disk(packed)
    with open(drafts[1], "wb") as frames:
        frames.write(b"".join(_PLACE.pack(*place) for place in places))
        _to_disk(frames)
    drafts[1].rename(paths.frames)
    drafts[0].rename(paths.packed)
    with suppress(FileNotFoundError):
        paths.log.unlink()


def unpack(paths: LogPaths) -> None:
    """Makes a packed log plain again, so that it takes more lines. Killed in between, it can be run again."""
    if not paths.packed.exists():
        return
    draft = paths.log.with_name(paths.log.name + ".new")
    with gzip.open(paths.packed, "rb") as packed, open(draft, "wb") as log:
        shutil.copyfileobj(packed, log, FRAME)
        _to_disk(log)
    draft.rename(paths.log)
    paths.packed.unlink()
    paths.frames.unlink(missing_ok=True)


def _write_frames(log: BinaryIO, size: int, packed: BinaryIO) -> Iterator[tuple[int, int]]:
    for offset in range(0, size, FRAME):
        yield offset, packed.tell()
        packed.write(_member(log.read(min(FRAME, size - offset))))


def _member(block: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return deflate.compress(block) + deflate.flush()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
