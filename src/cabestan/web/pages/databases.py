"""Managed services and their backups."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, User
from cabestan.domain.managed import Instance
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.engine.managed import standing, wishes
from cabestan.engine.services import Services
from cabestan.store import backups as backup_store
from cabestan.store import environments as environment_store
from cabestan.store import managed as store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import Text, can, check_place, framed, html, see
from cabestan.web.pages.views.databases import Rights, backup_views, database_view
from cabestan.web.pages.views.frame import Crumb, project_frame

router = APIRouter()
_AT = "/{group}/{name}/databases"
_BACKUPS = 50


@router.get(_AT)
def databases(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.of_project(tx, project.id)
        environments = environment_store.of_project(tx, project.id)
        said = [(e.name, store.is_managed(tx, e), store.settings_of(tx, e.id)) for e in environments]
    views = [database_view(value, services.now()) for value in standing.standings(services, found)]
    default = services.settings
    rows = [
        (name, managed, own.schedule or default.backup_schedule, own.keep or default.backup_keep)
        for name, managed, own in said
    ]
    return html(
        "databases.html",
        project_frame(framed(visitor), project.name, "Databases"),
        project=project.name,
        databases=views,
        environments=rows,
        may_configure=can(visitor.user, Permission.CONFIGURE, project.name),
    )


@router.post(_AT)
def set_managed(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: Text,
    managed: Text,
    schedule: Text,
    keep: Text,
) -> Response:
    """What an environment says about managed services."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
    settings.set_managed(
        services, found, managed=managed, schedule=schedule.strip() or "default", keep=keep.strip() or "default"
    )
    return see(f"/{project.name}/databases")


@router.get(_AT + "/{database_id}")
def database(visitor: SignedIn, services: Wired, group: str, name: str, database_id: int) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    instance = _of(services, project, database_id)
    with services.database.reading() as tx:
        backups = backup_store.page(tx, instance, limit=_BACKUPS)
    now = services.now()
    view = database_view(standing.standing(services, instance), now)
    return html(
        "database.html",
        project_frame(framed(visitor), project.name, "Databases", Crumb(instance.name, view.href)),
        project=project.name,
        db=view,
        backups=backup_views(backups, now),
        rights=_rights(visitor.user, project.name),
    )


@router.post(_AT + "/{database_id}/backup")
def back_up(visitor: SignedIn, services: Wired, group: str, name: str, database_id: int) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    instance = _of(services, project, database_id)
    wishes.back_up(services, instance, visitor.user.name)
    return _see(instance)


@router.post(_AT + "/{database_id}/verify")
def verify(
    visitor: SignedIn, services: Wired, group: str, name: str, database_id: int, backup: Annotated[int, Form()]
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    instance = _of(services, project, database_id)
    with services.database.reading() as tx:
        found = backup_store.of_instance(tx, instance, backup)
    wishes.verify(services, instance, found, visitor.user.name)
    return _see(instance)


@router.post(_AT + "/{database_id}/restore")
def restore(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    database_id: int,
    backup: Annotated[int, Form()],
    confirm: Text,
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    instance = _of(services, project, database_id)
    with services.database.reading() as tx:
        found = backup_store.of_instance(tx, instance, backup)
    wishes.restore(services, instance, found, visitor.user.name, confirm.strip())
    return _see(instance)


@router.post(_AT + "/{database_id}/upgrade")
def upgrade(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    database_id: int,
    confirm: Text,
    version: Text = "",
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    instance = _of(services, project, database_id)
    wishes.upgrade(services, instance, version.strip(), visitor.user.name, confirm.strip())
    return _see(instance)


@router.post(_AT + "/{database_id}/limits")
def set_limits(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    database_id: int,
    memory: Annotated[int, Form()],
    cpus: Text,
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    instance = _of(services, project, database_id)
    standing.set_limits(services, instance, memory, cpus.strip())
    return _see(instance)


@router.post(_AT + "/{database_id}/delete")
def delete(visitor: SignedIn, services: Wired, group: str, name: str, database_id: int, confirm: Text) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    instance = _of(services, project, database_id)
    wishes.delete(services, instance, visitor.user.name, confirm.strip())
    return _see(instance)


def _of(services: Services, project: Project, database_id: int) -> Instance:
    with services.database.reading() as tx:
        instance = store.get(tx, database_id)
    check_place(project.name, "managed service", database_id, instance.project)
    return instance


def _see(instance: Instance) -> Response:
    return see(f"/{instance.project}/databases/{instance.id}")


def _rights(user: User, project: str) -> Rights:
    return Rights(can(user, Permission.DEPLOY, project), can(user, Permission.CONFIGURE, project))
