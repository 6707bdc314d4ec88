"""The page of a project's waivers."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission
from cabestan.engine.deploying import waivers as engine
from cabestan.store import waivers as store
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.pages.answers import Text, framed, html, see
from cabestan.web.pages.views.frame import project_frame
from cabestan.web.pages.views.waivers import waivers_page

router = APIRouter()
_AT = "/{group}/{name}/settings/waivers"


@router.get(_AT)
def waivers(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        record = store.record(tx, project.id)
    page = waivers_page(record, may_waive=visitor.user.admin, now=services.now())
    frame = project_frame(framed(visitor), project.name, "Waivers")
    return html("waivers.html", frame, project=project.name, page=page)


@router.post(_AT)
def waive(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    code: Text,
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    require_admin(visitor.user)
    engine.waive(services, project, code.strip(), reason, visitor.user.name)
    return see(f"/{project.name}/settings/waivers")


@router.post(_AT + "/remove")
def take_back(visitor: SignedIn, services: Wired, group: str, name: str, code: Text) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    require_admin(visitor.user)
    engine.take_back(services, project, code, visitor.user.name)
    return see(f"/{project.name}/settings/waivers")
