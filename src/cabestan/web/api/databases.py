"""Managed services, their backups, and what is done to them."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission
from cabestan.domain.backup import Backup, Operation
from cabestan.domain.managed import Instance
from cabestan.engine.deploying import settings
from cabestan.engine.managed import standing, wishes
from cabestan.engine.services import Services
from cabestan.store import backups as backup_store
from cabestan.store import environments as environment_store
from cabestan.store import managed as store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for, require
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit

router = APIRouter()


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Confirmed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    #: the database's name, as a person typed it
    confirm: str = Field(max_length=200)


class Restoring(Confirmed):
    backup: int = Field(ge=1)


class Upgrading(Confirmed):
    version: str = Field("", max_length=60)


class LimitsChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    memory: int | None = None
    cpus: str | None = Field(None, max_length=20)


class ManagedChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    managed: str | None = Field(None, max_length=20)
    schedule: str | None = Field(None, max_length=200)
    keep: str | None = Field(None, max_length=100)


@router.get("/projects/{group}/{name}/databases")
def databases(visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None) -> shapes.Json:
    """Of all environments or of one."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        key = environment_store.get(tx, project.id, environment).id if environment else None
        found = store.of_project(tx, project.id, key)
    return shapes.whole(standing.standings(services, found), database_shape)


@router.get("/projects/{group}/{name}/managed/{environment:path}")
def managed(visitor: SignedIn, services: Wired, group: str, name: str, environment: str) -> shapes.Json:
    """What the environment says about managed services."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    return _managed_shape(services, project.id, environment)


@router.put("/projects/{group}/{name}/managed/{environment:path}")
def set_managed(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: str, change: ManagedChange
) -> shapes.Json:
    """Changes what is given."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
    settings.set_managed(services, found, managed=change.managed, schedule=change.schedule, keep=change.keep)
    return _managed_shape(services, project.id, environment)


@router.get("/databases/{database_id}")
def database(visitor: SignedIn, services: Wired, database_id: int) -> shapes.Json:
    """With its health, size and connections, as it tells them now."""
    found = database_for(services, visitor, database_id, Permission.READ)
    return database_shape(standing.standing(services, found))


@router.put("/databases/{database_id}/limits")
def set_limits(visitor: SignedIn, services: Wired, database_id: int, change: LimitsChange) -> shapes.Json:
    """Memory and processors; the service starts anew with them."""
    found = database_for(services, visitor, database_id, Permission.CONFIGURE)
    changed = standing.set_limits(services, found, change.memory, change.cpus)
    return database_shape(standing.standing(services, changed))


@router.get("/databases/{database_id}/backups")
def backups(
    visitor: SignedIn, services: Wired, database_id: int, before: Before = None, limit: Limit = 50
) -> shapes.Json:
    """The newest first."""
    found = database_for(services, visitor, database_id, Permission.READ)
    with services.database.reading() as tx:
        page = backup_store.page(tx, found, before=before, limit=limit + 1)
    return shapes.page(page, limit, backup_shape, lambda backup: backup.id)


@router.post("/databases/{database_id}/backups", status_code=201)
def back_up(visitor: SignedIn, services: Wired, database_id: int, _body: Nothing) -> shapes.Json:
    """Now; it counts when it was restored into a scratch instance and compared."""
    found = database_for(services, visitor, database_id, Permission.DEPLOY)
    return operation_shape(services, wishes.back_up(services, found, visitor.user.name))


@router.post("/database-backups/{backup_id}/verify", status_code=201)
def verify(visitor: SignedIn, services: Wired, backup_id: int, _body: Nothing) -> shapes.Json:
    """Restores it into a scratch instance and compares all tables and rows."""
    found, backup = backup_for(services, visitor, backup_id, Permission.DEPLOY)
    return operation_shape(services, wishes.verify(services, found, backup, visitor.user.name))


@router.post("/databases/{database_id}/restore", status_code=201)
def restore(visitor: SignedIn, services: Wired, database_id: int, wish: Restoring) -> shapes.Json:
    """In the place of the present data, of which a copy is kept."""
    found = database_for(services, visitor, database_id, Permission.CONFIGURE)
    with services.database.reading() as tx:
        backup = backup_store.of_instance(tx, found, wish.backup)
    return operation_shape(services, wishes.restore(services, found, backup, visitor.user.name, wish.confirm))


