"""What people and the clock wish of managed services: back up, verify, restore, upgrade, delete. One at a time each.

A restore and an upgrade fill a new volume in a scratch instance, compare it, and only then does the service change over
to it; what it served before stays in its own volume.
"""

import secrets as randomness
import time
from collections.abc import Callable
from functools import partial

import structlog

from cabestan.adapters.databases import Scratch
from cabestan.domain.backup import Backup, BackupStatus, Operation, OperationKind, OperationStatus, Reason
from cabestan.domain.managed import Instance, InstanceStatus, volume_name
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.guard import guarded
from cabestan.engine.managed import backups, images, instances, use
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, Conflict, EngineUnavailable, Invalid
from cabestan.store import backups as store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store
from cabestan.store.fullness import is_full, storage_full

_log = structlog.get_logger(__name__)
#: who wishes what is due
CLOCK = "the schedule"
_SHORT_SECONDS = 5
_STEPS = {
    OperationKind.BACKUP: ("save", "verify"),
    OperationKind.VERIFY: ("verify",),
    OperationKind.RESTORE: ("save", "load", "switch"),
    OperationKind.UPGRADE: ("save", "load", "switch"),
    OperationKind.DELETE: ("save", "verify", "remove"),
}
_REASONS = {
    OperationKind.RESTORE: Reason.BEFORE_RESTORE,
    OperationKind.UPGRADE: Reason.BEFORE_UPGRADE,
    OperationKind.DELETE: Reason.BEFORE_DELETE,
}


def register(services: Services) -> None:
    work = guarded(services, partial(run, services), partial(fail, services))
    services.durable.register("database", lambda operation_id: work(operation_id))


# ---- wishes


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
    services.changes.publish(instance.project)
    return begun


def start(services: Services, operation: Operation) -> None:
    """Once, however often it is called."""
    services.durable.start("database", f"database-{operation.id}", operation.id)


# ---- the workflow


def run(services: Services, operation_id: int) -> None:
    step = services.durable.step
    kind = _operation(services, operation_id).kind
    failure = ""
    for name in _STEPS[kind]:
        failure = step(f"database.{name}", partial(_do, services, operation_id, name))
        if failure:
            break
    if failure and "switch" in _STEPS[kind]:
        amiss = step("database.take-back", partial(_do, services, operation_id, "take-back"))
        failure += f" What served before could not be taken back: {amiss}" if amiss else ""
    untidy = step("database.tidy", partial(_do, services, operation_id, "tidy"))
    step("database.record", lambda: _record(services, operation_id, failure or untidy))


