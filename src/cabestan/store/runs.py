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
from cabestan.store.ids import numbered
from cabestan.store.rows import PLACE, Rows, placed
from cabestan.store.schema import deployments, releases, runs, schedules
from cabestan.store.transitions import arrived

#: projects count first in this, each with its oldest
_CONSIDERED = 1000
_OPEN = (RunStatus.CREATED, RunStatus.RUNNING)
#: of schedules, those that have taken their turn and not ended
_UNDER_WAY = (runs.c.status == RunStatus.RUNNING, runs.c.kind == RunKind.CRON)
_RUNS = Rows(
    Run,
    runs,
    placed(runs)
    .join(deployments, deployments.c.id == runs.c.deployment_id)
    .join(releases, releases.c.id == deployments.c.release_id),
    **PLACE,
    release=releases.c.number,
)


def one_shot(tx: sa.Connection, deployment_id: int, service: str) -> Run | None:
    """What a deployment ran of a service, or runs; None while it has not begun."""
    return _RUNS.find(tx, *_once(deployment_id), runs.c.service == service)


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
    return _RUNS.all(tx, *_once(deployment_id), by=(runs.c.id,))


def _once(deployment_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (runs.c.deployment_id == deployment_id, runs.c.kind == RunKind.ONE_SHOT)


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
        tx.execute(
            insert(runs).on_conflict_do_nothing(index_elements=["schedule_id", "due_at"]), numbered(tx, runs, rows)
        )


def add_one(tx: sa.Connection, row: dict[str, Any]) -> int:
    key = _RUNS.add(tx, **row)
    arrived(tx, Subject.RUN, key, row["created_at"])
    return key


def get(tx: sa.Connection, run_id: int) -> Run:
    return _RUNS.get(tx, run_id, no_run)


def no_run(run_id: int) -> NotFound:
    return NotFound(f"There is no run {run_id}.", "`cabestan cron history` lists those of a schedule.")


def of_schedule(tx: sa.Connection, schedule_id: int, *, before: int | None = None, limit: int = 50) -> tuple[Run, ...]:
    """The newest first; `before` is the id of the last one on the page before."""
    return _RUNS.newest(tx, runs.c.schedule_id == schedule_id, before=before, limit=limit)


def latest(tx: sa.Connection, schedule_ids: Iterable[int]) -> dict[int, Run]:
    """The newest run of each schedule, by the schedule's id."""
    newest = sa.select(sa.func.max(runs.c.id)).where(runs.c.schedule_id.in_(list(schedule_ids)))
    keys = tx.execute(newest.group_by(runs.c.schedule_id)).scalars().all()
    return {run.schedule_id: run for run in _RUNS.all(tx, runs.c.id.in_(keys)) if run.schedule_id is not None}


def open_of_schedule(tx: sa.Connection, schedule_id: int) -> tuple[Run, ...]:
    """Those that have not ended, the oldest first."""
    return _RUNS.all(tx, runs.c.status.in_(_OPEN), runs.c.schedule_id == schedule_id, by=(runs.c.id,))


def open_in(tx: sa.Connection, environment_id: int) -> tuple[Run, ...]:
    """Those of an environment that have not ended, the oldest first."""
    return _RUNS.all(tx, runs.c.status.in_(_OPEN), runs.c.environment_id == environment_id, by=(runs.c.id,))


def running_of_schedules(tx: sa.Connection) -> tuple[Run, ...]:
    """Those that have taken their turn and not ended, the oldest first."""
    return _RUNS.all(tx, *_UNDER_WAY, by=(runs.c.id,))


def waiting_of_schedules(tx: sa.Connection, limit: int) -> tuple[Run, ...]:
    """Those that wait for their turn, of each project the oldest; not of a schedule that runs now and runs once at a
    time.

    Of each as many as are wanted and no more: thousands may wait.
    """
    running = sa.select(runs.c.schedule_id).where(*_UNDER_WAY)
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
    query = _RUNS.query.join(ranked, ranked.c.id == runs.c.id).where(ranked.c.place <= limit)
    return _RUNS.read(tx, query.order_by(ranked.c.place, runs.c.id).limit(_CONSIDERED))


def open_ids(tx: sa.Connection) -> frozenset[int]:
    return frozenset(tx.execute(sa.select(runs.c.id).where(runs.c.status.in_(_OPEN))).scalars())


def busy_schedules(tx: sa.Connection) -> frozenset[int]:
    """The ids of the schedules of which a run has not ended."""
    query = sa.select(runs.c.schedule_id).where(runs.c.status.in_(_OPEN), runs.c.schedule_id.is_not(None))
    return frozenset(key for key in tx.execute(query).scalars() if key is not None)


def update(tx: sa.Connection, run_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    _RUNS.update(tx, run_id, **values)


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
