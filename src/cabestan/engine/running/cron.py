"""Schedules: they follow the release that serves, fall due, are paused, run now."""

from collections.abc import Callable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from cabestan.compose.cron import due_after, due_between
from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Plan
from cabestan.domain.environment import Environment
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Firing, Overlap, Schedule, Timetable, decide_firing, may_prepare
from cabestan.engine.running import cron_alerts, cron_runs, service_runs
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import outbox
from cabestan.store import runs as run_store
from cabestan.store import schedules as store

#: of the due times that passed unseen, so many are counted
_COUNTED = 1000


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
        cron_runs.withdraw(tx, schedule.id, services.now(), "The release that serves does not have it any more.")
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
    """Makes the runs of all of these that are due, or will be in a moment, each once per due time; how many.

    Everything in one transaction: the run and the schedule's next time stand or fall together.
    """
    now = services.now()
    replaced: list[Run] = []
    with services.database.writing() as tx:
        near = store.due(tx, ids, now + services.settings.lead)
        busy = run_store.busy_schedules(tx) if near else frozenset()
        due = [one for one in near if _is_due(one, now) or may_prepare(one, busy=one.id in busy)]
        decided = [(schedule, *_firing(services, schedule, now, schedule.id in busy)) for schedule in due]
        run_store.add(tx, [_row(schedule, firing, now) for schedule, firing, _ in decided])
        store.set_next_due(tx, [(schedule.id, later) for schedule, _, later in decided])
        for schedule, firing, _ in decided:
            if firing.replaces:
                replaced += cron_runs.replace_former(tx, schedule.id, now)
        for project_id, project in {(schedule.project_id, schedule.project) for schedule in due}:
            outbox.tell(tx, project_id, now, f"schedules:{project}")
    for run in replaced:
        service_runs.stop_soon(services, run)
    for schedule, firing, _ in decided:
        if firing.missed:
            cron_alerts.tell_missed(services, schedule, firing)
    return len(due)


def _is_due(schedule: Schedule, now: datetime) -> bool:
    return schedule.next_due is not None and schedule.next_due <= now


def _firing(services: Services, schedule: Schedule, now: datetime, busy: bool) -> tuple[Firing, datetime | None]:
    """What to do now, and when it is due next."""
    assert schedule.next_due is not None, "it would not be due"
    zone = zone_of(services, schedule.time_zone)
    until = max(now, schedule.next_due)
    times, later = due_between(schedule.timetable.expression, zone, schedule.next_due, until, _COUNTED)
    return decide_firing(schedule, times, now, busy=busy), later


def _row(schedule: Schedule, firing: Firing, now: datetime) -> dict[str, object]:
    return run_store.scheduled(
        schedule, due_at=firing.due, cause=firing.cause, by="", status=firing.status, reason=firing.reason, now=now
    )


def run_now(services: Services, schedule_id: int, by: str) -> Run:
    """At a person's wish, beside its times. Raises Conflict where another run has not ended and may not be joined."""
    with services.database.writing() as tx:
        schedule = store.get(tx, schedule_id)
        _check_present(schedule)
        runs = run_store.open_of_schedule(tx, schedule_id)
        if runs and schedule.timetable.overlap is Overlap.FORBID:
            raise _no_second(schedule, runs[0], services.now())
        row = run_store.scheduled(schedule, due_at=None, cause=Cause.ASKED, by=by, now=services.now())
        run_id = run_store.add_one(tx, row)
        replaces = schedule.timetable.overlap is Overlap.REPLACE
        replaced = cron_runs.replace_former(tx, schedule.id, services.now()) if replaces else []
    for former in replaced:
        service_runs.stop_soon(services, former)
    cron_runs.start_waiting(services)
    with services.database.reading() as tx:
        return run_store.get(tx, run_id)


def _no_second(schedule: Schedule, run: Run, now: datetime) -> Conflict:
    state = "begins in a moment" if run.due_at and run.due_at > now else "has not ended"
    return Conflict(
        f"A run of {schedule.service} {state}, and its schedule forbids two at once.",
        f"Wait for it, or cancel it: `cabestan cron history {schedule.service}` shows it.",
    )


def pause(services: Services, schedule_id: int, by: str) -> Schedule:
    """It is not due any more until somebody resumes it; what runs goes on, but for what was prepared and is not due."""
    reason = f"Its schedule was paused by {by}."
    paused = _change(
        services,
        schedule_id,
        lambda _schedule: {"paused_by": by, "next_due": None},
        also=lambda tx: cron_runs.withdraw(tx, schedule_id, services.now(), reason),
    )
    cron_alerts.forget(services, paused)
    return paused


def resume(services: Services, schedule_id: int) -> Schedule:
    """Due again from now on: what was not run meanwhile is not made up for."""
    return _change(
        services,
        schedule_id,
        lambda schedule: {"paused_by": "", "next_due": _next(services, schedule.time_zone, schedule.timetable)},
    )


def _change(
    services: Services,
    schedule_id: int,
    values: Callable[[Schedule], dict[str, object]],
    also: Callable[[sa.Connection], None] = lambda _tx: None,
) -> Schedule:
    with services.database.writing() as tx:
        schedule = store.get(tx, schedule_id)
        _check_present(schedule)
        store.update(tx, schedule_id, **values(schedule))
        also(tx)
        changed = store.get(tx, schedule_id)
        outbox.tell(tx, changed.project_id, services.now(), f"schedules:{changed.project}")
    services.alarm.ring()
    return changed


def _check_present(schedule: Schedule) -> None:
    if schedule.removed:
        raise Conflict(
            f"The release that serves on {schedule.environment} has no schedule {schedule.service} any more.",
            "Deploy a release that has it.",
        )
