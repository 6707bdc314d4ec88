"""Deleting projects, environments and volumes: what goes, at whose wish, and what was kept."""

from typing import Annotated

from fastapi import APIRouter, Query

from cabestan.domain.access import Permission, User, may_set_approval
from cabestan.domain.deletion import Deletion, Going
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.engine.deleting import shown, wishes
from cabestan.engine.services import Services
from cabestan.errors import Forbidden
from cabestan.store import deletions as store
from cabestan.store import environments as environment_store
from cabestan.web.access import SignedIn, Wired, project_for, require, sees_deletion
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit

router = APIRouter()
_PROJECT = "/projects/{group}/{name}"
#: as a person typed it
Confirm = Annotated[str, Query(max_length=200)]


@router.get(_PROJECT + "/deletion-preview")
def preview(visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None) -> shapes.Json:
    """What would go with the project, or with one environment of it."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    if environment is None:
        return shapes.whole(shown.of_project(services, project), _going)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
    return shapes.whole(shown.of_environment(services, found), _going)


@router.delete(_PROJECT, status_code=202)
def delete_project(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    confirm: Confirm = "",
    without_backup: bool = False,
) -> shapes.Json:
    """By a maintainer. `confirm` is the project's name; a last backup of its data is kept."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    require_approval_right(services, visitor.user, project)
    return _shape(
        services, wishes.delete_project(services, project, visitor.user.name, confirm, saving=not without_backup)
    )


@router.delete(_PROJECT + "/environments/{environment:path}", status_code=202)
def delete_environment(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: str,
    confirm: Confirm = "",
    without_backup: bool = False,
) -> shapes.Json:
    """By a maintainer; where there are approvers, by one of them. `confirm` is the environment's name."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    found = _environment(services, project, environment)
    require_approval_right(services, visitor.user, project, found)
    begun = wishes.delete_environment(services, found, visitor.user.name, confirm, saving=not without_backup)
    return _shape(services, begun)


@router.get(_PROJECT + "/volumes")
def volumes(visitor: SignedIn, services: Wired, group: str, name: str, environment: str) -> shapes.Json:
    """Of an environment; `used`: what serves there, or is being deployed, has it."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    found = wishes.volumes_of(services, _environment(services, project, environment))
    return shapes.whole(found, lambda volume: shapes.fields(volume, "name", "volume", "environment", "used"))


@router.delete(_PROJECT + "/volumes/{volume}", status_code=202)
def delete_volume(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    volume: str,
    environment: str = "",
    confirm: Confirm = "",
    without_backup: bool = False,
) -> shapes.Json:
    """One that nothing has which is deployed. `confirm` is its name in the Compose file."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    found = _environment(services, project, environment)
    require_approval_right(services, visitor.user, project, found)
    begun = wishes.delete_volume(services, found, volume, visitor.user.name, confirm, saving=not without_backup)
    return _shape(services, begun)


@router.get("/deletions")
def deletions(visitor: SignedIn, services: Wired, before: Before = None, limit: Limit = 50) -> shapes.Json:
    """Those of projects that one sees, or saw while they were there, and one's own; the newest first."""
    with services.database.reading() as tx:
        found = [one for one in store.page(tx, before=before) if sees_deletion(visitor.user, one)]
    return shapes.page(found[: limit + 1], limit, lambda one: _shape(services, one), lambda one: one.id)


@router.get("/deletions/{deletion}")
def deletion(visitor: SignedIn, services: Wired, deletion: int) -> shapes.Json:
    """How far it is, and what was kept."""
    with services.database.reading() as tx:
        found = store.get(tx, deletion)
    if found.by != visitor.user.name:
        require(visitor.user, Permission.READ, found.project, store.no_deletion(deletion))
    return _shape(services, found)


def require_approval_right(
    services: Services, user: User, project: Project, environment: Environment | None = None
) -> None:
    """Where an environment has approvers, they alone take it away: else a maintainer would get round them."""
    with services.database.reading() as tx:
        found = (environment,) if environment else environment_store.of_project(tx, project.id)
    for one in found:
        if not may_set_approval(user, project.name, one.approvers):
            raise Forbidden(
                f"{one.name} of {project.name} has approvers, and you are none of them.",
                f"Ask {', '.join(one.approvers)} or an administrator.",
            )


def _environment(services: Services, project: Project, name: str) -> Environment:
    with services.database.reading() as tx:
        return environment_store.get(tx, project.id, name)


def _going(line: Going) -> shapes.Json:
    return {"text": line.words, **shapes.fields(line, "count", "names", "kept")}


def _shape(services: Services, value: Deletion) -> shapes.Json:
    with services.database.reading() as tx:
        kept = store.kept(tx, value.id)
    told = shapes.fields(value, "id", "kind", "project", "environment", "volume", "by", "status", "at", "detail")
    keys = ("kind", "name", "environment", "bytes", "sha256", "here", "remote", "created_at", "kept_until")
    backups = [{"file": str(services.backups.path(one.file)), **shapes.fields(one, *keys)} for one in kept]
    times = shapes.fields(value, "created_at", "finished_at")
    return told | times | {"backups": backups, "url": f"{services.settings.public_url}/deletions/{value.id}"}
