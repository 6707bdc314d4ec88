"""The one place that writes a new status: with it goes what must be told of it, in the same transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from cabestan.domain.outbox import Subject
from cabestan.domain.run import RunKind
from cabestan.store import outbox
from cabestan.store.schema import database_operations, deployments, jobs, managed_services, pipelines, projects, runs

_Row = sa.Row[tuple[object, ...]]
_TOLD = ("status", "kind", "project_id", "managed_service_id", "pipeline_id", "deployment_id")


class _Kind(NamedTuple):
    """Where a subject is kept, and what else open pages know a change of it by."""

    table: sa.Table
    within: Callable[[sa.Connection, _Row], tuple[str, ...]]


def transition(tx: sa.Connection, subject: Subject, key: int, status: str, now: datetime, **values: Any) -> None:
    """Gives it the status, and further columns their `values`."""
    former, topics = _standing(tx, subject, key)
    table = _KINDS[subject].table
    tx.execute(sa.update(table).where(table.c.id == key).values(status=status, **values))
    outbox.tell(tx, project_of(tx, former), now, *topics, subject=subject, key=key, former=former.status, status=status)


def arrived(tx: sa.Connection, subject: Subject, key: int, now: datetime) -> None:
    """It was just made, with its first status."""
    row, topics = _standing(tx, subject, key)
    outbox.tell(tx, project_of(tx, row), now, *topics, subject=subject, key=key, status=row.status)


def touched(tx: sa.Connection, subject: Subject, key: int, now: datetime) -> None:
    """Something else of it has changed."""
    row, topics = _standing(tx, subject, key)
    outbox.tell(tx, project_of(tx, row), now, *topics)


def _standing(tx: sa.Connection, subject: Subject, key: int) -> tuple[_Row, tuple[str, ...]]:
    """What is told of its row (not a plan or the like, which are large), and the topics of a change of it."""
    table, within = _KINDS[subject]
    columns = (table.c[name] for name in _TOLD if name in table.c)
    row = tx.execute(sa.select(*columns).where(table.c.id == key)).one()
    return row, (f"{subject}:{key}", *within(tx, row))


def project_of(tx: sa.Connection, row: _Row) -> int:
    if "project_id" in row._fields:
        return int(row.project_id)
    query = sa.select(managed_services.c.project_id).where(managed_services.c.id == row.managed_service_id)
    return int(tx.execute(query).scalar_one())


def _nothing(_tx: sa.Connection, _row: _Row) -> tuple[str, ...]:
    return ()


def _pipeline_of_job(_tx: sa.Connection, row: _Row) -> tuple[str, ...]:
    return (f"pipeline:{row.pipeline_id}",)


def _whole_of_run(tx: sa.Connection, row: _Row) -> tuple[str, ...]:
    """The deployment that it is a step of, or all schedules of its project."""
    if row.kind == RunKind.ONE_SHOT:
        return (f"deployment:{row.deployment_id}",)
    name = tx.execute(sa.select(projects.c.name).where(projects.c.id == row.project_id)).scalar_one()
    return (f"schedules:{name}",)


_KINDS = {
    Subject.PIPELINE: _Kind(pipelines, _nothing),
    Subject.JOB: _Kind(jobs, _pipeline_of_job),
    Subject.DEPLOYMENT: _Kind(deployments, _nothing),
    Subject.RUN: _Kind(runs, _whole_of_run),
    Subject.OPERATION: _Kind(database_operations, _nothing),
}
