"""The last backups of what is deleted: taken, kept for a time, and forgotten when that is over."""

import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import IO, cast

import structlog

from cabestan.domain.backup import OperationStatus
from cabestan.domain.deletion import Deletion, DeletionKind, LastBackup
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance
from cabestan.engine import disk
from cabestan.engine.deleting import of_environment
from cabestan.engine.deploying import deployments
from cabestan.engine.managed import operations, remote_copies
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, StepFailed
from cabestan.store import backups as backup_store
from cabestan.store import deletions as store
from cabestan.store import managed as managed_store

_log = structlog.get_logger(__name__)
VOLUME = "volume"
_WITHOUT = "Or delete it without a last backup: `--without-backup`."


def take(services: Services, deletion: Deletion) -> None:
    """Of each database, which goes with it, and of each volume of an application that has anything in it."""
    for environment in of_environment.present(services, deletion):
        if deletion.kind is not DeletionKind.VOLUME:
            with services.database.reading() as tx:
                instances = managed_store.in_environment(tx, environment.id)
            for instance in instances:
                _delete_database(services, deletion, instance)
            _note_databases(services, deletion, environment)
        if deletion.saving:
            _save_volumes(services, deletion, environment)


def _delete_database(services: Services, deletion: Deletion, instance: Instance) -> None:
    """With its volumes, once its last backup was restored and compared."""
    changed = partial(deployments.configuration_changed, services)
    ended = operations.delete_at_once(services, changed, instance, deletion.id, deletion.by, saving=deletion.saving)
    if ended.status is not OperationStatus.SUCCEEDED:
        raise StepFailed(f"{instance.name} was not deleted: {ended.detail}", f"Mend it and delete again. {_WITHOUT}")


def _note_databases(services: Services, deletion: Deletion, environment: Environment) -> None:
    """On the deletion's own record, which outlives that of the databases."""
    with services.database.writing() as tx:
        for instance in managed_store.ever_in(tx, environment.id):
            for backup in backup_store.last_of(tx, instance.id):
                store.keep(
                    tx,
                    deletion,
                    backup.file,
                    kind=instance.kind,
                    environment=environment.name,
                    name=instance.name,
                    bytes=backup.bytes,
                    sha256=backup.sha256,
                    here=backup.here,
                    remote=backup.remote,
                    created_at=backup.created_at,
                    kept_until=_until(services),
                )


def _save_volumes(services: Services, deletion: Deletion, environment: Environment) -> None:
    volumes, stack = services.cluster_of(environment).volumes, environment.stack_name(services.settings.instance)
    for name, called in volumes.of_stack(stack).items():
        if name.startswith(f"{stack}-new_") or deletion.volume not in ("", called):  # the former mark one being made
            continue
        volumes.wait_until_free(name)
        try:
            _save_volume(services, deletion, environment, name, called)
        except StepFailed as error:
            raise StepFailed(f"The volume {called} was not backed up: {error.message}", _WITHOUT) from error


def _save_volume(services: Services, deletion: Deletion, environment: Environment, name: str, called: str) -> None:
    disk.check(services.settings)
    file = _file_name(deletion, environment, called)
    pack = services.cluster_of(environment).volumes.pack
    with services.backups.writing(file) as packer:
        pack(name, packer.write, services.settings.backup_seconds)
        packed = packer.finish()
    taken_at = services.now()
    facts: dict[str, object] = {
        "project": environment.project,
        "environment": environment.name,
        "kind": VOLUME,
        "volume": called,
    }
    facts |= {"name": name, "bytes": packed.bytes, "plain_bytes": packed.plain_bytes, "sha256": packed.sha256}
    services.backups.keep(file, facts | {"taken_at": str(taken_at), "deleted_by": deletion.by})
    if _entries(services.backups.chunks(file)) == 0:
        services.backups.remove(file)
        return
    remote = remote_copies.put_file(services, file)
    with services.database.writing() as tx:
        store.keep(
            tx,
            deletion,
            file,
            kind=VOLUME,
            environment=environment.name,
            name=called,
            bytes=packed.bytes,
            sha256=packed.sha256,
            here=True,
            remote=remote,
            created_at=taken_at,
            kept_until=_until(services),
        )


def _entries(chunks: Iterator[bytes]) -> int:
    """How many files and folders are in the archive, which is read whole: one that cannot be is no backup."""
    try:
        with tarfile.open(fileobj=cast(IO[bytes], _Read(chunks)), mode="r|") as packed:
            return sum(1 for entry in packed if "/" in entry.name.strip("/"))
    except tarfile.TarError as error:
        raise StepFailed(f"What was packed cannot be read: {error}.", "Look at the disk; then try again.") from error


class _Read:
    """What comes in pieces, as a file to be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (more := next(self._chunks, b"")):
            self._left += more
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def _file_name(deletion: Deletion, environment: Environment, volume: str) -> str:
    """`shop-api/production-3/volumes/uploads-of-deletion-7.tar.gz`: the same after a kill."""
    project, place = environment.project.replace("/", "-"), environment.name.replace("/", "-")
    folder = PurePosixPath(project, f"{place}-{environment.id}", "volumes")
    return str(folder / f"{volume.replace('/', '-')}-of-deletion-{deletion.id}.tar.gz")


def _until(services: Services) -> datetime:
    return services.now() + timedelta(days=services.settings.last_backup_days)


def forget_old(services: Services) -> None:
    """Those whose time has come, here and elsewhere."""
    with services.database.reading() as tx:
        over = store.over(tx, services.now())
    for backup in over:
        _forget(services, backup)


def _forget(services: Services, backup: LastBackup) -> None:
    try:
        if backup.remote:
            remote_copies.remove_file(services, backup.file)
    except CabestanError as error:
        _log.warning("a last backup stays elsewhere for now", file=backup.file, error=str(error))
        return
    services.backups.remove(backup.file)
    services.backups.remove_folder_of(backup.file)
    with services.database.writing() as tx:
        store.drop(tx, backup.id)
