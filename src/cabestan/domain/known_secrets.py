"""The secret values that a process has had in its hands, to keep them out of what it says of itself."""

from __future__ import annotations

import threading

from cabestan.domain.redaction import Redactor

#: of more values, those that were not used for the longest time are forgotten
_MOST = 10_000


class KnownSecrets:
    """Grows while the process runs. Safe to use from any thread."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        #: in the order of their last use
        self._values: dict[str, None] = {}
        self._lock = threading.Lock()
        self._redactor: Redactor | None = None

    def add(self, *values: str) -> None:
        with self._lock:
            for value in values:
                if value in self._values:
                    del self._values[value]
                else:
                    self._redactor = None
                self._values[value] = None
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]

    def mask(self, text: str) -> str:
        """The text without them, in none of the forms that a Redactor knows."""
        with self._lock:
            self._redactor = self._redactor or Redactor(self._values)
            redactor = self._redactor
        return redactor.text(text)
