"""What the process prints: without secrets, and without ever failing what it tells of."""

from __future__ import annotations

import io
import sys
import threading
from contextlib import suppress
from typing import TextIO

from cabestan.domain.known_secrets import KnownSecrets

#: characters of a line that has no end yet, at most
_LONGEST_LINE = 1 << 20


class MaskedOutput(io.TextIOBase):
    """Stands before a stream. Each line goes on when it is whole, with the secrets known by then masked.

    A line that cannot be written, for the disk is full, is lost without an error.
    """

    def __init__(self, stream: TextIO, known: KnownSecrets) -> None:
        self._stream = stream
        self._known = known
        self._begun = ""
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        with self._lock:
            whole, end, self._begun = (self._begun + text).rpartition("\n")
            if len(self._begun) > _LONGEST_LINE:
                whole, self._begun = whole + end + self._begun, ""
            if whole or end:
                self._pass_on(whole + end)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def close(self) -> None:
        """What it stands before stays open."""
        with self._lock:
            if self._begun:
                self._pass_on(self._begun)
                self._begun = ""

    def _pass_on(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(self._known.mask(text))
            self._stream.flush()


def mask_output(known: KnownSecrets) -> None:
    """From now on, for all that is printed or logged in this process, by whichever library."""
    sys.stdout = MaskedOutput(sys.stdout, known)
    sys.stderr = MaskedOutput(sys.stderr, known)
