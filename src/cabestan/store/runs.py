"""Runs of services that end."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from cabestan.domain.outbox import Subject
from cabestan.domain.run import Cause, Run, RunKind
from cabestan.domain.schedule import Overlap, Schedule
from cabestan.domain.status import RunStatus
from cabestan.errors import NotFound
from cabestan.store.schema import deployments, environments, projects, releases, runs, schedules
from cabestan.store.transitions import arrived

#: projects count first in this, each with its oldest
_CONSIDERED = 1000
_OPEN = (RunStatus.CREATED, RunStatus.RUNNING)
_WITH_NAMES = (
    sa.select(
        runs,
        projects.c.name.label("project"),
        environments.c.name.label("environment"),
        environments.c.target,
        releases.c.number.label("release"),
    )
    .join_from(runs, projects)
    .join(environments, environments.c.id == runs.c.environment_id)
    .join(deployments, deployments.c.id == runs.c.deployment_id)
    .join(releases, releases.c.id == deployments.c.release_id)
)


def one_shot(tx: sa.Connection, deployment_id: int, service: str) -> Run | None:
    """What a deployment ran of a service, or runs; None while it has not begun."""
    query = _WITH_NAMES.where(
        runs.c.deployment_id == deployment_id, runs.c.service == service, runs.c.kind == RunKind.ONE_SHOT
    )
    row = tx.execute(query).one_or_none()
    return _value(row) if row else None


def add_one_shot(
    tx: sa.Connection,
    *,
    project_id: int,
    environment_id: int,
    deployment_id: int,
    service: str,
    by: str,
    seconds: int,
    now: datetime,
) -> Run:
    row = {
        "kind": RunKind.ONE_SHOT,
        "project_id": project_id,
        "environment_id": environment_id,
        "deployment_id": deployment_id,
        "service": service,
        "cause": Cause.DEPLOYMENT,
        "by": by,
        "status": RunStatus.CREATED,
        "seconds": seconds,
        "created_at": now,
    }
    return get(tx, add_one(tx, row))


def of_deployment(tx: sa.Connection, deployment_id: int) -> tuple[Run, ...]:
    """What it ran once, in the order in which it began."""
    query = _WITH_NAMES.where(runs.c.deployment_id == deployment_id, runs.c.kind == RunKind.ONE_SHOT)
    return tuple(_value(row) for row in tx.execute(query.order_by(runs.c.id)))


def scheduled(
    schedule: Schedule,
    *,
    due_at: datetime | None,
    cause: Cause,
    by: str,
    now: datetime,
    status: RunStatus = RunStatus.CREATED,
    reason: str = "",
) -> dict[str, Any]:
    """The row of a run of a schedule, for `add`."""
    return {
        "kind": RunKind.CRON,
        "project_id": schedule.project_id,
        "environment_id": schedule.environment_id,
        "deployment_id": schedule.deployment_id,
        "service": schedule.service,
        "schedule_id": schedule.id,
        "due_at": due_at,
        "cause": cause,
        "by": by,
        "status": status,
        "reason": reason,
        "attempts": schedule.timetable.retries + 1,
        "seconds": schedule.timetable.seconds,
        "created_at": now,
        "finished_at": now if status.ended else None,
    }


def add(tx: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Those whose due time has no run yet: the clock may have been put back."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    if rows:
        tx.execute(insert(runs).on_conflict_do_nothing(index_elements=["schedule_id", "due_at"]), rows)


def add_one(tx: sa.Connection, row: dict[str, Any]) -> int:
    key = int(tx.execute(sa.insert(runs).values(row).returning(runs.c.id)).scalar_one())
    arrived(tx, Subject.RUN, key, row["created_at"])
    return key


def get(tx: sa.Connection, run_id: int) -> Run:
    row = tx.execute(_WITH_NAMES.where(runs.c.id == run_id)).one_or_none()
    if not row:
        raise no_run(run_id)
    return _value(row)


def no_run(run_id: int) -> NotFound:
    return NotFound(f"There is no run {run_id}.", "`cabestan cron history` lists those of a schedule.")


def of_schedule(tx: sa.Connection, schedule_id: int, *, before: int | None = None, limit: int = 50) -> tuple[Run, ...]:
    """The newest first; `before` is the id of the last one on the page before."""
    query = _WITH_NAMES.where(runs.c.schedule_id == schedule_id).order_by(runs.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(runs.c.id < before)
    return tuple(_value(row) for row in tx.execute(query))


def latest(tx: sa.Connection, schedule_ids: Iterable[int]) -> dict[int, Run]:
    """The newest run of each schedule, by the schedule's id."""
    newest = sa.select(sa.func.max(runs.c.id)).where(runs.c.schedule_id.in_(list(schedule_ids)))
    keys = tx.execute(newest.group_by(runs.c.schedule_id)).scalars().all()
    found = (_value(row) for row in tx.execute(_WITH_NAMES.where(runs.c.id.in_(keys))))
    return {run.schedule_id: run for run in found if run.schedule_id is not None}


