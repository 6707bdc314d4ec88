"""Variables, secrets and members of a project."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, Role
from cabestan.engine import settings as engine
from cabestan.store import configuration as store
from cabestan.store import environments as environment_store
from cabestan.store import users as user_store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.views.frame import project_frame
from cabestan.web.pages.views.settings import VariablesPage, members_page, setting_rows

router = APIRouter()
_AT = "/{group}/{name}/settings"
Kind = Annotated[Literal["variable", "secret"], Form()]


@router.get(_AT + "/variables")
def variables(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        rows = setting_rows(store.current(tx, project.id), services.now())
        scopes = tuple(e.name for e in environment_store.of_project(tx, project.id))
    page = VariablesPage(rows, scopes, can(visitor.user, Permission.CONFIGURE, project.name))
    frame = project_frame(framed(visitor), project.name, "Variables")
    return html("variables.html", frame, project=project.name, page=page)


@router.post(_AT + "/variables")
def set_variable(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    variable: Text,
    kind: Kind,
    environment: Text = "",
    value: Annotated[str, Form()] = "",
) -> Response:
    """A new version. Browsers send line ends as CR LF; what was typed had LF."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    put = engine.set_secret if kind == "secret" else engine.set_variable
    put(services, project, environment, variable.strip(), value.replace("\r\n", "\n"), visitor.user.name)
    return _see(project.name, environment)


@router.post(_AT + "/variables/unset")
def unset_variable(
    visitor: SignedIn, services: Wired, group: str, name: str, variable: Text, kind: Kind, environment: Text = ""
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    engine.unset(services, project, environment, variable, secret=kind == "secret", by=visitor.user.name)
    return _see(project.name, environment)


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
    services.changes.publish(project.name)
    return see(f"/{project.name}/settings/members")


def _see(project: str, environment: str) -> Response:
    """Back to where a variable of this scope is shown."""
    return see(f"/{project}/environments/{environment}" if environment else f"/{project}/settings/variables")
