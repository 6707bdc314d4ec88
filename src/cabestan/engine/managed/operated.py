"""What an operation is about, as the database has it now."""

import secrets as randomness

from cabestan.adapters.databases import Scratch
from cabestan.domain.backup import Backup, BackupStatus, Operation
from cabestan.domain.managed import Instance
from cabestan.engine.managed import use
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import backups as store
from cabestan.store import managed as managed_store


def operation_of(services: Services, operation_id: int) -> Operation:
    with services.database.reading() as tx:
        return store.operation(tx, operation_id)


def instance_of(services: Services, operation: Operation) -> Instance:
    with services.database.reading() as tx:
        return managed_store.get(tx, operation.instance_id)


def backup_of(services: Services, operation: Operation) -> Backup:
    """The one that the operation is about, or else the one that it took itself."""
    present = operation_of(services, operation.id)
    key = present.backup_id if present.backup_id is not None else present.saved_id
    assert key is not None, "an operation that restores has a backup"
    with services.database.reading() as tx:
        backup = store.get(tx, key)
    if backup.status is BackupStatus.RUNNING:
        raise Conflict(f"Backup {backup.id} was not written whole.", "Choose another one.")
    return backup


def scratch_of(services: Services, operation: Operation, instance: Instance, image: str, volume: str) -> Scratch:
    """With the instance's own password, for a volume that will be served, or is; any other where it is thrown away."""
    if volume == scratch_volume(operation, instance):
        word = randomness.token_hex(16)
    else:
        with services.database.reading() as tx:
            word = use.password(services, tx, instance)
    return Scratch(instance, operation.id, image, volume, word)


def scratch_volume(operation: Operation, instance: Instance) -> str:
    return f"{instance.stack}-scratch-{operation.id}"
