"""Who has which role in a project, or in all projects of a group."""

from collections.abc import Iterable

from fastapi import APIRouter, Response

from cabestan.domain import names
from cabestan.domain.access import Permission, User, may_in_group
from cabestan.engine.services import Services
from cabestan.store import users as store
from cabestan.web.access import SignedIn, Wired, group_for, project_for, require_all_rights
from cabestan.web.api import shapes
from cabestan.web.api.projects import Membership

router = APIRouter()


@router.get("/projects/{group}/{name}/members")
def project_members(visitor: SignedIn, services: Wired, group: str, name: str) -> shapes.Json:
    """With those who have a role in its group; administrators may do everything anyway."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    return shapes.whole(_members(services, (project.name, project.group)), lambda one: one)


@router.get("/groups/{group}/members")
def group_members(visitor: SignedIn, services: Wired, group: str) -> shapes.Json:
    group_for(services, visitor.user, group, Permission.READ)
    return shapes.whole(_members(services, (group,)), lambda one: one)


@router.put("/groups/{group}/members/{user}", status_code=204)
def set_group_member(visitor: SignedIn, services: Wired, group: str, user: str, wanted: Membership) -> Response:
    """A role in all projects of the group, or none any more. An administrator makes a group so, before its projects."""
    may_set_in_group(services, visitor.user, group)
    with services.database.writing() as tx:
        store.set_role(tx, store.get(tx, user).id, group, wanted.role)
    return Response(status_code=204)


def may_set_in_group(services: Services, user: User, group: str) -> None:
    """Raises NotFound, Forbidden, and Invalid for a name that no group can have."""
    require_all_rights(user)
    if user.admin or may_in_group(user, Permission.CONFIGURE, group):
        names.project_name(f"{group}/x")
    else:
        group_for(services, user, group, Permission.CONFIGURE)


def _members(services: Services, scopes: Iterable[str]) -> list[shapes.Json]:
    with services.database.reading() as tx:
        everybody = store.all_users(tx)
    held = ((user, scope, user.roles.get(scope)) for user in everybody for scope in scopes)
    return [{"user": user.name, "role": role, "scope": scope} for user, scope, role in held if role]
