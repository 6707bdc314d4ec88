"""The workflow that does what is wished of a managed service, and its steps. Each may be done again after a kill."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog

from cabestan.domain.backup import Backup, Operation, OperationKind, OperationStatus, Reason
from cabestan.domain.managed import Instance, InstanceStatus
from cabestan.domain.outbox import Subject
from cabestan.engine.guard import guarded
from cabestan.engine.managed import backups, change_over, instances, remote_copies, wishes
from cabestan.engine.managed.operated import backup_of, instance_of, operation_of, scratch_of, scratch_volume
from cabestan.engine.services import Services
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError, Conflict, EngineUnavailable, StepFailed, StorageFull
from cabestan.store import backups as store
from cabestan.store import managed as managed_store
from cabestan.store import projects as project_store
from cabestan.store.fullness import is_full, storage_full
from cabestan.store.transitions import touched, transition

_log = structlog.get_logger(__name__)
_SHORT_SECONDS = 5
_STEPS = {
    OperationKind.BACKUP: ("save", "verify", "copy"),
    OperationKind.VERIFY: ("verify",),
    OperationKind.RESTORE: ("save", "load", "switch", "copy"),
    OperationKind.UPGRADE: ("save", "load", "switch", "copy"),
    OperationKind.DELETE: ("save", "verify", "copy", "remove"),
}
_REASONS = {
    OperationKind.RESTORE: Reason.BEFORE_RESTORE,
    OperationKind.UPGRADE: Reason.BEFORE_UPGRADE,
    OperationKind.DELETE: Reason.BEFORE_DELETE,
}


#: is told the id of a project whose deployments are to be planned anew
Changed = Callable[[int], None]


def register(services: Services, changed: Changed) -> None:
    work = guarded(services, partial(_run, services, changed), partial(fail, services))
    services.durable.register("database", lambda operation_id: work(operation_id), partial(_turn, services))


def _turn(services: Services, operation_id: int) -> Turn:
    """What a person wishes never waits behind the backups of a night."""
    operation = operation_of(services, operation_id)
    kind = Kind.UPKEEP if operation.by == wishes.CLOCK else Kind.WISH
    return Turn(kind, instance_of(services, operation).project_id, operation_id)


def _run(services: Services, changed: Changed, operation_id: int) -> None:
    _do_all(services, changed, operation_id, _STEPS[operation_of(services, operation_id).kind], services.durable.step)


def delete_at_once(
    services: Services, changed: Changed, instance: Instance, deletion_id: int, by: str, *, saving: bool
) -> Operation:
    """Deletes it, with a last backup where `saving`, within the step that deletes all else; as it ended.

    After a kill the step goes on with what it had begun.
    """
    with services.database.writing() as tx:
        present = store.open_of(tx, instance.id)
        if not present or present.deletion_id != deletion_id:
            present = store.begin(tx, instance.id, OperationKind.DELETE, by, services.now(), deletion_id=deletion_id)
    names = _STEPS[OperationKind.DELETE] if saving else ("remove",)
    _do_all(services, changed, present.id, names, lambda _name, work: work())
    return operation_of(services, present.id)


def _do_all(
    services: Services, changed: Changed, operation_id: int, names: Iterable[str], step: Callable[..., str]
) -> None:
    """`step` is told the name of each and does it."""
    failure = name = ""
    for name in names:
        failure = step(f"database.{name}", partial(_do, services, changed, operation_id, name))
        if failure:
            break
    if failure and name == "switch":
        amiss = step("database.take-back", partial(_do, services, changed, operation_id, "take-back"))
        failure += f" What served before could not be taken back: {amiss}" if amiss else ""
    untidy = step("database.tidy", partial(_do, services, changed, operation_id, "tidy"))
    step("database.record", partial(_record, services, operation_id, failure or untidy))


def fail(services: Services, operation_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw."""
    _record(services, operation_id, reason)


def _do(services: Services, changed: Changed, operation_id: int, name: str) -> str:
    """One step; empty, or why it failed."""
    failure = _tried(services, changed, operation_id, name)
    with suppress(StorageFull), services.database.writing() as tx:  # what a step has done counts all the same
        touched(tx, Subject.OPERATION, operation_id, services.now())
    return failure


def _tried(services: Services, changed: Changed, operation_id: int, name: str) -> str:
    work: Callable[[Services, Operation, Instance], None] = {
        "save": _save,
        "verify": _verify,
        "copy": _copy,
        "load": change_over.load,
        "switch": change_over.switch,
        "take-back": change_over.take_back,
        "remove": lambda *given: _remove(changed, *given),
        "tidy": _tidy,
    }[name]
    operation = operation_of(services, operation_id)
    instance = instance_of(services, operation)
    try:
        services.cluster_of(instance).patiently(lambda: work(services, operation, instance))
    except CabestanError as error:
        return _shown(services, instance, error)
    except Exception as error:  # whatever it is, the operation has to end, and the service to serve
        if services.durable.closing:
            raise
        if is_full(error):  # it may be this very backup that fills it: to try again would fill it again
            return str(storage_full())
        _log.exception("a step of a database operation failed unexpectedly", operation=operation_id, step=name)
        words = f"{type(error).__name__}: {_shown(services, instance, error)}"
        return f"Something unexpected went wrong: {words}. The server's log tells more."
    return ""


