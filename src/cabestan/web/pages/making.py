"""The page that makes a project."""

from fastapi import APIRouter, Response

from cabestan.domain import names
from cabestan.domain.access import Permission, User, may, may_in_group
from cabestan.engine.building import intake
from cabestan.engine.services import Services
from cabestan.errors import Forbidden
from cabestan.store import projects as store
from cabestan.web.access import SignedIn, Wired, require_admin
from cabestan.web.api.projects import DEFAULT_BRANCH
from cabestan.web.pages.answers import Asked, Text, html, see
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
_PLACE = "/new"


@router.get(_PLACE)
def ask(visitor: SignedIn, services: Wired, group: Asked = "") -> Response:
    """By an administrator, or by a maintainer of a group; others are told so."""
    groups = groups_for(services, visitor.user)
    frame = plain_frame(visitor, "New project", href=_PLACE)
    return html(
        "new.html",
        frame,
        groups=groups,
        group=group if group in groups or visitor.user.admin else "",
        branch=DEFAULT_BRANCH,
        may_make=bool(groups) or visitor.user.admin,
        any_group=visitor.user.admin,
        longest=names.PROJECT_NAME_LENGTH,
    )


@router.post(_PLACE)
def make(
    visitor: SignedIn, services: Wired, group: Text, project: Text, default_branch: Text = DEFAULT_BRANCH
) -> Response:
    name = names.project_name(f"{group.strip()}/{project.strip()}")
    branch = names.branch_name(default_branch.strip() or DEFAULT_BRANCH)
    if not may(visitor.user, Permission.CONFIGURE, name):
        require_admin(visitor.user)
        raise Forbidden(f"You may not make {name}.", "Ask an administrator.")
    return see(f"/{intake.create_project(services, name, branch).name}")


def groups_for(services: Services, user: User) -> tuple[str, ...]:
    """Those that the user may make a project in: a group is there as soon as a project is."""
    with services.database.reading() as tx:
        found = {project.group for project in store.all_projects(tx)}
    held = {scope for scope in user.roles if "/" not in scope}
    return tuple(sorted(group for group in found | held if may_in_group(user, Permission.CONFIGURE, group)))
