"""Schedules: they follow the release that serves, fall due, are paused, run now; and their runs get their turn."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from cabestan.compose.cron import due_after, due_between
from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Plan
from cabestan.domain.environment import Environment
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Firing, Overlap, Schedule, Timetable, decide_firing
from cabestan.domain.status import RunStatus
from cabestan.engine import cron_alerts, service_runs
from cabestan.engine.guard import guarded
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import runs as run_store
from cabestan.store import schedules as store

#: of the due times that passed unseen, so many are counted
_COUNTED = 1000
#: so many are started at the same time: more would make each of them later
_STARTS_AT_ONCE = 8
_REPLACED = "Replaced by run {run}, which was due."


class CronRunner:
    """The workflow of a run of a schedule: as many attempts as it takes, then the next one gets its turn."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._places = threading.BoundedSemaphore(_STARTS_AT_ONCE)

    def register(self) -> None:
        work = guarded(self._services, self.run, partial(fail, self._services))
        self._services.durable.register("cron", lambda run_id: work(run_id))

    def run(self, run_id: int) -> None:
        services, attempt = self._services, 0
        going = True
        while going:
            attempt += 1
            going = services.durable.step("cron.run", partial(self._attempt, run_id, attempt))
        services.durable.step("cron.end", partial(_end, services, run_id))

    def _attempt(self, run_id: int, attempt: int) -> bool:
        """True where another one is called for."""
        return not service_runs.perform(self._services, run_id, attempt, self._places).status.ended


def _end(services: Services, run_id: int) -> None:
    with services.database.reading() as tx:
        run = run_store.get(tx, run_id)
    cron_alerts.judge(services, run)
    go_on(services)


