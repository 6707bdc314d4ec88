"""Schedules of the environments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.schedule import Overlap, Schedule, Timetable
from cabestan.errors import NotFound
from cabestan.store.schema import environments, projects, schedules

_WITH_NAMES = (
    sa.select(
        schedules,
        projects.c.name.label("project"),
        environments.c.name.label("environment"),
        environments.c.time_zone.label("time_zone"),
    )
    .join_from(schedules, projects)
    .join(environments, environments.c.id == schedules.c.environment_id)
)


def of_project(tx: sa.Connection, project_id: int, environment_id: int | None = None) -> tuple[Schedule, ...]:
    """Those of the releases that serve, in the order of environments and names."""
    query = _WITH_NAMES.where(schedules.c.project_id == project_id, schedules.c.removed.is_(False))
    if environment_id is not None:
        query = query.where(schedules.c.environment_id == environment_id)
    order = (environments.c.position, schedules.c.service)
    return tuple(_value(row) for row in tx.execute(query.order_by(*order)))


def of_environment(tx: sa.Connection, environment_id: int) -> tuple[Schedule, ...]:
    """All that it has and had."""
    return tuple(_value(row) for row in tx.execute(_WITH_NAMES.where(schedules.c.environment_id == environment_id)))


def get(tx: sa.Connection, schedule_id: int) -> Schedule:
    row = tx.execute(_WITH_NAMES.where(schedules.c.id == schedule_id)).one_or_none()
    if not row:
        raise no_schedule(schedule_id)
    return _value(row)


def no_schedule(schedule_id: int) -> NotFound:
    return NotFound(f"There is no schedule {schedule_id}.", "`cabestan cron list` shows those of a project.")


def waiting(tx: sa.Connection) -> tuple[tuple[datetime, int], ...]:
    """Due time and id of all that will be due."""
    query = sa.select(schedules.c.next_due, schedules.c.id).where(
        schedules.c.removed.is_(False), schedules.c.paused_by == "", schedules.c.next_due.is_not(None)
    )
    return tuple((row.next_due, row.id) for row in tx.execute(query))


def exclusive(tx: sa.Connection, ids: Iterable[int]) -> frozenset[int]:
    """Of these, those of which one run goes on at a time."""
    query = sa.select(schedules.c.id).where(schedules.c.id.in_(list(ids)), schedules.c.overlap != Overlap.ALLOW)
    return frozenset(tx.execute(query).scalars())


def due(tx: sa.Connection, ids: Iterable[int], now: datetime) -> tuple[Schedule, ...]:
    """Of these, those that are due."""
    query = _WITH_NAMES.where(
        schedules.c.id.in_(list(ids)),
        schedules.c.removed.is_(False),
        schedules.c.paused_by == "",
        schedules.c.next_due <= now,
    )
    return tuple(_value(row) for row in tx.execute(query.order_by(schedules.c.next_due, schedules.c.id)))


def put(
    tx: sa.Connection, environment: Environment, deployment_id: int, timetable: Timetable, next_due: datetime | None
) -> None:
    """The environment's schedule for the service, new or changed; whether it is paused stays."""
    values = {
        "project_id": environment.project_id,
        "environment_id": environment.id,
        "deployment_id": deployment_id,
        "service": timetable.service,
        "expression": timetable.expression,
        "command": timetable.command,
        "overlap": timetable.overlap,
        "seconds": timetable.seconds,
        "retries": timetable.retries,
        "next_due": next_due,
        "removed": False,
    }
    place = sa.and_(schedules.c.environment_id == environment.id, schedules.c.service == timetable.service)
    if not tx.execute(sa.update(schedules).where(place).values(values)).rowcount:
        tx.execute(sa.insert(schedules).values(values))


def update(tx: sa.Connection, schedule_id: int, **values: Any) -> None:
    tx.execute(sa.update(schedules).where(schedules.c.id == schedule_id).values(values))


def set_next_due(tx: sa.Connection, times: Iterable[tuple[int, datetime | None]]) -> None:
    """Many at once: id and time."""
    rows = [{"key": key, "due": due} for key, due in times]
    if rows:
        query = sa.update(schedules).where(schedules.c.id == sa.bindparam("key"))
        tx.execute(query.values(next_due=sa.bindparam("due", type_=schedules.c.next_due.type)), rows)


def _value(row: sa.Row[tuple[object, ...]]) -> Schedule:
    timetable = Timetable(row.service, row.expression, row.command, Overlap(row.overlap), row.seconds, row.retries)
    return Schedule(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        environment_id=row.environment_id,
        environment=row.environment,
        deployment_id=row.deployment_id,
        timetable=timetable,
        time_zone=row.time_zone,
        next_due=row.next_due,
        paused_by=row.paused_by,
        removed=row.removed,
    )
