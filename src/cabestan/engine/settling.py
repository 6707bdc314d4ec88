"""Lets those who take a container away wait until what it said was read."""

import threading
from collections import deque

#: ended containers that are remembered
_REMEMBERED = 1000


class Settling:
    """Collectors tell, others wait. Where nobody collects, nobody waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._collecting = 0
        self._read: deque[str] = deque(maxlen=_REMEMBERED)

    def begin(self) -> None:
        with self._changed:
            self._collecting += 1

    def end(self) -> None:
        with self._changed:
            self._collecting -= 1
            self._changed.notify_all()

    def tell(self, container: str) -> None:
        """All that it said is read."""
        with self._changed:
            self._read.append(container)
            self._changed.notify_all()

    def wait(self, container: str, seconds: float) -> bool:
        """Whether it was read in that time."""
        with self._changed:
            return self._changed.wait_for(lambda: container in self._read or not self._collecting, seconds)
