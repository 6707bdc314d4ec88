"""Appending to a log, exactly once, whenever the process is killed."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace

from cabestan.domain.redaction import Redactor
from cabestan.errors import Conflict
from cabestan.store.logs.layout import (
    ENTRY_SIZE,
    HEAD_SIZE,
    Entry,
    Flag,
    Head,
    LogPaths,
    now_ms,
    pack_entry,
    pack_head,
    read_entries,
    read_head,
    source_hash,
)

#: a log's largest size (bytes)
LARGEST = 512 << 20
#: an index entry is made after so many bytes or ms
ENTRY_BYTES = 64 << 10
ENTRY_MS = 1000
#: appended at once
_BLOCK = 256 << 10


class LogWriter:
    """The one writer of a log. Bytes first, then the index entry, then the head: what the head does not
    count is cut.

    `attach(source)` says how many bytes of that source's stream are used up: drop so many from its start,
    and `feed` the rest. Bytes that may begin a secret wait for those that follow; `finish` appends them at
    the stream's end. After an error (a full disk raises OSError) attach again.
    """

    def __init__(self, paths: LogPaths, redactor: Redactor | None = None, largest: int = LARGEST) -> None:
        """Raises Conflict when the log has another writer, or is packed away."""
        if paths.packed.exists():
            raise Conflict(f"The log {paths.log.name} is compressed and takes no more lines.", "Start a new one.")
        self._redactor = redactor or Redactor()
        self._largest = largest
        self._index = _open(paths.index)
        self._lock(paths)
        self._log = _open(paths.log)
        self._pending = b""
        self._entry = Entry(0, 0, 0)
        self._head = self._recovered(read_head(self._index) or Head())
        os.pwrite(self._index, pack_head(self._head), 0)

    @property
    def head(self) -> Head:
        return self._head

    def attach(self, source: str) -> int:
        """Names the stream that is fed from now on; the number of its first bytes to drop. Ends a former
        one.
        """
        if self._head.source == source_hash(source):
            self._pending = b""
        else:
            self.finish()
            flags = self._head.flags & ~Flag.ENDED
            self._write_head(replace(self._head, source=source_hash(source), raw=0, flags=flags))
        return self._head.raw

    def feed(self, block: bytes) -> None:
        """Appends what is certain of the stream so far, `\\r\\n` as `\\n`, secrets masked."""
        data = self._pending + block
        whole = data[:-1] if data.endswith(b"\r") else data
        text = whole.replace(b"\r\n", b"\n")
        shown, used = self._redactor.redact_start(text)
        self._pending = data[len(whole) - _raw_length(whole, len(text) - used) :]
        if used:
            self._append(shown, len(data) - len(self._pending))

    def finish(self) -> None:
        """The stream has ended: what was held back is appended too."""
        if self._pending:
            raw, text = len(self._pending), self._pending.replace(b"\r\n", b"\n")
            self._pending = b""
            self._append(self._redactor.redact(text), raw)

    def note(self, text: str, key: str) -> bool:
        """Appends a line of the platform's own, once per `key`; False when it is there already."""
        if self._head.has_note(key):
            return False
        shown = self._redactor.redact(text.rstrip("\n").encode("utf-8", "replace"))
        self._store(_line_start(self._head) + shown + b"\n", self._head.with_note(key))
        return True

    def end(self) -> None:
        """Nothing follows: the log is on disk, also when the machine stops now."""
        self.finish()
        os.ftruncate(self._log, self._head.stored)
        os.fdatasync(self._log)
        self._write_head(replace(self._head, flags=self._head.flags | Flag.ENDED))
        os.fdatasync(self._index)

    def close(self) -> None:
        """Leaves the log as a kill would: what is held back is read again from the source."""
        os.close(self._log)
        os.close(self._index)

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self, paths: LogPaths) -> None:
        try:
            fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._index)
            raise Conflict(
                f"The log {paths.log.name} has a writer already.", "Wait until that one has ended."
            ) from error

    def _recovered(self, head: Head) -> Head:
        """Cuts both files to what the head counts."""
        size = os.fstat(self._log).st_size
        if size < head.stored:
            head = self._after_a_power_cut(head, size)
        os.ftruncate(self._log, head.stored)
        os.ftruncate(self._index, HEAD_SIZE + head.entries * ENTRY_SIZE)
        return head

    def _after_a_power_cut(self, head: Head, size: int) -> Head:
        """The head reached the disk and the last bytes did not: counts what is there, and says so in the
        log.
        """
        kept = os.pread(self._log, size, 0)
        words = kept + b"\n(some lines were lost when the machine stopped)\n"
        _write_all(self._log, words[size:], size)
        entries = [entry for entry in read_entries(self._index, 0, head.entries) if entry.offset < size]
        flags = head.flags & ~Flag.MID_LINE
        return replace(head, stored=len(words), lines=words.count(b"\n"), entries=len(entries), flags=flags)

    def _append(self, text: bytes, raw: int) -> None:
        after = replace(self._head, raw=self._head.raw + raw)
        if self._head.has(Flag.FULL):
            self._write_head(after)
        elif len(text) <= self._largest - self._head.stored:
            self._store(text, after)
        else:
            self._store_the_last(text, replace(after, flags=after.flags | Flag.FULL))

    def _store_the_last(self, text: bytes, after: Head) -> None:
        room = max(0, self._largest - after.stored)
        kept = text[: text.rfind(b"\n", 0, room) + 1]
        words = f"(the log has reached {self._largest} bytes: what follows is not kept)\n".encode()
        self._store((kept or _line_start(after)) + words, after)

    def _store(self, text: bytes, after: Head) -> None:
        """Appends in blocks; the head is written once, after them, so that a kill in between keeps none of
        them.
        """
        head = after
        for at in range(0, len(text), _BLOCK):
            block = text[at : at + _BLOCK]
            _write_all(self._log, block, head.stored)
            head = self._advanced(head, block)
        self._write_head(head)

    def _advanced(self, head: Head, block: bytes) -> Head:
        now = now_ms()
        entries = head.entries + self._index_entry(head, now)
        flags = head.flags & ~Flag.MID_LINE if block.endswith(b"\n") else head.flags | Flag.MID_LINE
        return replace(
            head,
            stored=head.stored + len(block),
            lines=head.lines + block.count(b"\n"),
            entries=entries,
            time_ms=now,
            flags=flags,
        )

    def _index_entry(self, head: Head, now: int) -> int:
        """Makes an entry for the block at the head's end where one is due: 1 when it did."""
        last = self._entry
        if head.entries and head.stored - last.offset < ENTRY_BYTES and 0 <= now - last.time_ms < ENTRY_MS:
            return 0
        self._entry = Entry(head.stored, head.lines, now)
        os.pwrite(self._index, pack_entry(self._entry), HEAD_SIZE + head.entries * ENTRY_SIZE)
        return 1

    def _write_head(self, head: Head) -> None:
        os.pwrite(self._index, pack_head(head), 0)
        self._head = head


def _open(path: os.PathLike[str]) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _write_all(file: int, data: bytes, offset: int) -> None:
    """A full disk raises OSError here, before the head counts anything."""
    written = os.pwrite(file, data, offset)
    while written < len(data):
        written += os.pwrite(file, data[written:], offset + written)


def _line_start(head: Head) -> bytes:
    return b"\n" if head.has(Flag.MID_LINE) else b""


def _raw_length(raw: bytes, held: int) -> int:
    """How many bytes at the end of `raw` became the last `held` bytes, when `\\r\\n` became `\\n`."""
    at = len(raw)
    for _ in range(held):
        at -= 2 if raw[at - 2 : at] == b"\r\n" else 1
    return len(raw) - at
