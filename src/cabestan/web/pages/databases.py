"""Managed services and their backups."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.backup import Backup, BackupStatus, Operation
from cabestan.domain.managed import Instance
from cabestan.engine.deploying import settings
from cabestan.engine.managed import standing, wishes
from cabestan.store import backups as backup_store
from cabestan.store import environments as environment_store
from cabestan.store import managed as store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Configuring, Deploying, Inside, Reading, Text, see
from cabestan.web.pages.frame import Crumb

router = APIRouter()
_AT = "/{group}/{name}/databases"
_ONE = _AT + "/{database_id}"
_BACKUPS = 50
Number = Annotated[int, Form()]


@router.get(_AT)
def databases(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        found = store.of_project(tx, at.project.id)
        environments = environment_store.of_project(tx, at.project.id)
        said = [(e.name, store.is_managed(tx, e), store.settings_of(tx, e.id)) for e in environments]
    default = at.services.settings
    return at.html(
        "databases.html",
        "Databases",
        databases=standing.standings(at.services, found),
        environments=[
            (name, managed, own.schedule or default.backup_schedule, own.keep or default.backup_keep)
            for name, managed, own in said
        ],
        operation_text=operation_text,
    )


@router.post(_AT)
def set_managed(at: Configuring, environment: Text, managed: Text, schedule: Text, keep: Text) -> Response:
    """What an environment says about managed services."""
    with at.services.database.reading() as tx:
        found = environment_store.get(tx, at.project.id, environment)
    settings.set_managed(
        at.services, found, managed=managed, schedule=schedule.strip() or "default", keep=keep.strip() or "default"
    )
    return at.see("databases")


@router.get(_ONE)
def database(at: Reading, database_id: int) -> Response:
    instance = _of(at, database_id)
    with at.services.database.reading() as tx:
        backups = backup_store.page(tx, instance, limit=_BACKUPS)
    return at.html(
        "database.html",
        "Databases",
        Crumb(instance.name, href(instance)),
        db=standing.standing(at.services, instance),
        backups=[(backup, _places(backup)) for backup in backups],
        usable=usable,
        operation_text=operation_text,
    )


@router.post(_ONE + "/backup")
def back_up(at: Deploying, database_id: int) -> Response:
    instance = _of(at, database_id)
    wishes.back_up(at.services, instance, at.user.name)
    return see(href(instance))


@router.post(_ONE + "/verify")
def verify(at: Deploying, database_id: int, backup: Number) -> Response:
    instance = _of(at, database_id)
    wishes.verify(at.services, instance, _backup(at, instance, backup), at.user.name)
    return see(href(instance))


@router.post(_ONE + "/restore")
def restore(at: Configuring, database_id: int, backup: Number, confirm: Text) -> Response:
    instance = _of(at, database_id)
    wishes.restore(at.services, instance, _backup(at, instance, backup), at.user.name, confirm.strip())
    return see(href(instance))


@router.post(_ONE + "/upgrade")
def upgrade(at: Configuring, database_id: int, confirm: Text, version: Text = "") -> Response:
    instance = _of(at, database_id)
    wishes.upgrade(at.services, instance, version.strip(), at.user.name, confirm.strip())
    return see(href(instance))


@router.post(_ONE + "/limits")
def set_limits(at: Configuring, database_id: int, memory: Number, cpus: Text) -> Response:
    instance = _of(at, database_id)
    standing.set_limits(at.services, instance, memory, cpus.strip())
    return see(href(instance))


@router.post(_ONE + "/delete")
def delete(at: Configuring, database_id: int, confirm: Text) -> Response:
    instance = _of(at, database_id)
    wishes.delete(at.services, instance, at.user.name, confirm.strip())
    return see(href(instance))


def _of(at: Inside, database_id: int) -> Instance:
    return at.find(store.get, "managed service", database_id)


def _backup(at: Inside, instance: Instance, key: int) -> Backup:
    with at.services.database.reading() as tx:
        return backup_store.of_instance(tx, instance, key)


def _places(backup: Backup) -> str:
    return " and ".join(place for place, there in (("here", backup.here), ("elsewhere", backup.remote)) if there)


def usable(backup: Backup) -> bool:
    """To be restored and compared."""
    return (backup.here or backup.remote) and backup.status is not BackupStatus.RUNNING


def operation_text(operation: Operation) -> str:
    """`restore of backup 3 by anna`."""
    about = f" of backup {operation.backup_id}" if operation.backup_id is not None else ""
    to = f" to {operation.version}" if operation.version else ""
    return f"{operation.kind}{about}{to} by {operation.by}"
