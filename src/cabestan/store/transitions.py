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


class _Kind(NamedTuple):
    """Where a subject is kept, and what else open pages know a change of it by."""

    table: sa.Table
    within: Callable[[sa.Connection, _Row], tuple[str, ...]]


def transition(tx: sa.Connection, subject: Subject, key: int, status: str, now: datetime, **values: Any) -> None:
    """Gives it the status, and further columns their `values`."""
    kind = _KINDS[subject]
    own = kind.table.c.id == key
    former = tx.execute(sa.select(kind.table).where(own)).one()
    tx.execute(sa.update(kind.table).where(own).values(status=status, **values))
    outbox.tell(
        tx,
        project_of(tx, former),
        now,
        f"{subject}:{key}",
        *kind.within(tx, former),
        subject=subject,
        key=key,
        former=former.status,
        status=status,
    )


def arrived(tx: sa.Connection, subject: Subject, key: int, now: datetime) -> None:
    """It was just made, with its first status."""
    kind = _KINDS[subject]
    row = tx.execute(sa.select(kind.table).where(kind.table.c.id == key)).one()
    topics = (f"{subject}:{key}", *kind.within(tx, row))
    outbox.tell(tx, project_of(tx, row), now, *topics, subject=subject, key=key, status=row.status)


def touched(tx: sa.Connection, subject: Subject, key: int, now: datetime) -> None:
    """Something else of it has changed."""
    kind = _KINDS[subject]
    row = tx.execute(sa.select(kind.table).where(kind.table.c.id == key)).one()
    outbox.tell(tx, project_of(tx, row), now, f"{subject}:{key}", *kind.within(tx, row))


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
