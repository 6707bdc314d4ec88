"""Deletions, and the last backups that they left."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.deletion import Deletion, DeletionKind, DeletionStatus, LastBackup
from cabestan.errors import Conflict, NotFound
from cabestan.store.rows import Rows
from cabestan.store.schema import deletions, last_backups

_DELETIONS = Rows(Deletion, deletions)
_BACKUPS = Rows(LastBackup, last_backups)
#: written out, for the index over those that run counts only where the statement itself says so
_IS_OPEN = deletions.c.status == sa.literal(DeletionStatus.RUNNING, literal_execute=True)


def begin(
    tx: sa.Connection,
    kind: DeletionKind,
    *,
    project_id: int,
    project: str,
    environment_id: int = 0,
    environment: str = "",
    volume: str = "",
    by: str,
    saving: bool,
    now: datetime,
) -> Deletion:
    """Raises Conflict while another one of the project, or of this environment, is under way."""
    if present := open_of(tx, project_id, environment_id):
        raise under_way(present)
    try:
        key = _DELETIONS.add(
            tx,
            kind=kind,
            project_id=project_id,
            project=project,
            environment_id=environment_id,
            environment=environment,
            volume=volume,
            by=by,
            saving=saving,
            status=DeletionStatus.RUNNING,
            created_at=now,
        )
    except IntegrityError as error:
        raise Conflict("It is being deleted already.", "`cabestan deletion list` shows how far that is.") from error
    return _DELETIONS.one(tx, key)


def get(tx: sa.Connection, deletion_id: int) -> Deletion:
    return _DELETIONS.get(tx, deletion_id, no_deletion)


def no_deletion(deletion_id: int) -> NotFound:
    return NotFound(f"There is no deletion {deletion_id}.", "`cabestan deletion list` shows those that you may see.")


def under_way(deletion: Deletion) -> Conflict:
    """The refusal of what would change that which is being deleted."""
    what = deletion.what[0].upper() + deletion.what[1:]
    return Conflict(
        f"{what} is being deleted, as {deletion.by} wished.",
        f"`cabestan deletion show {deletion.id}` tells how far that is.",
    )


def open_of(tx: sa.Connection, project_id: int, environment_id: int = 0) -> Deletion | None:
    """What deletes the project, or the environment where one is named, or anything in a project that is named alone."""
    own = () if not environment_id else (deletions.c.environment_id.in_((0, environment_id)),)
    found = _DELETIONS.all(tx, _IS_OPEN, deletions.c.project_id == project_id, *own, by=(deletions.c.environment_id,))
    return found[0] if found else None


def open_of_project(tx: sa.Connection, project_id: int) -> Deletion | None:
    """What deletes the whole project."""
    return _DELETIONS.find(tx, _IS_OPEN, deletions.c.project_id == project_id, deletions.c.environment_id == 0)


def all_open(tx: sa.Connection) -> tuple[Deletion, ...]:
    return _DELETIONS.all(tx, _IS_OPEN, by=(deletions.c.id,))


def page(tx: sa.Connection, *, before: int | None = None, limit: int | None = None) -> tuple[Deletion, ...]:
    """The newest first."""
    return _DELETIONS.newest(tx, before=before, limit=limit)


def update(tx: sa.Connection, deletion_id: int, **values: Any) -> None:
    _DELETIONS.update(tx, deletion_id, **values)


def keep(tx: sa.Connection, deletion: Deletion, file: str, **values: Any) -> None:
    """Notes a last backup, once for each file."""
    if tx.execute(sa.select(last_backups.c.id).where(last_backups.c.file == file)).one_or_none() is None:
        _BACKUPS.add(tx, deletion_id=deletion.id, project=deletion.project, file=file, **values)


def kept(tx: sa.Connection, deletion_id: int) -> tuple[LastBackup, ...]:
    """What there still is of a deletion's last backups."""
    return _BACKUPS.all(tx, last_backups.c.deletion_id == deletion_id, by=(last_backups.c.id,))


def kept_files(tx: sa.Connection) -> frozenset[str]:
    """Of all deletions."""
    return frozenset(tx.execute(sa.select(last_backups.c.file)).scalars())


def over(tx: sa.Connection, now: datetime) -> tuple[LastBackup, ...]:
    """Those whose time has come."""
    return _BACKUPS.all(tx, last_backups.c.kept_until < now, by=(last_backups.c.id,))


def drop(tx: sa.Connection, backup_id: int) -> None:
    tx.execute(sa.delete(last_backups).where(last_backups.c.id == backup_id))
