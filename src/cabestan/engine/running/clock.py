"""The clock: a thread that wakes when a schedule is due, and one that starts what is due, so that neither waits."""

import heapq
from datetime import datetime
from typing import NamedTuple

from cabestan.engine.alarm import Alarm
from cabestan.engine.repeating import Repeating
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.services import Services
from cabestan.store import schedules as store

#: the wall clock is looked at this often, in case somebody puts it forward or back (seconds)
_LOOK_SECONDS = 1.0


class Wake(NamedTuple):
    """When to look at a schedule, and when it is due."""

    at: datetime
    schedule: int
    due: datetime


class Clock:
    """Runs for as long as the server does."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._starting = Alarm()
        #: of what was looked at ahead of its time: when it is due
        self._prepared: dict[int, datetime] = {}
        self._waiting: list[Wake] = []
        #: first what the last process left
        self._begin = cron_runs.reconcile
        self._threads = (
            Repeating("clock", self._fire_what_is_due, _LOOK_SECONDS, alarm=services.alarm),
            Repeating("clock-starts", self._start_what_was_fired, _LOOK_SECONDS * 60, alarm=self._starting),
        )

    def start(self) -> None:
        self._services.alarm.ring()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for thread in self._threads:
            thread.stop()

    def _fire_what_is_due(self, rang: bool) -> float:
        """Whatever it raises, it looks at all schedules again then."""
        if rang:
            self._waiting = self._all()
        if near := woken(self._waiting, self._services.now()):
            cron.fire(self._services, [wake.schedule for wake in near])
            self._prepared.update({wake.schedule: wake.due for wake in near})
            self._starting.ring()
            self._waiting = self._all()
        return self._until(self._waiting)

    def _all(self) -> list[Wake]:
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

    def _start_what_was_fired(self, _rang: bool) -> None:
        self._begin(self._services)
        self._begin = cron_runs.start_waiting


def woken(waiting: list[Wake], now: datetime) -> list[Wake]:
    """Takes those whose time has come from the heap."""
    found = []
    while waiting and waiting[0].at <= now:
        found.append(heapq.heappop(waiting))
    return found