@router.post("/databases/{database_id}/upgrade", status_code=201)
def upgrade(visitor: SignedIn, services: Wired, database_id: int, wish: Upgrading) -> shapes.Json:
    """To another version, by a dump and a restore; the former volume is kept."""
    found = database_for(services, visitor, database_id, Permission.CONFIGURE)
    return operation_shape(services, wishes.upgrade(services, found, wish.version, visitor.user.name, wish.confirm))


@router.post("/databases/{database_id}/delete", status_code=201)
def delete(visitor: SignedIn, services: Wired, database_id: int, wish: Confirmed) -> shapes.Json:
    """With all its data, after a last backup that was restored and compared."""
    found = database_for(services, visitor, database_id, Permission.CONFIGURE)
    return operation_shape(services, wishes.delete(services, found, visitor.user.name, wish.confirm))


@router.get("/database-operations/{operation_id}")
def operation(visitor: SignedIn, services: Wired, operation_id: int) -> shapes.Json:
    """A backup, restore and so on that was asked for, and what became of it."""
    with services.database.reading() as tx:
        found = backup_store.operation(tx, operation_id)
        instance = store.get(tx, found.instance_id)
    require(visitor.user, Permission.READ, instance.project, backup_store.no_operation(operation_id))
    return operation_shape(services, found)


def database_for(services: Services, visitor: Visitor, database_id: int, permission: Permission) -> Instance:
    """The managed service, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, database_id)
    require(visitor.user, permission, found.project, store.no_instance(database_id))
    return found


def backup_for(services: Services, visitor: Visitor, backup_id: int, permission: Permission) -> tuple[Instance, Backup]:
    with services.database.reading() as tx:
        backup = backup_store.get(tx, backup_id)
        found = store.get(tx, backup.instance_id)
    require(visitor.user, permission, found.project, backup_store.no_backup(backup_id))
    return found, backup


def database_shape(value: standing.Standing) -> shapes.Json:
    instance, vitals = value.instance, value.vitals
    return {
        **shapes.fields(instance, "id", "name", "project", "environment", "kind"),
        "product": instance.kind.product,
        **shapes.fields(instance, "version", "image", "status"),
        **shapes.fields(value, "health", "trouble"),
        "size": vitals.size if vitals else None,
        "connections": vitals.connections if vitals else None,
        "exact_version": vitals.version if vitals else None,
        **shapes.fields(instance, "database", "user"),
        **shapes.fields(instance.limits, "memory", "cpus"),
        **shapes.fields(instance, "volume", "kept_volumes"),
        "last_good_backup": backup_shape(value.good) if value.good else None,
        "latest_backup": backup_shape(value.latest) if value.latest else None,
        "next_backup": shapes.moment(value.next_due),
        "operation": _operation(value.operation) if value.operation else None,
        "created_at": shapes.moment(instance.created_at),
    }


def backup_shape(value: Backup) -> shapes.Json:
    return {
        "id": value.id,
        "database": value.instance_id,
        **shapes.fields(value, "reason", "status", "detail", "file", "bytes", "plain_bytes", "sha256", "version"),
        **shapes.fields(value, "tables", "rows", "here", "remote", "created_at", "taken_at", "verified_at"),
    }


def operation_shape(services: Services, value: Operation) -> shapes.Json:
    """With the backup that it took, as that stands now."""
    with services.database.reading() as tx:
        saved = backup_store.get(tx, value.saved_id) if value.saved_id is not None else None
    return _operation(value) | {"saved": backup_shape(saved) if saved else None}


def _operation(value: Operation) -> shapes.Json:
    return {
        "id": value.id,
        "database": value.instance_id,
        **shapes.fields(value, "kind", "status", "detail", "by"),
        "backup": value.backup_id,
        **shapes.fields(value, "created_at", "finished_at"),
    }


def _managed_shape(services: Services, project_id: int, name: str) -> shapes.Json:
    """What holds, and whether it is the environment's own word."""
    with services.database.reading() as tx:
        environment = environment_store.get(tx, project_id, name)
        said = store.settings_of(tx, environment.id)
        managed = store.is_managed(tx, environment)
    own = {"managed": said.managed is not None, "schedule": bool(said.schedule), "keep": bool(said.keep)}
    return {
        "environment": environment.name,
        "managed": managed,
        "schedule": said.schedule or services.settings.backup_schedule,
        "keep": said.keep or services.settings.backup_keep,
        "own": [key for key, is_own in own.items() if is_own],
    }
