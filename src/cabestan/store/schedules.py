"""Schedules of the environments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.schedule import Overlap, Schedule, Timetable
from cabestan.errors import NotFound
from cabestan.store.ids import numbered
from cabestan.store.rows import PLACE, Rows, columns_of, placed
from cabestan.store.schema import environments, schedules

_SCHEDULES = Rows(Schedule, schedules, placed(schedules), **PLACE, time_zone=environments.c.time_zone)
_IN_USE = (schedules.c.removed.is_(False), schedules.c.paused_by == "")


def of_project(tx: sa.Connection, project_id: int, environment_id: int | None = None) -> tuple[Schedule, ...]:
    """Those of the releases that serve, in the order of environments and names."""
    here = () if environment_id is None else (schedules.c.environment_id == environment_id,)
    where = (schedules.c.project_id == project_id, schedules.c.removed.is_(False), *here)
    return _SCHEDULES.all(tx, *where, by=(environments.c.position, schedules.c.service))


def of_environment(tx: sa.Connection, environment_id: int) -> tuple[Schedule, ...]:
    """All that it has and had."""
    return _SCHEDULES.all(tx, schedules.c.environment_id == environment_id)


def get(tx: sa.Connection, schedule_id: int) -> Schedule:
    return _SCHEDULES.get(tx, schedule_id, no_schedule)


def no_schedule(schedule_id: int) -> NotFound:
    return NotFound(f"There is no schedule {schedule_id}.", "`cabestan cron list` shows those of a project.")


def waiting(tx: sa.Connection) -> tuple[tuple[datetime, int], ...]:
    """Due time and id of all that will be due."""
    query = sa.select(schedules.c.next_due, schedules.c.id).where(*_IN_USE, schedules.c.next_due.is_not(None))
    return tuple((row.next_due, row.id) for row in tx.execute(query))


def exclusive(tx: sa.Connection, ids: Iterable[int]) -> frozenset[int]:
    """Of these, those of which one run goes on at a time."""
    query = sa.select(schedules.c.id).where(schedules.c.id.in_(list(ids)), schedules.c.overlap != Overlap.ALLOW)
    return frozenset(tx.execute(query).scalars())


def due(tx: sa.Connection, ids: Iterable[int], now: datetime) -> tuple[Schedule, ...]:
    """Of these, those that are due."""
    where = (schedules.c.id.in_(list(ids)), *_IN_USE, schedules.c.next_due <= now)
    return _SCHEDULES.all(tx, *where, by=(schedules.c.next_due, schedules.c.id))


def put(
    tx: sa.Connection, environment: Environment, deployment_id: int, timetable: Timetable, next_due: datetime | None
) -> None:
    """The environment's schedule for the service, new or changed; whether it is paused stays."""
    values = {
        "project_id": environment.project_id,
        "environment_id": environment.id,
        "deployment_id": deployment_id,
        "next_due": next_due,
        "removed": False,
        **columns_of(schedules, timetable),
    }
    place = sa.and_(schedules.c.environment_id == environment.id, schedules.c.service == timetable.service)
    if not tx.execute(sa.update(schedules).where(place).values(values)).rowcount:
        tx.execute(sa.insert(schedules), numbered(tx, schedules, [values]))


def update(tx: sa.Connection, schedule_id: int, **values: Any) -> None:
    _SCHEDULES.update(tx, schedule_id, **values)


def set_next_due(tx: sa.Connection, times: Iterable[tuple[int, datetime | None]]) -> None:
    """Many at once: id and time."""
    rows = [{"key": key, "due": due} for key, due in times]
    if rows:
        query = sa.update(schedules).where(schedules.c.id == sa.bindparam("key"))
        tx.execute(query.values(next_due=sa.bindparam("due", type_=schedules.c.next_due.type)), rows)