def fail(services: Services, operation_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw."""
    _record(services, operation_id, reason)


def _do(services: Services, operation_id: int, name: str) -> str:
    """One step; empty, or why it failed."""
    work: Callable[[Services, Operation, Instance], None] = {
        "save": _save,
        "verify": _verify,
        "load": _load,
        "switch": _switch,
        "take-back": _take_back,
        "remove": _remove,
        "tidy": _tidy,
    }[name]
    operation = _operation(services, operation_id)
    instance = _instance(services, operation)
    try:
        services.engine.patiently(services.settings.engine_seconds, lambda: work(services, operation, instance))
    except CabestanError as error:
        return str(error)
    except Exception as error:  # whatever it is, the operation has to end, and the service to serve
        if services.durable.closing:
            raise
        if is_full(error):  # it may be this very backup that fills it: to try again would fill it again
            return str(storage_full())
        _log.exception("a step of a database operation failed unexpectedly", operation=operation_id, step=name)
        return f"Something unexpected went wrong: {type(error).__name__}: {error}. The server's log tells more."
    finally:
        services.changes.publish(instance.project)
    return ""


def _save(services: Services, operation: Operation, instance: Instance) -> None:
    """A backup of the present state. Before a restore, a database that does not run keeps nobody from restoring."""
    backup = _saved(services, operation, instance)
    try:
        if operation.kind is OperationKind.UPGRADE:
            container = _standing_still(services, operation, instance)
        else:
            _wait_a_while(services, operation, instance)
            container = services.databases.container(instance)
        backups.take(services, instance, backup, container)
        if operation.kind is OperationKind.UPGRADE:
            services.databases.stop_scratch(container)
    except EngineUnavailable:
        raise
    except CabestanError as error:
        backups.give_up(services, backup.id, str(error))
        if operation.kind is not OperationKind.RESTORE:
            raise
        _log.warning("the state before a restore is in its volume alone", instance=instance.name, error=str(error))


def _wait_a_while(services: Services, operation: Operation, instance: Instance) -> None:
    """It may just be starting; before a restore, which may be there to mend it, that is not waited for long."""
    patience = _SHORT_SECONDS if operation.kind is OperationKind.RESTORE else services.settings.managed_seconds
    instances.wait(services, instance, time.monotonic() + patience)


def _saved(services: Services, operation: Operation, instance: Instance) -> Backup:
    """The row of the backup that this operation takes; made once."""
    reason = _REASONS.get(operation.kind, Reason.SCHEDULED if operation.by == CLOCK else Reason.WANTED)
    with services.database.writing() as tx:
        present = store.operation(tx, operation.id)
        if present.saved_id is not None:
            return store.get(tx, present.saved_id)
        made = store.create(tx, instance.id, reason, instance.version, services.now())
        store.update_operation(tx, operation.id, saved_id=made.id)
    return made


def _standing_still(services: Services, operation: Operation, instance: Instance) -> str:
    """The service stops, so that nothing is written any more; a container without network has its volume instead."""
    instances.apply(services, instance, replicas=0)
    instances.wait_until_stopped(services, instance, time.monotonic() + services.settings.managed_seconds)
    scratch = _scratch(services, operation, instance, instance.image, instance.volume)
    container = services.databases.start_scratch(scratch)
    services.databases.wait_until_ready(container, services.settings.managed_seconds)
    return container


def _verify(services: Services, operation: Operation, instance: Instance) -> None:
    """Into a scratch instance of its own volume, which goes again."""
    backup = _backup(services, _operation(services, operation.id))
    scratch = _scratch(services, operation, instance, instance.image, _scratch_volume(operation, instance))
    try:
        services.databases.remove_scratch(scratch)
        services.databases.remove_volume(scratch.volume)
        wrong = backups.judge(services, backup, backups.restored_manifest(services, backup, scratch))
    except CabestanError as error:
        backups.condemn(services, backup.id, str(error))
        raise
    if wrong:
        raise Conflict(wrong, "The data of the service is untouched. Back it up again.")


def _load(services: Services, operation: Operation, instance: Instance) -> None:
    """The backup into a new volume, which is to take the place of the present one."""
    stack = instance.stack.removesuffix(f"-{instance.kind}")
    volume = volume_name(stack, instance.kind, instance.id, instance.generation + 1)
    backup = _backup(services, _operation(services, operation.id))
    image = operation.image or instance.image
    scratch = _scratch(services, operation, instance, image, volume)
    services.databases.remove_scratch(scratch)
    services.databases.remove_volume(volume)
    with services.database.writing() as tx:
        store.update_operation(tx, operation.id, volume=volume)
    if wrong := backups.judge(services, backup, backups.restored_manifest(services, backup, scratch)):
        raise Conflict(wrong, "The data of the service is untouched.")
    services.databases.stop_scratch(scratch.name)
    services.databases.remove_scratch(scratch)


def _switch(services: Services, operation: Operation, instance: Instance) -> None:
    """The service changes over to the new volume. What it had before is kept, and stored for `_take_back`."""
    wanted = _operation(services, operation.id)
    if instance.volume != wanted.volume:
        former = {
            "former_volume": instance.volume,
            "former_image": instance.image,
            "former_version": instance.version,
        }
        changed = {
            "volume": wanted.volume,
            "kept_volumes": (*instance.kept_volumes, instance.volume),
            "generation": instance.generation + 1,
        }
        if wanted.image:
            changed |= {"image": wanted.image, "version": wanted.version}
        with services.database.writing() as tx:
            store.update_operation(tx, operation.id, **former)
            managed_store.update(tx, instance.id, **changed)
            instance = managed_store.get(tx, instance.id)
    instances.apply(services, instance)
    instances.wait(services, instance, time.monotonic() + services.settings.managed_seconds)


def _take_back(services: Services, operation: Operation, instance: Instance) -> None:
    """After a change-over that failed: the service has again what it had, its image included.

    Its generation stays counted, so that no name is used twice.
    """
    former = _operation(services, operation.id)
    if not former.former_volume:
        return
    kept = tuple(volume for volume in instance.kept_volumes if volume != former.former_volume)
    with services.database.writing() as tx:
        managed_store.update(
            tx,
            instance.id,
            volume=former.former_volume,
            image=former.former_image,
            version=former.former_version,
            kept_volumes=kept,
        )
        instance = managed_store.get(tx, instance.id)
    instances.apply(services, instance)


def _remove(services: Services, operation: Operation, instance: Instance) -> None:
    """The service, its secret, and every volume that it had: the one place where data goes, at an explicit wish."""
    services.databases.remove_scratch(_scratch(services, operation, instance, instance.image, ""))
    services.databases.remove_service(instance)
    for volume in (instance.volume, *instance.kept_volumes):
        services.databases.remove_volume(volume)
    with services.database.writing() as tx:
        managed_store.update(tx, instance.id, status=InstanceStatus.DELETED, kept_volumes=())


def _tidy(services: Services, operation: Operation, instance: Instance) -> None:
    """Whatever happened: no scratch instance is left, and the service serves what its row says."""
    wanted = _operation(services, operation.id)
    services.databases.remove_scratch(_scratch(services, operation, instance, instance.image, ""))
    services.databases.remove_volume(_scratch_volume(operation, instance))
    if wanted.volume and wanted.volume != instance.volume:
        services.databases.remove_volume(wanted.volume)
    if operation.kind is OperationKind.UPGRADE:
        instances.apply(services, instance)
        instances.wait(services, instance, time.monotonic() + services.settings.managed_seconds)


def _record(services: Services, operation_id: int, failure: str) -> None:
    operation = _operation(services, operation_id)
    instance = _instance(services, operation)
    if failure and operation.saved_id is not None:
        backups.give_up(services, operation.saved_id, failure)
    if operation.kind in (OperationKind.BACKUP, OperationKind.DELETE, OperationKind.VERIFY):
        backups.tell(services, instance, failure)
    if not failure and operation.kind is OperationKind.BACKUP:
        backups.forget_old(services, instance)
    with services.database.writing() as tx:
        status = OperationStatus.FAILED if failure else OperationStatus.SUCCEEDED
        store.update_operation(tx, operation_id, status=status, detail=failure, finished_at=services.now())
    services.changes.publish(instance.project)


def _scratch(services: Services, operation: Operation, instance: Instance, image: str, volume: str) -> Scratch:
    """With the instance's own password, for a volume that will be served, or is; any other where it is thrown away."""
    if volume == _scratch_volume(operation, instance):
        word = randomness.token_hex(16)
    else:
        with services.database.reading() as tx:
            word = use.password(services, tx, instance)
    return Scratch(instance, operation.id, image, volume, word)


def _scratch_volume(operation: Operation, instance: Instance) -> str:
    return f"{instance.stack}-scratch-{operation.id}"


def _backup(services: Services, operation: Operation) -> Backup:
    """The one that the operation is about, or else the one that it took itself."""
    key = operation.backup_id if operation.backup_id is not None else operation.saved_id
    assert key is not None, "an operation that restores has a backup"
    with services.database.reading() as tx:
        backup = store.get(tx, key)
    if backup.status is BackupStatus.RUNNING:
        raise Conflict(f"Backup {backup.id} was not written whole.", "Choose another one.")
    return backup


def _operation(services: Services, operation_id: int) -> Operation:
    with services.database.reading() as tx:
        return store.operation(tx, operation_id)


def _instance(services: Services, operation: Operation) -> Instance:
    with services.database.reading() as tx:
        return managed_store.get(tx, operation.instance_id)
