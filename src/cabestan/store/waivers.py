"""Which rules a project is let off, by whom and why. Nothing is ever deleted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.rule import Waiver
from cabestan.errors import Conflict, NotFound
from cabestan.store.rows import Rows
from cabestan.store.schema import waivers

_WAIVERS = Rows(Waiver, waivers)


def add(tx: sa.Connection, project_id: int, code: str, *, by: str, reason: str, now: datetime) -> Waiver:
    """Raises Conflict where the rule is waived already."""
    try:
        key = _WAIVERS.add(tx, project_id=project_id, code=code, by=by, reason=reason, created_at=now)
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
    return _WAIVERS.all(tx, waivers.c.project_id == project_id, waivers.c.removed_at.is_(None), by=(waivers.c.code,))


def record(tx: sa.Connection, project_id: int) -> tuple[Waiver, ...]:
    """All that there ever were, the newest first."""
    return _WAIVERS.newest(tx, waivers.c.project_id == project_id)