def open_of_schedule(tx: sa.Connection, schedule_id: int) -> tuple[Run, ...]:
    """Those that have not ended, the oldest first."""
    query = _WITH_NAMES.where(runs.c.status.in_(_OPEN), runs.c.schedule_id == schedule_id).order_by(runs.c.id)
    return tuple(_value(row) for row in tx.execute(query))


def running_of_schedules(tx: sa.Connection) -> tuple[Run, ...]:
    """Those that have taken their turn and not ended, the oldest first."""
    query = _WITH_NAMES.where(runs.c.status == RunStatus.RUNNING, runs.c.kind == RunKind.CRON).order_by(runs.c.id)
    return tuple(_value(row) for row in tx.execute(query))


def waiting_of_schedules(tx: sa.Connection, limit: int) -> tuple[Run, ...]:
    """Those that wait for their turn, of each project the oldest; not of a schedule that runs now and runs once at a
    time.

    Of each as many as are wanted and no more: thousands may wait.
    """
    running = sa.select(runs.c.schedule_id).where(runs.c.status == RunStatus.RUNNING, runs.c.kind == RunKind.CRON)
    place = sa.func.row_number().over(partition_by=runs.c.project_id, order_by=runs.c.id)
    ranked = (
        sa.select(runs.c.id, place.label("place"))
        .join_from(runs, schedules, schedules.c.id == runs.c.schedule_id)
        .where(
            runs.c.status == RunStatus.CREATED,
            runs.c.kind == RunKind.CRON,
            sa.or_(schedules.c.overlap == Overlap.ALLOW, runs.c.schedule_id.not_in(running)),
        )
        .subquery()
    )
    query = _WITH_NAMES.join(ranked, ranked.c.id == runs.c.id).where(ranked.c.place <= limit)
    return tuple(_value(row) for row in tx.execute(query.order_by(ranked.c.place, runs.c.id).limit(_CONSIDERED)))


def open_ids(tx: sa.Connection) -> frozenset[int]:
    return frozenset(tx.execute(sa.select(runs.c.id).where(runs.c.status.in_(_OPEN))).scalars())


def busy_schedules(tx: sa.Connection) -> frozenset[int]:
    """The ids of the schedules of which a run has not ended."""
    query = sa.select(runs.c.schedule_id).where(runs.c.status.in_(_OPEN), runs.c.schedule_id.is_not(None))
    return frozenset(key for key in tx.execute(query).scalars() if key is not None)


def update(tx: sa.Connection, run_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    tx.execute(sa.update(runs).where(runs.c.id == run_id).values(values))


def cancel_reason(tx: sa.Connection, run_id: int) -> str:
    """Why it shall end before its time; empty where it shall not."""
    return str(tx.execute(sa.select(runs.c.cancel).where(runs.c.id == run_id)).scalar_one())


def ended_between(tx: sa.Connection, start: datetime, end: datetime) -> tuple[int, ...]:
    query = sa.select(runs.c.id).where(runs.c.finished_at >= start, runs.c.finished_at < end)
    return tuple(tx.execute(query.order_by(runs.c.id)).scalars())


def superfluous(tx: sa.Connection, kept: int) -> tuple[int, ...]:
    """Of each schedule all but its newest `kept` runs, of which only ended ones count."""
    ranked = sa.select(
        runs.c.id,
        sa.func.row_number().over(partition_by=runs.c.schedule_id, order_by=runs.c.id.desc()).label("place"),
    ).where(runs.c.schedule_id.is_not(None), runs.c.status.not_in(_OPEN))
    inner = ranked.subquery()
    return tuple(tx.execute(sa.select(inner.c.id).where(inner.c.place > kept)).scalars())


def delete(tx: sa.Connection, run_id: int) -> None:
    tx.execute(sa.delete(runs).where(runs.c.id == run_id))


def _value(row: sa.Row[tuple[object, ...]]) -> Run:
    return Run(
        id=row.id,
        kind=RunKind(row.kind),
        project_id=row.project_id,
        project=row.project,
        environment_id=row.environment_id,
        environment=row.environment,
        target=row.target,
        deployment_id=row.deployment_id,
        release=row.release,
        service=row.service,
        schedule_id=row.schedule_id,
        due_at=row.due_at,
        cause=Cause(row.cause),
        by=row.by,
        status=RunStatus(row.status),
        reason=row.reason,
        attempt=row.attempt,
        attempts=row.attempts,
        seconds=row.seconds,
        created_at=row.created_at,
        started_at=row.started_at,
        attempt_at=row.attempt_at,
        finished_at=row.finished_at,
    )
