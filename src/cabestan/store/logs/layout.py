"""How a log lies on disk.

`<id>.log` holds the bytes, only ever appended to. `<id>.idx` starts with a head of `HEAD_SIZE` bytes,
overwritten in place, and goes on with entries of `ENTRY_SIZE` bytes. What lies beyond the head's counts, in
either file, does not exist: a killed process may have left it there. A cold log is `<id>.log.gz` with
`<id>.frames` (see `frames`).
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
import zlib
from dataclasses import dataclass, replace
from enum import IntFlag
from pathlib import Path

from cabestan.errors import Invalid

HEAD_SIZE = 512
ENTRY = struct.Struct("<QQQ")
ENTRY_SIZE = ENTRY.size
#: magic, stored, raw, lines, entries, time, flags, source, notes; then the check sum
_HEAD = struct.Struct("<8sQQQQQI16s256s")
_CHECK = struct.Struct("<I")
_MAGIC = b"cablog\x001"
_NOTE_SIZE = 8
#: a head that is read while it is being written is read again
_TRIES = 200
#: so many keys of notes are remembered
NOTES_KEPT = 256 // _NOTE_SIZE


class Flag(IntFlag):
    """What is to be known of a log beside its counts."""

    #: nothing is appended any more
    ENDED = 1
    #: the largest size was reached, what followed was dropped
    FULL = 2
    #: the last byte is not a line end
    MID_LINE = 4


NOTHING = Flag(0)


@dataclass(frozen=True)
class Head:
    """The state of a log after an append."""

    #: bytes in the log
    stored: int = 0
    #: bytes used up of the present source's stream
    raw: int = 0
    #: line ends in the log
    lines: int = 0
    #: entries in the index
    entries: int = 0
    #: of the last append, in ms since 1970
    time_ms: int = 0
    flags: Flag = NOTHING
    #: hash of the source's name, zeros before the first one
    source: bytes = bytes(16)
    #: hashes of the last notes' keys
    notes: bytes = b""

    def has(self, flag: Flag) -> bool:
        return flag in self.flags

    def has_note(self, key: str) -> bool:
        wanted = _hash(key, _NOTE_SIZE)
        return any(self.notes[at : at + _NOTE_SIZE] == wanted for at in range(0, len(self.notes), _NOTE_SIZE))

    def with_note(self, key: str) -> Head:
        notes = self.notes + _hash(key, _NOTE_SIZE)
        return replace(self, notes=notes[-NOTES_KEPT * _NOTE_SIZE :])

    @property
    def lines_shown(self) -> int:
        """Lines with the last one, which may have no end yet."""
        return self.lines + self.has(Flag.MID_LINE)


@dataclass(frozen=True)
class Entry:
    """Where an append began: `lines` line ends lie before `offset`."""

    offset: int
    lines: int
    time_ms: int


@dataclass(frozen=True)
class LogPaths:
    """The files of one log."""

    log: Path
    index: Path
    packed: Path
    frames: Path

    @classmethod
    def of(cls, directory: Path, log_id: str) -> LogPaths:
        """Raises Invalid when `log_id` cannot be a file's name."""
        if not (log_id.replace("-", "").replace("_", "").isalnum() and log_id.isascii() and len(log_id) <= 100):
            raise Invalid(f"{log_id!r} is not the id of a log.", "Use letters, digits, '-' and '_'.")
        base = directory / log_id
        return cls(*(base.with_name(log_id + end) for end in (".log", ".idx", ".log.gz", ".frames")))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def source_hash(name: str) -> bytes:
    return _hash(name, 16)


def pack_head(head: Head) -> bytes:
    body = _HEAD.pack(
        _MAGIC,
        head.stored,
        head.raw,
        head.lines,
        head.entries,
        head.time_ms,
        head.flags,
        head.source,
        head.notes,
    )
    return body + _CHECK.pack(zlib.crc32(body))


def unpack_head(data: bytes) -> Head | None:
    """None when `data` is not a whole head: there is none yet, or it was read while it was being written."""
    if len(data) < _HEAD.size + _CHECK.size:
        return None
    body = data[: _HEAD.size]
    if _CHECK.unpack_from(data, _HEAD.size) != (zlib.crc32(body),) or not body.startswith(_MAGIC):
        return None
    _, stored, raw, lines, entries, time_ms, flags, source, notes = _HEAD.unpack(body)
    return Head(stored, raw, lines, entries, time_ms, Flag(flags), source, _without_padding(notes))


def read_head(index: int) -> Head | None:
    """The head in the file descriptor `index`; None when there is none yet."""
    for attempt in range(_TRIES):
        data = os.pread(index, HEAD_SIZE, 0)
        if not data or (head := unpack_head(data)):
            return head if data else None
        if attempt > _TRIES // 2:
            time.sleep(0.001)  # the writer was interrupted in the middle of its write: let it go on
    raise Invalid("The head of a log's index is damaged.", "Restore the .idx file from a backup, or delete the log.")


def pack_entry(entry: Entry) -> bytes:
    return ENTRY.pack(entry.offset, entry.lines, entry.time_ms)


def read_entries(index: int, first: int, count: int) -> list[Entry]:
    """Up to `count` entries from the `first` on."""
    data = os.pread(index, count * ENTRY_SIZE, HEAD_SIZE + first * ENTRY_SIZE)
    return [Entry(*fields) for fields in ENTRY.iter_unpack(data[: len(data) // ENTRY_SIZE * ENTRY_SIZE])]


def _hash(name: str, size: int) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=size).digest()


def _without_padding(notes: bytes) -> bytes:
    kept = [notes[at : at + _NOTE_SIZE] for at in range(0, len(notes), _NOTE_SIZE)]
    return b"".join(note for note in kept if any(note))
