"""Copies of backups in other storage, where the setting `backup_remote` names one."""

from cabestan.adapters.rclone import Remote
from cabestan.domain.backup import Backup
from cabestan.domain.managed import Instance
from cabestan.engine.services import Services
from cabestan.errors import StepFailed
from cabestan.store import backups as store


def copy(services: Services, instance: Instance) -> None:
    """All that is not there yet, so that what failed once is made up for. Raises StepFailed."""
    if not services.settings.backup_remote:
        return
    with services.database.reading() as tx:
        missing = [backup for backup in store.stored(tx, instance.id) if backup.here and not backup.remote]
    for backup in missing:
        try:
            _put(services, backup)
        except StepFailed as error:
            words = f"Backup {backup.id} is here, but could not be copied elsewhere: {error.message}"
            raise StepFailed(words, error.remedy) from error
        with services.database.writing() as tx:
            store.update(tx, backup.id, remote=True)


def fetch(services: Services, backup: Backup) -> None:
    """Its file, where it is not here any more."""
    path = services.backups.path(backup.file)
    if not path.exists() and backup.remote and services.settings.backup_remote:
        _remote(services).fetch(backup.file, path)


def remove(services: Services, backup: Backup) -> None:
    if backup.remote:
        remove_file(services, backup.file)


def _put(services: Services, backup: Backup) -> None:
    put_file(services, backup.file)


def put_file(services: Services, file: str) -> bool:
    """False where there is no other storage. The file that tells what is in it comes last: where it is, the other one
    is whole.
    """
    if not services.settings.backup_remote:
        return False
    remote = _remote(services)
    remote.put(services.backups.path(file), file)
    remote.put(services.backups.described(file), f"{file}.json")
    return True


def remove_file(services: Services, file: str) -> None:
    """With the one that tells what is in it."""
    if services.settings.backup_remote:
        for name in (file, f"{file}.json"):
            _remote(services).remove(name)


def _remote(services: Services) -> Remote:
    return Remote(services.settings.backup_remote, services.settings.backup_seconds)