def fail(services: Services, run_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw."""
    with services.database.reading() as tx:
        run = run_store.get(tx, run_id)
    service_runs.end_lost(services, run, reason)
    _end(services, run_id)


def timetables(plan: Plan, default_seconds: int) -> tuple[Timetable, ...]:
    """What the services of a plan's stack ask for."""
    return tuple(
        Timetable(
            service=name,
            expression=found["schedule"],
            command=found["run"].replace("$$", "$"),
            overlap=Overlap(found["overlap"]),
            seconds=found["timeout_seconds"] or default_seconds,
            retries=found["retries"],
        )
        for name, found in Stack.from_yaml(plan.stack).cron.items()
    )


def follow_release(
    services: Services, tx: sa.Connection, environment: Environment, deployment_id: int, plan: Plan
) -> tuple[Schedule, ...]:
    """The environment's schedules become those of the deployment that serves now; gives those that are gone.

    One whose times stay the same misses none of them; one that is paused stays so. Call `followed` after the
    transaction.
    """
    known = {schedule.service: schedule for schedule in store.of_environment(tx, environment.id)}
    wanted = {timetable.service: timetable for timetable in timetables(plan, services.settings.run_seconds)}
    for service, timetable in wanted.items():
        former = known.get(service)
        same_times = former and not former.removed and former.timetable.expression == timetable.expression
        due = former.next_due if former and same_times else _next(services, environment.time_zone, timetable)
        if former and former.paused_by:
            due = None
        store.put(tx, environment, deployment_id, timetable, due)
    gone = tuple(s for service, s in known.items() if service not in wanted and not s.removed)
    for schedule in gone:
        store.update(tx, schedule.id, removed=True, next_due=None, paused_by="")
    return gone


def followed(services: Services, gone: tuple[Schedule, ...]) -> None:
    """Has the clock look at the new times."""
    services.alarm.ring()
    for schedule in gone:
        cron_alerts.forget(services, schedule)


def _next(services: Services, zone: str, timetable: Timetable) -> datetime | None:
    return due_after(timetable.expression, zone_of(services, zone), services.now())


def zone_of(services: Services, name: str) -> ZoneInfo:
    return ZoneInfo(name or services.settings.time_zone)


def change_zone(services: Services, tx: sa.Connection, environment: Environment) -> None:
    """The environment has another time zone: its schedules fall due by it. Call `ring` after the transaction."""
    for schedule in store.of_environment(tx, environment.id):
        if not schedule.removed and not schedule.paused_by:
            store.update(tx, schedule.id, next_due=_next(services, environment.time_zone, schedule.timetable))


def fire(services: Services, ids: Iterable[int]) -> int:
    """Makes the runs of all of these that are due, each once per due time; how many were due.

    Everything in one transaction: the run and the schedule's next time stand or fall together.
    """
    now = services.now()
    replaced: list[Run] = []
    with services.database.writing() as tx:
        due = store.due(tx, ids, now)
        busy = run_store.busy_schedules(tx) if due else frozenset()
        decided = [(schedule, *_firing(services, schedule, now, schedule.id in busy)) for schedule in due]
        run_store.add(tx, [_row(schedule, firing, now) for schedule, firing, _ in decided])
        store.set_next_due(tx, [(schedule.id, later) for schedule, _, later in decided])
        for schedule, firing, _ in decided:
            if firing.replaces:
                replaced += _replace(tx, schedule.id, now)
    for run in replaced:
        service_runs.stop_soon(services, run)
    for schedule, firing, _ in decided:
        if firing.missed:
            cron_alerts.tell_missed(services, schedule, firing)
    for project in {schedule.project for schedule in due}:
        services.changes.publish(project, f"schedules:{project}")
    return len(due)


def _firing(services: Services, schedule: Schedule, now: datetime, busy: bool) -> tuple[Firing, datetime | None]:
    """What to do now, and when it is due next."""
    assert schedule.next_due is not None, "it would not be due"
    zone = zone_of(services, schedule.time_zone)
    times, later = due_between(schedule.timetable.expression, zone, schedule.next_due, now, _COUNTED)
    return decide_firing(schedule, times, now, busy=busy), later


def _row(schedule: Schedule, firing: Firing, now: datetime) -> dict[str, object]:
    return run_store.scheduled(
        schedule, due_at=firing.due, cause=firing.cause, by="", status=firing.status, reason=firing.reason, now=now
    )


def _replace(tx: sa.Connection, schedule_id: int, now: datetime) -> list[Run]:
    """Ends the schedule's runs but for the newest: those that wait now, those that go on soon. Gives the latter."""
    *former, newest = run_store.open_of_schedule(tx, schedule_id)
    reason = _REPLACED.format(run=newest.id)
    for run in former:
        if run.status is RunStatus.CREATED:
            run_store.update(tx, run.id, status=RunStatus.CANCELED, reason=reason, finished_at=now)
        else:
            run_store.update(tx, run.id, cancel=reason)
    return [run for run in former if run.status is RunStatus.RUNNING]


def go_on(services: Services) -> None:
    """Gives the runs that wait their turn. May be called at any time, any number of times."""
    places = services.settings.parallel_runs
    with services.database.writing() as tx:
        running = run_store.running_of_schedules(tx)
        waiting = run_store.waiting_of_schedules(tx, max(0, places - len(running)))
        exclusive = store.exclusive(tx, (run.schedule_id for run in waiting if run.schedule_id is not None))
        chosen = next_runs((*running, *waiting), exclusive, places)
        run_store.set_running(tx, (run.id for run in chosen))
    for run in chosen:
        start_workflow(services, run)


def next_runs(present: tuple[Run, ...], exclusive: frozenset[int], places: int) -> list[Run]:
    """Those that may start now, the oldest first. Of `exclusive` schedules one runs at a time."""
    running = [run for run in present if run.status is RunStatus.RUNNING]
    taken = {run.schedule_id for run in running}
    chosen: list[Run] = []
    for run in present:
        free = run.schedule_id not in exclusive or run.schedule_id not in taken
        if run.status is RunStatus.CREATED and free and len(running) + len(chosen) < places:
            chosen.append(run)
            taken.add(run.schedule_id)
    return chosen


def start_workflow(services: Services, run: Run) -> None:
    """Of one that has taken its turn; once, however often it is called."""
    services.durable.start("cron", f"cron-{run.id}", run.id)


def run_now(services: Services, schedule_id: int, by: str) -> Run:
    """At a person's wish, beside its times. Raises Conflict where another run has not ended and may not be joined."""
    with services.database.writing() as tx:
        schedule = store.get(tx, schedule_id)
        _check_present(schedule)
        if schedule.id in run_store.busy_schedules(tx) and schedule.timetable.overlap is Overlap.FORBID:
            raise Conflict(
                f"A run of {schedule.service} has not ended, and its schedule forbids two at once.",
                f"Wait for it, or cancel it: `cabestan cron history {schedule.service}` shows it.",
            )
        row = run_store.scheduled(schedule, due_at=None, cause=Cause.ASKED, by=by, now=services.now())
        run_id = run_store.add_one(tx, row)
        replaces = schedule.timetable.overlap is Overlap.REPLACE
        replaced = _replace(tx, schedule.id, services.now()) if replaces else []
    for former in replaced:
        service_runs.stop_soon(services, former)
    go_on(services)
    with services.database.reading() as tx:
        run = run_store.get(tx, run_id)
    service_runs.publish(services, run)
    return run


def pause(services: Services, schedule_id: int, by: str) -> Schedule:
    """It is not due any more until somebody resumes it; what runs goes on."""
    paused = _change(services, schedule_id, lambda _schedule: {"paused_by": by, "next_due": None})
    cron_alerts.forget(services, paused)
    return paused


def resume(services: Services, schedule_id: int) -> Schedule:
    """Due again from now on: what was not run meanwhile is not made up for."""
    return _change(
        services,
        schedule_id,
        lambda schedule: {"paused_by": "", "next_due": _next(services, schedule.time_zone, schedule.timetable)},
    )


def _change(services: Services, schedule_id: int, values: Callable[[Schedule], dict[str, object]]) -> Schedule:
    with services.database.writing() as tx:
        schedule = store.get(tx, schedule_id)
        _check_present(schedule)
        store.update(tx, schedule_id, **values(schedule))
        changed = store.get(tx, schedule_id)
    services.alarm.ring()
    services.changes.publish(changed.project, f"schedules:{changed.project}")
    return changed


def _check_present(schedule: Schedule) -> None:
    if schedule.removed:
        raise Conflict(
            f"The release that serves on {schedule.environment} has no schedule {schedule.service} any more.",
            "Deploy a release that has it.",
        )


def cancel_run(services: Services, run_id: int, by: str) -> Run:
    """Ends one that waits now, one that goes on soon."""
    with services.database.writing() as tx:
        run = run_store.get(tx, run_id)
        if run.status.ended:
            raise Conflict(f"Run {run_id} has ended already ({run.status}).", "Nothing is left to do.")
        reason = f"Canceled by {by}."
        if run.status is RunStatus.CREATED:
            run_store.update(tx, run_id, status=RunStatus.CANCELED, reason=reason, finished_at=services.now())
        else:
            run_store.update(tx, run_id, cancel=reason)
        canceled = run_store.get(tx, run_id)
    if not canceled.status.ended:
        service_runs.stop_soon(services, canceled)
    service_runs.publish(services, canceled)
    return canceled


def reconcile(services: Services) -> None:
    """After the workflows were taken up again, at every start and when a full disk has room."""
    alive = services.durable.alive()
    with services.database.reading() as tx:
        running = run_store.running_of_schedules(tx)
    begun = [run for run in running if f"cron-{run.id}" not in alive]
    for run in begun:
        start_workflow(services, run)
    _end_what_is_stuck(services, begun)
    go_on(services)


def _end_what_is_stuck(services: Services, begun: Iterable[Run]) -> None:
    """Of what was just asked to begin, that whose workflow had ended: nothing would ever end it.

    Only of these: the clock may give another one its turn at any moment, before its workflow is there. A workflow that
    ended in between has written the run's end.
    """
    alive = services.durable.alive()
    with services.database.reading() as tx:
        still = {run.id for run in run_store.running_of_schedules(tx)}
    for run in begun:
        if run.id in still and f"cron-{run.id}" not in alive:
            service_runs.end_lost(services, run, "Its work was lost in a restart. Run it again.")
