"""Variables and secrets: every version is kept, none is ever changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.configuration import Setting
from cabestan.errors import NotFound
from cabestan.store.schema import settings


def current(tx: sa.Connection, project_id: int) -> tuple[Setting, ...]:
    """The newest version of each name in each scope, without those that were removed."""
    newest = (
        sa.select(sa.func.max(settings.c.id))
        .where(settings.c.project_id == project_id)
        .group_by(settings.c.environment, settings.c.name)
    )
    query = sa.select(settings).where(settings.c.id.in_(newest), settings.c.removed.is_(False))
    return tuple(_value(row) for row in tx.execute(query.order_by(settings.c.name, settings.c.environment)))


def by_ids(tx: sa.Connection, ids: Iterable[int]) -> tuple[Setting, ...]:
    query = sa.select(settings).where(settings.c.id.in_(list(ids))).order_by(settings.c.name)
    return tuple(_value(row) for row in tx.execute(query))


def sealed(tx: sa.Connection, ids: Iterable[int]) -> Mapping[str, bytes]:
    """Name to sealed value, for secrets by the ids of their versions."""
    query = sa.select(settings.c.name, settings.c.sealed).where(settings.c.id.in_(list(ids)), settings.c.secret)
    return {row.name: row.sealed for row in tx.execute(query)}


def sealed_of_project(tx: sa.Connection, project_id: int) -> tuple[bytes, ...]:
    """All versions of all secrets, for what must not show them."""
    query = sa.select(settings.c.sealed).where(settings.c.project_id == project_id, settings.c.sealed.is_not(None))
    return tuple(tx.execute(query).scalars())


def add(
    tx: sa.Connection,
    project_id: int,
    environment: str,
    name: str,
    *,
    value: str = "",
    sealed: bytes | None = None,
    removed: bool = False,
    by: str,
    now: datetime,
) -> Setting:
    """A new version; of a secret where `sealed` is given."""
    row = {
        "project_id": project_id,
        "environment": environment,
        "name": name,
        "version": _highest_version(tx, project_id, environment, name) + 1,
        "secret": sealed is not None,
        "removed": removed,
        "value": value,
        "sealed": sealed,
        "by": by,
        "created_at": now,
    }
    return _value(tx.execute(sa.insert(settings).values(row).returning(settings)).one())


def remove(
    tx: sa.Connection, project_id: int, environment: str, name: str, *, secret: bool, by: str, now: datetime
) -> None:
    """Ends a name in its scope; its versions stay, for the deployments that used them."""
    present = (s for s in current(tx, project_id) if (s.environment, s.name, s.secret) == (environment, name, secret))
    if not any(present):
        kind = "secret" if secret else "variable"
        where = f"environment {environment}" if environment else "project"
        raise NotFound(f"There is no {kind} {name} in this {where}.", f"`cabestan {kind} list` shows them.")
    add(tx, project_id, environment, name, removed=True, by=by, now=now)


def _highest_version(tx: sa.Connection, project_id: int, environment: str, name: str) -> int:
    query = sa.select(sa.func.max(settings.c.version)).where(
        settings.c.project_id == project_id, settings.c.environment == environment, settings.c.name == name
    )
    return tx.execute(query).scalar() or 0


def _value(row: sa.Row[tuple[object, ...]]) -> Setting:
    return Setting(
        id=row.id,
        project_id=row.project_id,
        environment=row.environment,
        name=row.name,
        version=row.version,
        secret=row.secret,
        value=row.value,
        by=row.by,
        created_at=row.created_at,
    )
