"""Members of a project."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, Role
from cabestan.store import outbox
from cabestan.store import users as user_store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.views.frame import project_frame
from cabestan.web.pages.views.settings import members_page

router = APIRouter()
_AT = "/{group}/{name}/settings"


@router.get(_AT + "/members")
def members(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        users = user_store.all_users(tx)
    page = members_page(users, project.name, may_configure=can(visitor.user, Permission.CONFIGURE, project.name))
    frame = project_frame(framed(visitor), project.name, "Members")
    return html("members.html", frame, project=project.name, page=page)


@router.post(_AT + "/members")
def set_member(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    user: Text,
    role: Annotated[Role | Literal[""], Form()] = "",
) -> Response:
    """Gives a role, or takes it away where none is named."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    with services.database.writing() as tx:
        user_store.set_role(tx, user_store.get(tx, user.strip()).id, project.name, role or None)
        outbox.tell(tx, project.id, services.now())
    return see(f"/{project.name}/settings/members")
