"""Files that threads read from while others may be done with them."""

from __future__ import annotations

import os
from pathlib import Path


class OpenFile:
    """Open for as long as anybody holds it: it closes with its last holder, never under one.

    A descriptor that is closed while it is read from may be another file's by then.
    """

    def __init__(self, path: Path) -> None:
        self._number = -1
        self._number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._number

    def read(self, offset: int, limit: int) -> bytes:
        return os.pread(self._number, limit, offset)

    def __del__(self) -> None:
        if self._number >= 0:
            os.close(self._number)
