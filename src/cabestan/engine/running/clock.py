"""The clock: a thread that wakes when a schedule is due, and one that starts what is due, so that neither waits."""

import heapq
import threading
from datetime import datetime
from typing import NamedTuple

import structlog

from cabestan.engine.alarm import Alarm
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.services import Services
from cabestan.store import schedules as store

_log = structlog.get_logger(__name__)
#: the wall clock is looked at this often, in case somebody puts it forward or back (seconds)
_LOOK_SECONDS = 1.0
#: after an error, such as a database that does not answer
_AGAIN_SECONDS = 1.0
_STOP_SECONDS = 3.0


class Wake(NamedTuple):
    """When to look at a schedule, and when it is due."""

    at: datetime
    schedule: int
    due: datetime


class Clock:
    """Runs for as long as the server does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopped = threading.Event()
        self._starting = Alarm()
        #: of what was looked at ahead of its time: when it is due
        self._prepared: dict[int, datetime] = {}
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
        waiting: list[Wake] = []
        while not self._stopped.is_set():
            rang = self._services.alarm.wait(self._until(waiting))
            try:
                if rang:
                    waiting = self._waiting()
                if near := woken(waiting, self._services.now()):
                    cron.fire(self._services, [wake.schedule for wake in near])
                    self._prepared.update({wake.schedule: wake.due for wake in near})
                    self._starting.ring()
                    waiting = self._waiting()
            except Exception:
                _log.exception("the clock has to look again")
                self._stopped.wait(_AGAIN_SECONDS)
                self._services.alarm.ring()

    def _waiting(self) -> list[Wake]:
        with self._services.database.reading() as tx:
            found = store.waiting(tx)
        waiting = [Wake(self._look_at(schedule, due), schedule, due) for due, schedule in found]
        heapq.heapify(waiting)
        return waiting

    def _look_at(self, schedule: int, due: datetime) -> datetime:
        """Ahead of its time, to prepare it, and where that could not be, when it is due."""
        return due if self._prepared.get(schedule) == due else due - self._services.settings.lead

    def _until(self, waiting: list[Wake]) -> float:
        """Seconds to sleep."""
        if not waiting:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(0.0, (waiting[0].at - self._services.now()).total_seconds()))

    def _start_what_was_fired(self) -> None:
        """First what the last process left."""
        begin = cron_runs.reconcile
        self._starting.ring()
        while not self._stopped.is_set():
            if self._starting.wait(_LOOK_SECONDS * 60):
                try:
                    begin(self._services)
                    begin = cron_runs.start_waiting
                except Exception:
                    _log.exception("starting what is due has to wait")
                    self._stopped.wait(_AGAIN_SECONDS)
                    self._starting.ring()


def woken(waiting: list[Wake], now: datetime) -> list[Wake]:
    """Takes those whose time has come from the heap."""
    found = []
    while waiting and waiting[0].at <= now:
        found.append(heapq.heappop(waiting))
    return found
