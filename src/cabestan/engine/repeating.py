"""A thread that does something again and again, for as long as the server runs."""

import threading
from collections.abc import Callable

import structlog

from cabestan.engine.alarm import Alarm
from cabestan.errors import CabestanError

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 3.0


class Repeating:
    """Works whenever `alarm` rings, and at the latest after as many seconds as the last round said, or `seconds`.

    `work` is told whether it rang. Whatever it raises is logged, and after `again` seconds it is done again all the
    same, as if it had rung: the engine may be away, or the disk full.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[bool], float | None],
        seconds: float,
        *,
        alarm: Alarm | None = None,
        first: float = 0,
        again: float = 1,
    ) -> None:
        """`first`: seconds until the first round."""
        self._name = name
        self._work = work
        self._seconds = seconds
        self._first = first
        self._again = again
        self._alarm = alarm or Alarm()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopped(self) -> bool:
        """Work that takes long looks whether it is to end."""
        return self._stopped.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits a little for what is under way: the database is closed after this."""
        self._stopped.set()
        self._alarm.ring()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        rang = self._alarm.wait(self._first)
        while not self.stopped:
            rang = self._alarm.wait(self._round(rang))

    def _round(self, rang: bool) -> float:
        """The seconds until the next one."""
        try:
            seconds = self._work(rang)
        except Exception as error:
            trace = not isinstance(error, CabestanError)
            _log.warning("what is done again and again has to wait", what=self._name, error=repr(error), exc_info=trace)
            self._stopped.wait(self._again)
            self._alarm.ring()
            return 0
        return self._seconds if seconds is None else seconds


def every(name: str, work: Callable[[], object], seconds: float, first: float | None = None) -> Repeating:
    """`seconds` lie between an end and the next begin, also where it failed; `first` before the first one."""

    def once(_rang: bool) -> None:
        work()

    return Repeating(name, once, seconds, first=seconds if first is None else first, again=seconds)
