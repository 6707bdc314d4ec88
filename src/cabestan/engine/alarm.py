"""Wakes a thread that waits for a time, because what it waits for has changed."""

import threading


class Alarm:
    """One thread waits, any may ring; a ring before the wait counts too."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Until it rings, at most so long; whether it rang."""
        if not self._rung.wait(seconds):
            return False
        self._rung.clear()
        return True
