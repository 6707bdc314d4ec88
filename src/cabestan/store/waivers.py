"""Which rules a project is let off, by whom and why. Nothing is ever deleted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.rule import Waiver
from cabestan.errors import Conflict, NotFound
from cabestan.store.schema import waivers


def add(tx: sa.Connection, project_id: int, code: str, *, by: str, reason: str, now: datetime) -> Waiver:
    """Raises Conflict where the rule is waived already."""
    row = {"project_id": project_id, "code": code, "by": by, "reason": reason, "created_at": now}
    try:
        key = tx.execute(sa.insert(waivers).values(row).returning(waivers.c.id)).scalar_one()
    except IntegrityError as error:
        raise Conflict(
            f"The rule {code} is waived already.", "Remove that waiver first to give another reason."
        ) from error
    return Waiver(key, project_id, code, by, reason, now)


def remove(tx: sa.Connection, project_id: int, code: str, *, by: str, now: datetime) -> None:
    """It stays on record. Raises NotFound where the rule is not waived."""
    holding = (waivers.c.project_id == project_id, waivers.c.code == code, waivers.c.removed_at.is_(None))
    done = tx.execute(sa.update(waivers).where(*holding).values(removed_by=by, removed_at=now))
    if not done.rowcount:
        raise NotFound(f"The rule {code[:80]} is not waived.", "`cabestan waiver list` shows what is.")


def holding(tx: sa.Connection, project_id: int) -> tuple[Waiver, ...]:
    """Those that hold, by code."""
    query = sa.select(waivers).where(waivers.c.project_id == project_id, waivers.c.removed_at.is_(None))
    return tuple(_value(row) for row in tx.execute(query.order_by(waivers.c.code)))


def record(tx: sa.Connection, project_id: int) -> tuple[Waiver, ...]:
    """All that there ever were, the newest first."""
    query = sa.select(waivers).where(waivers.c.project_id == project_id)
    return tuple(_value(row) for row in tx.execute(query.order_by(waivers.c.id.desc())))


def _value(row: sa.Row[tuple[object, ...]]) -> Waiver:
    return Waiver(
        id=row.id,
        project_id=row.project_id,
        code=row.code,
        by=row.by,
        reason=row.reason,
        created_at=row.created_at,
        removed_by=row.removed_by,
        removed_at=row.removed_at,
    )
