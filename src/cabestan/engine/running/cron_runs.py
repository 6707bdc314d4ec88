"""Runs of schedules: each gets its turn, as many attempts as it takes, and may be ended before."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

import sqlalchemy as sa

from cabestan.domain.outbox import Subject
from cabestan.domain.run import Run
from cabestan.domain.status import RunStatus
from cabestan.engine.guard import guarded
from cabestan.engine.lost import LOST, take_up
from cabestan.engine.running import cron_alerts, service_runs
from cabestan.engine.services import Services
from cabestan.engine.turns.gate import Gate
from cabestan.engine.turns.line import Line, Places, Turn
from cabestan.engine.turns.places import Kind
from cabestan.errors import Conflict
from cabestan.store import runs as store
from cabestan.store import schedules
from cabestan.store.transitions import touched, transition

#: so many are started at the same time: more would make each of them later
_STARTS_AT_ONCE = 8
_REPLACED = "Replaced by run {run}, which was due."


class CronRunner:
    """The workflow of a run of a schedule: as many attempts as it takes, then the next one gets its turn."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._gate = Gate(_STARTS_AT_ONCE)

    def register(self) -> None:
        work = guarded(self._services, self.run, partial(fail, self._services))
        self._services.durable.register("cron", lambda run_id: work(run_id), self._turn)

    def _turn(self, run_id: int) -> Turn:
        with self._services.database.reading() as tx:
            return Turn(Kind.RUN, store.get(tx, run_id).project_id, run_id)

    def run(self, run_id: int) -> None:
        services, attempt = self._services, 0
        going = True
        while going:
            attempt += 1
            going = services.durable.step("cron.run", partial(self._attempt, run_id, attempt))
        services.durable.step("cron.end", partial(_end, services, run_id))

    def _attempt(self, run_id: int, attempt: int) -> bool:
        """True where another one is called for."""
        place = self._gate.place(self._turn(run_id).project)
        return not service_runs.perform(self._services, run_id, attempt, place).status.ended


def _end(services: Services, run_id: int) -> None:
    with services.database.reading() as tx:
        run = store.get(tx, run_id)
    cron_alerts.judge(services, run)
    start_waiting(services)


def fail(services: Services, run_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw."""
    with services.database.reading() as tx:
        run = store.get(tx, run_id)
    service_runs.end_lost(services, run, reason)
    _end(services, run_id)


def start_waiting(services: Services) -> None:
    """Gives the runs that wait their turn. May be called at any time, any number of times."""
    places = services.settings.parallel_runs
    with services.database.writing() as tx:
        running = store.running_of_schedules(tx)
        waiting = store.waiting_of_schedules(tx, max(0, places - len(running)))
        exclusive = schedules.exclusive(tx, (run.schedule_id for run in waiting if run.schedule_id is not None))
        chosen = next_runs((*running, *waiting), exclusive, places, services.durable.served(Kind.RUN))
        for run in chosen:
            transition(tx, Subject.RUN, run.id, RunStatus.RUNNING, services.now())
    for run in chosen:
        start_workflow(services, run)


def next_runs(
    present: tuple[Run, ...], exclusive: frozenset[int], places: int, served: Mapping[int, int] = MappingProxyType({})
) -> list[Run]:
    """Those that may start now: the projects in turn (`served` as for a line), of each the oldest first.

    Of `exclusive` schedules one runs at a time.
    """
    line = Line(Places(places, each=places), served=dict(served))
    running = [run for run in present if run.status is RunStatus.RUNNING]
    waiting = {str(run.id): run for run in present if run.status is RunStatus.CREATED}
    for run in running:
        line.hold(str(run.id), Turn(Kind.RUN, run.project_id))
    taken = {run.schedule_id for run in running}.intersection(exclusive)
    for name, run in waiting.items():
        if run.schedule_id not in taken:
            line.ask(name, Turn(Kind.RUN, run.project_id, run.id))
        if run.schedule_id in exclusive:
            taken.add(run.schedule_id)
    return [waiting[name] for name, _ in iter(line.next, None)]


def start_workflow(services: Services, run: Run) -> None:
    """Of one that has taken its turn; once, however often it is called."""
    services.durable.start("cron", f"cron-{run.id}", run.id)


def replace_former(tx: sa.Connection, schedule_id: int, now: datetime) -> list[Run]:
    """Ends the schedule's runs but for the newest: those that wait now, those that go on soon. Gives the latter."""
    *former, newest = store.open_of_schedule(tx, schedule_id)
    for run in former:
        _ask_to_end(tx, run, _REPLACED.format(run=newest.id), now)
    return [run for run in former if run.status is RunStatus.RUNNING]


def withdraw(tx: sa.Connection, schedule_id: int, now: datetime, reason: str) -> None:
    """Ends the schedule's runs that are prepared and not due yet."""
    for run in store.open_of_schedule(tx, schedule_id):
        if run.due_at and run.due_at > now:
            _ask_to_end(tx, run, reason, now)


def _ask_to_end(tx: sa.Connection, run: Run, reason: str, now: datetime) -> None:
    """One that waits its turn now, one that goes on soon."""
    if run.status is RunStatus.CREATED:
        transition(tx, Subject.RUN, run.id, RunStatus.CANCELED, now, reason=reason, finished_at=now)
    else:
        store.update(tx, run.id, cancel=reason)
        touched(tx, Subject.RUN, run.id, now)


def cancel(services: Services, run_id: int, by: str) -> Run:
    """Ends one that waits now, one that goes on soon."""
    with services.database.writing() as tx:
        run = store.get(tx, run_id)
        if run.status.ended:
            raise Conflict(f"Run {run_id} has ended already ({run.status}).", "Nothing is left to do.")
        _ask_to_end(tx, run, f"Canceled by {by}.", services.now())
        canceled = store.get(tx, run_id)
    if not canceled.status.ended:
        service_runs.stop_soon(services, canceled)
    return canceled


def reconcile(services: Services) -> None:
    """After the workflows were taken up again, at every start and when a full disk has room."""

    def running() -> tuple[Run, ...]:
        with services.database.reading() as tx:
            return store.running_of_schedules(tx)

    take_up(
        services.durable,
        running,
        lambda run: f"cron-{run.id}",
        lambda run: service_runs.end_lost(services, run, f"{LOST} Run it again."),
        lambda run: start_workflow(services, run),
    )
    start_waiting(services)
