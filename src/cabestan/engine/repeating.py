"""A thread that does something every so often, for as long as the server runs."""

import threading
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)


class Repeating:
    """`seconds` lie between an end and the next begin, `first` before the first one.

    Whatever the work raises is logged, and it is done again all the same: the engine may be away, or the disk full.
    """

    def __init__(self, name: str, work: Callable[[], object], seconds: float, first: float | None = None) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._first = seconds if first is None else first
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        pause = self._first
        while not self._stopped.wait(pause):
            pause = self._seconds
            try:
                self._work()
            except Exception as error:
                _log.warning("what is done again and again has to wait", what=self._name, error=repr(error))
