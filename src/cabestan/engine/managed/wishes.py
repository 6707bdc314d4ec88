"""What people and the clock wish of managed services: back up, verify, restore, upgrade, delete. One at a time each."""

from cabestan.domain.backup import Backup, Operation, OperationKind
from cabestan.domain.managed import Instance, InstanceStatus
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.managed import images, use
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Invalid
from cabestan.store import backups as store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store

#: who wishes what is due
CLOCK = "the schedule"


def back_up(services: Services, instance: Instance, by: str) -> Operation:
    return _begin(services, instance, OperationKind.BACKUP, by)


def verify(services: Services, instance: Instance, backup: Backup, by: str) -> Operation:
    """Restores the backup into a scratch instance and compares. Raises Conflict where there are no files of it."""
    _refuse_without_files(backup)
    return _begin(services, instance, OperationKind.VERIFY, by, backup_id=backup.id)


def restore(services: Services, instance: Instance, backup: Backup, by: str, confirm: str) -> Operation:
    """In the place of the present data, of which a copy is kept. Raises Invalid where another name was typed."""
    _confirmed(instance, confirm, "restore it")
    _refuse_without_files(backup)
    return _begin(services, instance, OperationKind.RESTORE, by, backup_id=backup.id)


def upgrade(services: Services, instance: Instance, version: str, by: str, confirm: str) -> Operation:
    """To another version: by a dump and a restore into a new volume, while the service stands still."""
    _confirmed(instance, confirm, "upgrade it")
    image, known = images.upgrade_image(services, instance.kind, version, lambda _words: None)
    if (image, known) == (instance.image, instance.version):
        raise Conflict(f"{instance.name} runs {known} already.", "Nothing is left to do.")
    return _begin(services, instance, OperationKind.UPGRADE, by, image=image, version=known)


def delete(services: Services, instance: Instance, by: str, confirm: str) -> Operation:
    """With all its volumes, after a last backup that was restored and compared."""
    _confirmed(instance, confirm, "delete it")
    with services.database.reading() as tx:
        environment = environment_store.by_id(tx, instance.environment_id)
        coming = [d.id for d in deployment_store.open_in(tx, environment.id) if d.status is DeploymentStatus.RUNNING]
        keys = [key for key in (environment.current_deployment_id, *coming) if key is not None]
        used = any(instance.kind in use.kinds_of(deployment_store.plan_of(tx, key)) for key in keys)
    if used:
        raise Conflict(
            f"What serves on {instance.environment}, or is being deployed, uses {instance.kind}.",
            "Take the service out of the Compose file and deploy that, then delete the data.",
        )
    return _begin(services, instance, OperationKind.DELETE, by)


def _confirmed(instance: Instance, confirm: str, what: str) -> None:
    if confirm != instance.name:
        raise Invalid(f"“{confirm[:80]}” is not the name of this database.", f"Type {instance.name} to {what}.")


def _refuse_without_files(backup: Backup) -> None:
    if not backup.file or not (backup.here or backup.remote):
        raise Conflict(f"Backup {backup.id} has no files ({backup.status}).", "Choose another one.")


def _begin(
    services: Services,
    instance: Instance,
    kind: OperationKind,
    by: str,
    *,
    backup_id: int | None = None,
    image: str = "",
    version: str = "",
) -> Operation:
    if instance.status is InstanceStatus.DELETED:
        raise Conflict(f"{instance.name} was deleted.", "Its backups are still there.")
    with services.database.writing() as tx:
        begun = store.begin(
            tx, instance.id, kind, by, services.now(), backup_id=backup_id, image=image, version=version
        )
    start(services, begun)
    return begun


def start(services: Services, operation: Operation) -> None:
    """Once, however often it is called."""
    services.durable.start("database", f"database-{operation.id}", operation.id)
