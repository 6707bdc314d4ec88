"""The clock: a thread that wakes when a schedule is due, and one that starts what is due, so that neither waits."""

import heapq
import threading
from datetime import datetime

import structlog

from cabestan.engine import cron, cron_runs
from cabestan.engine.alarm import Alarm
from cabestan.engine.services import Services
from cabestan.store import schedules as store

_log = structlog.get_logger(__name__)
#: the wall clock is looked at this often, in case somebody puts it forward or back (seconds)
_LOOK_SECONDS = 1.0
#: after an error, such as a database that does not answer
_AGAIN_SECONDS = 1.0
_STOP_SECONDS = 3.0


class Clock:
    """Runs for as long as the server does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopped = threading.Event()
        self._starting = Alarm()
        self._threads = (
            threading.Thread(target=self._fire_what_is_due, name="clock", daemon=True),
            threading.Thread(target=self._start_what_was_fired, name="clock-starts", daemon=True),
        )

    def start(self) -> None:
        self._services.alarm.ring()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Waits a little for what is under way: the database is closed after this."""
        self._stopped.set()
        self._services.alarm.ring()
        self._starting.ring()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_STOP_SECONDS)

    def _fire_what_is_due(self) -> None:
        waiting: list[tuple[datetime, int]] = []
        while not self._stopped.is_set():
            rang = self._services.alarm.wait(self._until(waiting))
            try:
                if rang:
                    waiting = self._waiting()
                if ids := due_of(waiting, self._services.now()):
                    cron.fire(self._services, ids)
                    self._starting.ring()
                    waiting = self._waiting()
            except Exception:
                _log.exception("the clock has to look again")
                self._stopped.wait(_AGAIN_SECONDS)
                self._services.alarm.ring()

    def _waiting(self) -> list[tuple[datetime, int]]:
        with self._services.database.reading() as tx:
            waiting = list(store.waiting(tx))
        heapq.heapify(waiting)
        return waiting

    def _until(self, waiting: list[tuple[datetime, int]]) -> float:
        """Seconds to sleep."""
        if not waiting:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(0.0, (waiting[0][0] - self._services.now()).total_seconds()))

    def _start_what_was_fired(self) -> None:
        """First what the last process left."""
        begin = cron_runs.reconcile
        self._starting.ring()
        while not self._stopped.is_set():
            if self._starting.wait(_LOOK_SECONDS * 60):
                try:
                    begin(self._services)
                    begin = cron_runs.go_on
                except Exception:
                    _log.exception("starting what is due has to wait")
                    self._stopped.wait(_AGAIN_SECONDS)
                    self._starting.ring()


def due_of(waiting: list[tuple[datetime, int]], now: datetime) -> list[int]:
    """Takes those that are due from the heap."""
    ids = []
    while waiting and waiting[0][0] <= now:
        ids.append(heapq.heappop(waiting)[1])
    return ids