def _shown(services: Services, instance: Instance, error: Exception) -> str:
    """Its words, in which a database or the engine may have repeated a password."""
    with services.database.reading() as tx:
        project = project_store.by_id(tx, instance.project_id)
        return secrets.redactor(tx, services.vault, project).text(str(error))


def _save(services: Services, operation: Operation, instance: Instance) -> None:
    """A backup of the present state. Before a restore, a database that does not run keeps nobody from restoring."""
    backup, databases = _saved(services, operation, instance), services.cluster_of(instance).databases
    try:
        if operation.kind is OperationKind.UPGRADE:
            container = change_over.stand_still(services, operation, instance)
        else:
            _wait_a_while(services, operation, instance)
            container = databases.container(instance)
        backups.take(services, instance, backup, container)
        if operation.kind is OperationKind.UPGRADE:
            databases.stop_scratch(container)
    except EngineUnavailable:
        raise
    except CabestanError as error:
        words = _shown(services, instance, error)
        backups.give_up(services, backup.id, words)
        if operation.kind is not OperationKind.RESTORE:
            raise
        _log.warning("the state before a restore is in its volume alone", instance=instance.name, error=words)


def _wait_a_while(services: Services, operation: Operation, instance: Instance) -> None:
    """It may just be starting; before a restore, which may be there to mend it, that is not waited for long."""
    patience = _SHORT_SECONDS if operation.kind is OperationKind.RESTORE else services.settings.managed_seconds
    instances.wait(services, instance, time.monotonic() + patience)


def _saved(services: Services, operation: Operation, instance: Instance) -> Backup:
    """The row of the backup that this operation takes; made once."""
    reason = _REASONS.get(operation.kind, Reason.SCHEDULED if operation.by == wishes.CLOCK else Reason.WANTED)
    with services.database.writing() as tx:
        present = store.operation(tx, operation.id)
        if present.saved_id is not None:
            return store.get(tx, present.saved_id)
        made = store.create(tx, instance.id, reason, instance.version, services.now())
        store.update_operation(tx, operation.id, saved_id=made.id)
    return made


def _verify(services: Services, operation: Operation, instance: Instance) -> None:
    """Into a scratch instance of its own volume, which goes again."""
    backup = backup_of(services, operation)
    scratch = scratch_of(services, operation, instance, instance.image, scratch_volume(operation, instance))
    databases = services.cluster_of(instance).databases
    try:
        databases.remove_scratch(scratch)
        databases.remove_volume(scratch.volume)
        wrong = backups.judge(services, backup, backups.restored_manifest(services, backup, scratch))
    except CabestanError as error:
        backups.condemn(services, backup.id, _shown(services, instance, error))
        raise
    if wrong:
        raise Conflict(wrong, "The data of the service is untouched. Back it up again.")


def _copy(services: Services, operation: Operation, instance: Instance) -> None:
    """Elsewhere. That nothing is reached there stops no restore or upgrade: the next backup copies what is missing."""
    try:
        remote_copies.copy(services, instance)
    except StepFailed as error:
        if operation.kind not in (OperationKind.RESTORE, OperationKind.UPGRADE):
            raise
        _log.warning("a backup is not elsewhere yet", instance=instance.name, error=str(error))


def _remove(changed: Changed, services: Services, operation: Operation, instance: Instance) -> None:
    """The service, its secret, and every volume that it had: the one place where data goes, at an explicit wish."""
    databases = services.cluster_of(instance).databases
    databases.remove_scratch(scratch_of(services, operation, instance, instance.image, ""))
    databases.remove_service(instance)
    for volume in (instance.volume, *instance.kept_volumes):
        databases.remove_volume(volume)
    with services.database.writing() as tx:
        managed_store.update(tx, instance.id, status=InstanceStatus.DELETED, kept_volumes=())
    changed(instance.project_id)  # the next one has another password


def _tidy(services: Services, operation: Operation, instance: Instance) -> None:
    """Whatever happened: no scratch instance is left, and the service serves what its row says."""
    databases = services.cluster_of(instance).databases
    databases.remove_scratch(scratch_of(services, operation, instance, instance.image, ""))
    databases.remove_volume(scratch_volume(operation, instance))
    unwanted = operation.volume if operation.volume != instance.volume else ""
    changed = operation.kind is OperationKind.UPGRADE or bool(unwanted and operation.former_volume)
    if changed:  # where this fails, the volume stays: a service that still names it would make it anew, and empty
        instances.apply(services, instance)
    try:
        if changed:
            instances.wait(services, instance, time.monotonic() + services.settings.managed_seconds)
    finally:
        if unwanted:
            databases.remove_volume(unwanted)


def _record(services: Services, operation_id: int, failure: str) -> None:
    operation = operation_of(services, operation_id)
    instance = instance_of(services, operation)
    if failure and operation.saved_id is not None:
        backups.give_up(services, operation.saved_id, failure)
    if operation.kind in (OperationKind.BACKUP, OperationKind.DELETE, OperationKind.VERIFY):
        backups.tell(services, instance, failure)
    if operation.kind is OperationKind.BACKUP and backups.is_good(services, operation):
        backups.forget_old(services, instance)
    with services.database.writing() as tx:
        status = OperationStatus.FAILED if failure else OperationStatus.SUCCEEDED
        now = services.now()
        transition(tx, Subject.OPERATION, operation_id, status, now, detail=failure, finished_at=now)
