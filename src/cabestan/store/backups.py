"""Backups of managed services, and the operations on these."""

import json
from collections.abc import Iterable
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
from cabestan.store.schema import backups, database_operations, managed_services
from cabestan.store.transitions import arrived
from cabestan.store.values import dump

#: written out, for the index over those that run counts only where the statement itself says so
_IS_OPEN = database_operations.c.status == sa.literal(OperationStatus.RUNNING, literal_execute=True)


def create(tx: sa.Connection, instance_id: int, reason: Reason, version: str, now: datetime) -> Backup:
    row = {
        "managed_service_id": instance_id,
        "reason": reason,
        "status": BackupStatus.RUNNING,
        "version": version,
        "created_at": now,
    }
    return _backup(tx.execute(sa.insert(backups).values(row).returning(backups)).one())


def get(tx: sa.Connection, backup_id: int) -> Backup:
    row = tx.execute(sa.select(backups).where(backups.c.id == backup_id)).one_or_none()
    if not row:
        raise no_backup(backup_id)
    return _backup(row)


def of_instance(tx: sa.Connection, instance: Instance, backup_id: int) -> Backup:
    """One that it may be restored from: its own, or a deleted one's in whose place it came. Else raises NotFound."""
    row = tx.execute(sa.select(backups).where(backups.c.id == backup_id, _in_the_line_of(instance))).one_or_none()
    if not row:
        raise no_backup(backup_id)
    return _backup(row)


def no_backup(backup_id: int) -> NotFound:
    return NotFound(f"There is no backup {backup_id}.", "`cabestan database backups` shows those of a managed service.")


def page(tx: sa.Connection, instance: Instance, *, before: int | None = None, limit: int = 50) -> tuple[Backup, ...]:
    """The newest first, with those of the deleted ones in whose place it came."""
    query = sa.select(backups).where(_in_the_line_of(instance))
    if before is not None:
        query = query.where(backups.c.id < before)
    return tuple(_backup(row) for row in tx.execute(query.order_by(backups.c.id.desc()).limit(limit)))


def _in_the_line_of(instance: Instance) -> sa.ColumnElement[bool]:
    """Of the kind in its environment, where only one at a time is not deleted."""
    same = (managed_services.c.environment_id == instance.environment_id, managed_services.c.kind == instance.kind)
    return backups.c.managed_service_id.in_(sa.select(managed_services.c.id).where(*same))


def stored(tx: sa.Connection, instance_id: int) -> tuple[Backup, ...]:
    """All that have files, the newest first."""
    kept = (BackupStatus.UNVERIFIED, BackupStatus.VERIFIED)
    query = sa.select(backups).where(backups.c.managed_service_id == instance_id, backups.c.status.in_(kept))
    return tuple(_backup(row) for row in tx.execute(query.order_by(backups.c.id.desc())))


def newest(tx: sa.Connection, instance_id: int, *statuses: BackupStatus) -> Backup | None:
    query = sa.select(backups).where(backups.c.managed_service_id == instance_id, backups.c.status.in_(statuses))
    row = tx.execute(query.order_by(backups.c.id.desc()).limit(1)).one_or_none()
    return _backup(row) if row else None


def newest_scheduled(tx: sa.Connection, instance_id: int) -> Backup | None:
    """Whatever became of it."""
    query = sa.select(backups).where(backups.c.managed_service_id == instance_id, backups.c.reason == Reason.SCHEDULED)
    row = tx.execute(query.order_by(backups.c.id.desc()).limit(1)).one_or_none()
    return _backup(row) if row else None


def update(tx: sa.Connection, backup_id: int, **values: Any) -> None:
    if "manifest" in values:
        values["manifest"] = dump({name: list(found) for name, found in values["manifest"].items()})
    tx.execute(sa.update(backups).where(backups.c.id == backup_id).values(values))


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
) -> Operation:
    """One at a time per managed service: raises Conflict while another one runs."""
    row = {
        "managed_service_id": instance_id,
        "kind": kind,
        "status": OperationStatus.RUNNING,
        "by": by,
        "backup_id": backup_id,
        "image": image,
        "version": version,
        "created_at": now,
    }
    if running := open_of(tx, instance_id):
        raise Conflict(
            f"A {running.kind} of this database is under way.", "Wait until it has ended: `cabestan database show`."
        )
    try:
        begun = tx.execute(sa.insert(database_operations).values(row).returning(database_operations)).one()
    except IntegrityError as error:
        raise Conflict("Something else is being done to this database.", "Try again when it has ended.") from error
    arrived(tx, Subject.OPERATION, begun.id, now)
    return _operation(begun)


def operation(tx: sa.Connection, operation_id: int) -> Operation:
    row = tx.execute(sa.select(database_operations).where(database_operations.c.id == operation_id)).one_or_none()
    if not row:
        raise no_operation(operation_id)
    return _operation(row)


def no_operation(operation_id: int) -> NotFound:
    return NotFound(f"There is no operation {operation_id}.", "`cabestan database show` tells the latest one.")


def open_of(tx: sa.Connection, instance_id: int) -> Operation | None:
    mine = database_operations.c.managed_service_id == instance_id
    row = tx.execute(sa.select(database_operations).where(mine, _IS_OPEN)).one_or_none()
    return _operation(row) if row else None


def open_operations(tx: sa.Connection) -> tuple[Operation, ...]:
    """In the order of their wishes; sorted here, since SQLite would read the whole table in order otherwise."""
    found = (_operation(row) for row in tx.execute(sa.select(database_operations).where(_IS_OPEN)))
    return tuple(sorted(found, key=lambda operation: operation.id))


def latest_operation(tx: sa.Connection, instance_id: int) -> Operation | None:
    query = sa.select(database_operations).where(database_operations.c.managed_service_id == instance_id)
    row = tx.execute(query.order_by(database_operations.c.id.desc()).limit(1)).one_or_none()
    return _operation(row) if row else None


def update_operation(tx: sa.Connection, operation_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    tx.execute(sa.update(database_operations).where(database_operations.c.id == operation_id).values(values))


def _backup(row: sa.Row[tuple[object, ...]]) -> Backup:
    loaded: Iterable[tuple[str, list[Any]]] = json.loads(row.manifest).items()
    return Backup(
        id=row.id,
        instance_id=row.managed_service_id,
        reason=Reason(row.reason),
        status=BackupStatus(row.status),
        detail=row.detail,
        file=row.file,
        bytes=row.bytes,
        plain_bytes=row.plain_bytes,
        sha256=row.sha256,
        version=row.version,
        manifest={name: (rows, checksum) for name, (rows, checksum) in loaded},
        here=row.here,
        remote=row.remote,
        created_at=row.created_at,
        taken_at=row.taken_at,
        verified_at=row.verified_at,
    )


def _operation(row: sa.Row[tuple[object, ...]]) -> Operation:
    return Operation(
        id=row.id,
        instance_id=row.managed_service_id,
        kind=OperationKind(row.kind),
        status=OperationStatus(row.status),
        detail=row.detail,
        by=row.by,
        backup_id=row.backup_id,
        saved_id=row.saved_id,
        image=row.image,
        version=row.version,
        volume=row.volume,
        former_image=row.former_image,
        former_version=row.former_version,
        former_volume=row.former_volume,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
