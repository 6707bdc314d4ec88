"""Alerts: at most one is open for a kind and subject."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.alert import Alert
from cabestan.store.rows import PROJECT_OR_NONE, Rows
from cabestan.store.schema import alerts, projects

_ALERTS = Rows(Alert, alerts, alerts.outerjoin(projects), project=PROJECT_OR_NONE)


def put(
    tx: sa.Connection,
    kind: str,
    subject: str,
    message: str,
    remedy: str,
    project_id: int | None,
    now: datetime,
    words: str = "",
) -> bool:
    """Opens it, or renews the words of the one that is open. True where anything changed."""
    told = {"message": message, "remedy": remedy, "project_id": project_id, "words": words}
    present = tx.execute(sa.select(alerts).where(_is_open(kind, subject))).one_or_none()
    if present is None:
        row = {"kind": kind, "subject": subject, "raised_at": now, **told}
        tx.execute(sa.insert(alerts).values(row))
        return True
    if all(getattr(present, name) == value for name, value in told.items()):
        return False
    tx.execute(sa.update(alerts).where(alerts.c.id == present.id).values(told))
    return True


def clear(tx: sa.Connection, key: int, now: datetime) -> None:
    """One that was cleared already keeps its time."""
    tx.execute(sa.update(alerts).where(alerts.c.id == key, alerts.c.cleared_at.is_(None)).values(cleared_at=now))


def find_open(tx: sa.Connection, kind: str, subject: str) -> Alert | None:
    return _ALERTS.find(tx, _is_open(kind, subject))


def find(tx: sa.Connection, key: int) -> Alert | None:
    return _ALERTS.find(tx, alerts.c.id == key)


def newest(tx: sa.Connection, kind: str, subject: str) -> Alert | None:
    """The last one of a kind and subject, open or not."""
    return _ALERTS.latest(tx, alerts.c.kind == kind, alerts.c.subject == subject)


def all_open(tx: sa.Connection, kind: str = "") -> tuple[Alert, ...]:
    """The newest first; of one kind, where it is named."""
    of_kind = (alerts.c.kind == kind,) if kind else ()
    return _ALERTS.newest(tx, alerts.c.cleared_at.is_(None), *of_kind)


def page(
    tx: sa.Connection,
    *,
    installation: bool,
    project_names: Iterable[str],
    cleared: bool = False,
    before: int | None = None,
    limit: int | None = None,
) -> tuple[Alert, ...]:
    """The newest first: of these projects, and of the installation itself if wanted; `cleared`: not only open ones."""
    seen: sa.ColumnElement[bool] = projects.c.name.in_(list(project_names))
    if installation:
        seen = seen | alerts.c.project_id.is_(None)
    state = () if cleared else (alerts.c.cleared_at.is_(None),)
    return _ALERTS.newest(tx, seen, *state, before=before, limit=limit)


def _is_open(kind: str, subject: str) -> sa.ColumnElement[bool]:
    return (alerts.c.kind == kind) & (alerts.c.subject == subject) & alerts.c.cleared_at.is_(None)
