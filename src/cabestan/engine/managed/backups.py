"""Taking backups, proving them by a restore, and forgetting old ones. Everything may be done again after a kill."""

from pathlib import PurePosixPath

import structlog

from cabestan.adapters.databases import Scratch
from cabestan.domain.backup import (
    Backup,
    BackupStatus,
    Manifest,
    Operation,
    differences,
    expired,
    parse_policy,
)
from cabestan.domain.managed import Instance
from cabestan.engine import disk
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.managed import remote_copies
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, NotFound, StepFailed
from cabestan.store import backups as store
from cabestan.store import managed as managed_store
from cabestan.store import projects as project_store

_log = structlog.get_logger(__name__)
#: of alerts
KIND = "backup"
MISSED = "backup-missed"


def take(services: Services, instance: Instance, backup: Backup, container: str) -> Backup:
    """Dumps what the container serves into the backup's file. Raises StepFailed."""
    disk.check(services.settings)
    name = _file_name(instance, backup)
    taken_at = services.now()
    databases = services.cluster_of(instance).databases
    with services.backups.writing(name) as packer:
        manifest = databases.dump(container, packer.write, services.settings.backup_seconds)
        packed = packer.finish()
    if not manifest:
        raise StepFailed("The dump did not say what is in it.", "Back it up again.")
    written = {
        "file": name,
        "bytes": packed.bytes,
        "plain_bytes": packed.plain_bytes,
        "sha256": packed.sha256,
        "manifest": manifest,
        "taken_at": taken_at,
    }
    services.backups.keep(name, _facts(instance, backup, written))
    _update(services, backup, here=True, **written)
    _update(services, backup, status=BackupStatus.UNVERIFIED, detail="")
    return _read(services, backup.id)


def restored_manifest(services: Services, backup: Backup, scratch: Scratch) -> Manifest:
    """What is in a scratch instance after the backup was restored into it. Its container stays, and runs."""
    remote_copies.fetch(services, backup)
    try:
        services.backups.check(backup.file, backup.sha256)
    except (StepFailed, NotFound) as error:
        _update(services, backup, status=BackupStatus.FAILED, detail=str(error))
        raise
    cluster = services.cluster_of(scratch.instance)
    databases = cluster.databases
    cluster.stacks.pull(scratch.image, services.settings.pull_seconds)
    container = databases.start_scratch(scratch)
    databases.wait_until_ready(container, services.settings.managed_seconds)
    databases.load(container, services.backups.chunks(backup.file), services.settings.backup_seconds)
    return databases.manifest(container, services.settings.backup_seconds)


def judge(services: Services, backup: Backup, found: Manifest) -> str:
    """Whether the restored tables and rows are those of the snapshot, on record; empty, or what is not the same."""
    if wrong := differences(backup.manifest, found):
        words = f"Restored, it is not the same: {'; '.join(wrong[:10])}."
        _update(services, backup, status=BackupStatus.FAILED, detail=words)
        return words
    tables = f"{backup.tables:,} table{'' if backup.tables == 1 else 's'}"
    detail = f"restored and compared: {tables}, {backup.rows:,} rows"
    _update(services, backup, status=BackupStatus.VERIFIED, detail=detail, verified_at=services.now())
    return ""


def is_good(services: Services, operation: Operation) -> bool:
    """Whether the backup that an operation took was restored and compared, be it elsewhere already or not."""
    return operation.saved_id is not None and _read(services, operation.saved_id).status is BackupStatus.VERIFIED


def give_up(services: Services, backup_id: int, reason: str) -> None:
    """One that is being written: what there is of it goes, first of all, for the record may need its room."""
    backup = _read(services, backup_id)
    if backup.status is BackupStatus.RUNNING:
        services.backups.remove(_file_name(_instance(services, backup), backup))
        _update(services, backup, status=BackupStatus.FAILED, detail=reason, here=False, remote=False)


def condemn(services: Services, backup_id: int, reason: str) -> None:
    """One that could not be restored does not count; one that was restored before keeps its word."""
    backup = _read(services, backup_id)
    if backup.status is BackupStatus.UNVERIFIED:
        _update(services, backup, status=BackupStatus.FAILED, detail=reason)


def tell(services: Services, instance: Instance, failure: str) -> None:
    """An alert for a failure, and its end with the next good backup."""
    with services.database.reading() as tx:
        project = project_store.by_id(tx, instance.project_id)
    subject = f"{instance.project} {instance.name}"
    if failure:
        message = f"The backup of {instance.name} in {instance.project} failed: {failure}"
        raise_alert(services, KIND, subject, message, "Mend it, then `cabestan database backup`.", project=project)
    else:
        clear_alert(services, KIND, subject)
    clear_alert(services, MISSED, subject)  # that is known to have failed, or there is a good one


def forget_old(services: Services, instance: Instance) -> int:
    """Removes the files of what the policy does not keep, here and elsewhere; gives how many."""
    with services.database.reading() as tx:
        keep = managed_store.settings_of(tx, instance.environment_id).keep or services.settings.backup_keep
        old = expired(store.stored(tx, instance.id), parse_policy(keep), services.now())
    for backup in old:
        try:
            remote_copies.remove(services, backup)
        except CabestanError as error:
            _log.warning("an old backup stays elsewhere for now", file=backup.file, error=str(error))
            continue
        services.backups.remove(backup.file)
        _update(services, backup, status=BackupStatus.EXPIRED, here=False, remote=False)
    return len(old)


def _file_name(instance: Instance, backup: Backup) -> str:
    """`shop-api/production-3/postgresql/17-20260131T023000Z.dump.gz`."""
    moment = backup.created_at.strftime("%Y%m%dT%H%M%SZ")
    project, environment = instance.project.replace("/", "-"), instance.environment.replace("/", "-")
    folder = PurePosixPath(project, f"{environment}-{instance.environment_id}", instance.kind)
    return str(folder / f"{backup.id}-{moment}.dump.gz")


def _facts(instance: Instance, backup: Backup, written: dict[str, object]) -> dict[str, object]:
    """Beside the file, for a restore without Cabestan."""
    return {
        "project": instance.project,
        "environment": instance.environment,
        "kind": instance.kind,
        "version": instance.version,
        "database": instance.database,
        "user": instance.user,
        "backup": backup.id,
        **{key: value for key, value in written.items() if key != "taken_at"},
        "taken_at": str(written["taken_at"]),
    }


def _instance(services: Services, backup: Backup) -> Instance:
    with services.database.reading() as tx:
        return managed_store.get(tx, backup.instance_id)


def _read(services: Services, backup_id: int) -> Backup:
    with services.database.reading() as tx:
        return store.get(tx, backup_id)


def _update(services: Services, backup: Backup, **values: object) -> None:
    with services.database.writing() as tx:
        store.update(tx, backup.id, **values)
