"""Numbers of rows: one that was given is never given again, though its row was deleted.

Workflows, containers and people's links know things by their numbers. PostgreSQL counts on by itself; SQLite goes on
after the highest number that there is, unless it is told how far it had come.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from cabestan.store.schema import (
    backups,
    database_operations,
    deployments,
    environments,
    jobs,
    managed_services,
    pipelines,
    projects,
    releases,
    runs,
    schedules,
    used_ids,
    users,
)

_NUMBERED = frozenset(
    {
        backups,
        database_operations,
        deployments,
        environments,
        jobs,
        managed_services,
        pipelines,
        projects,
        releases,
        runs,
        schedules,
        users,
    }
)


def numbered(tx: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with their numbers where the database does not give them itself."""
    if tx.dialect.name != "sqlite" or table not in _NUMBERED:
        return [dict(row) for row in rows]
    return [{"id": number, **row} for number, row in enumerate(rows, _last(tx, table) + 1)]


def note_used(tx: sa.Connection) -> None:
    """To be called before rows are deleted, in the same transaction."""
    if tx.dialect.name == "sqlite":
        for table in _NUMBERED:
            last = _last(tx, table)
            tx.execute(sa.delete(used_ids).where(used_ids.c.name == table.name))
            tx.execute(sa.insert(used_ids).values(name=table.name, last=last))


def _last(tx: sa.Connection, table: sa.Table) -> int:
    present = sa.select(sa.func.max(table.c.id)).scalar_subquery()
    noted = sa.select(used_ids.c.last).where(used_ids.c.name == table.name).scalar_subquery()
    return max(key or 0 for key in tx.execute(sa.select(present, noted)).one())
