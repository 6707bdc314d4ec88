"""Backups of managed services, and the operations on these."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.backup import (
    Backup,
    BackupStatus,
    Operation,
    OperationKind,
    OperationStatus,
    Reason,
)
from cabestan.domain.managed import Instance
from cabestan.domain.outbox import Subject
from cabestan.errors import Conflict, NotFound
from cabestan.store.rows import Rows
from cabestan.store.schema import backups, database_operations, managed_services
from cabestan.store.transitions import arrived

#: written out, for the index over those that run counts only where the statement itself says so
_IS_OPEN = database_operations.c.status == sa.literal(OperationStatus.RUNNING, literal_execute=True)
_BACKUPS = Rows(Backup, backups, instance_id=backups.c.managed_service_id)
_OPERATIONS = Rows(Operation, database_operations, instance_id=database_operations.c.managed_service_id)


def create(tx: sa.Connection, instance_id: int, reason: Reason, version: str, now: datetime) -> Backup:
    running = {"reason": reason, "status": BackupStatus.RUNNING, "version": version, "created_at": now}
    return _BACKUPS.one(tx, _BACKUPS.add(tx, managed_service_id=instance_id, **running))


def get(tx: sa.Connection, backup_id: int) -> Backup:
    return _BACKUPS.get(tx, backup_id, no_backup)


def of_instance(tx: sa.Connection, instance: Instance, backup_id: int) -> Backup:
    """One that it may be restored from: its own, or a deleted one's in whose place it came. Else raises NotFound."""
    found = _BACKUPS.find(tx, backups.c.id == backup_id, _in_the_line_of(instance))
    if not found:
        raise no_backup(backup_id)
    return found


def no_backup(backup_id: int) -> NotFound:
    return NotFound(f"There is no backup {backup_id}.", "`cabestan database backups` shows those of a managed service.")


def page(tx: sa.Connection, instance: Instance, *, before: int | None = None, limit: int = 50) -> tuple[Backup, ...]:
    """The newest first, with those of the deleted ones in whose place it came."""
    return _BACKUPS.newest(tx, _in_the_line_of(instance), before=before, limit=limit)


def _in_the_line_of(instance: Instance) -> sa.ColumnElement[bool]:
    """Of the kind in its environment, where only one at a time is not deleted."""
    same = (managed_services.c.environment_id == instance.environment_id, managed_services.c.kind == instance.kind)
    return backups.c.managed_service_id.in_(sa.select(managed_services.c.id).where(*same))


def stored(tx: sa.Connection, instance_id: int) -> tuple[Backup, ...]:
    """All that have files, the newest first."""
    kept = (BackupStatus.UNVERIFIED, BackupStatus.VERIFIED)
    return _BACKUPS.newest(tx, backups.c.managed_service_id == instance_id, backups.c.status.in_(kept))


def last_of(tx: sa.Connection, instance_id: int) -> tuple[Backup, ...]:
    """Those that were taken before it was deleted and have files: one, as a rule."""
    return tuple(backup for backup in stored(tx, instance_id) if backup.reason is Reason.BEFORE_DELETE)


def newest(tx: sa.Connection, instance_id: int, *statuses: BackupStatus) -> Backup | None:
    return _BACKUPS.latest(tx, backups.c.managed_service_id == instance_id, backups.c.status.in_(statuses))


def newest_scheduled(tx: sa.Connection, instance_id: int) -> Backup | None:
    """Whatever became of it."""
    return _BACKUPS.latest(tx, backups.c.managed_service_id == instance_id, backups.c.reason == Reason.SCHEDULED)


def update(tx: sa.Connection, backup_id: int, **values: Any) -> None:
    _BACKUPS.update(tx, backup_id, **values)


def begin(
    tx: sa.Connection,
    instance_id: int,
    kind: OperationKind,
    by: str,
    now: datetime,
    *,
    backup_id: int | None = None,
    image: str = "",
    version: str = "",
    deletion_id: int | None = None,
) -> Operation:
    """One at a time per managed service: raises Conflict while another one runs."""
    if running := open_of(tx, instance_id):
        raise Conflict(
            f"A {running.kind} of this database is under way.", "Wait until it has ended: `cabestan database show`."
        )
    try:
        begun = _OPERATIONS.add(
            tx,
            managed_service_id=instance_id,
            kind=kind,
            status=OperationStatus.RUNNING,
            by=by,
            backup_id=backup_id,
            image=image,
            version=version,
            deletion_id=deletion_id,
            created_at=now,
        )
    except IntegrityError as error:
        raise Conflict("Something else is being done to this database.", "Try again when it has ended.") from error
    arrived(tx, Subject.OPERATION, begun, now)
    return _OPERATIONS.one(tx, begun)


def operation(tx: sa.Connection, operation_id: int) -> Operation:
    return _OPERATIONS.get(tx, operation_id, no_operation)


def no_operation(operation_id: int) -> NotFound:
    return NotFound(f"There is no operation {operation_id}.", "`cabestan database show` tells the latest one.")


def open_of(tx: sa.Connection, instance_id: int) -> Operation | None:
    return _OPERATIONS.find(tx, database_operations.c.managed_service_id == instance_id, _IS_OPEN)


def open_operations(tx: sa.Connection) -> tuple[Operation, ...]:
    """In the order of their wishes; sorted here, since SQLite would read the whole table in order otherwise.

    Without those that a deletion does itself.
    """
    of_their_own = (_IS_OPEN, database_operations.c.deletion_id.is_(None))
    return tuple(sorted(_OPERATIONS.all(tx, *of_their_own), key=lambda operation: operation.id))


def latest_operation(tx: sa.Connection, instance_id: int) -> Operation | None:
    return _OPERATIONS.latest(tx, database_operations.c.managed_service_id == instance_id)


def update_operation(tx: sa.Connection, operation_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    _OPERATIONS.update(tx, operation_id, **values)
