"""Variables and secrets: a project's page, a group's, and the history of one name."""

from collections.abc import Iterable
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Response

from cabestan.compose.stack import Stack
from cabestan.domain.access import Permission, may_in_group
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.domain.variable import Variable
from cabestan.engine.deploying import settings as engine
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.errors import Invalid
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import variables as store
from cabestan.store.variables import Scope
from cabestan.web.access import SignedIn, Visitor, Wired, group_for, project_for
from cabestan.web.pages.answers import Text, can, framed, html, see
from cabestan.web.pages.views.environments import split_list
from cabestan.web.pages.views.frame import Crumb, Frame, plain_frame, project_frame
from cabestan.web.pages.views.variables import (
    HistoryPage,
    Place,
    Reader,
    VariablesPage,
    effective_rows,
    outdated_note,
    setting_rows,
    shown_branches,
)

router = APIRouter()
_AT = "/{group}/{name}/settings/variables"
_GROUP = "/groups/{group}/variables"
Kind = Annotated[Literal["variable", "secret"], Form()]
#: of a flag: as it was, on, off
Flag = Annotated[Literal["", "yes", "no"], Form()]
Asked = Annotated[str, Query(max_length=200)]
_FLAGS = {"": None, "yes": True, "no": False}


@router.get(_GROUP)
def group_variables(visitor: SignedIn, services: Wired, group: str) -> Response:
    group_for(services, visitor.user, group, Permission.READ)
    configure = may_in_group(visitor.user, Permission.CONFIGURE, group)
    place = _group_place(group)
    with services.database.reading() as tx:
        reader = Reader(place, services.now(), configure, group_href=place.base)
        rows = setting_rows(store.current_in_group(tx, group), reader)
    page = VariablesPage(place, rows, (), (), (), "", configure)
    return html("variables.html", _group_frame(visitor, group), page=page)


@router.post(_GROUP)
def set_group_variable(
    visitor: SignedIn,
    services: Wired,
    group: str,
    variable: Text,
    kind: Kind,
    value: Annotated[str, Form()] = "",
    lines: Annotated[str, Form()] = "",
    protected: Flag = "",
    masked: Flag = "",
) -> Response:
    group_for(services, visitor.user, group, Permission.CONFIGURE)
    _put(services, visitor, Scope(group=group), variable, kind, _typed(value, lines), protected, masked)
    return see(_group_place(group).base)


@router.post(_GROUP + "/unset")
def unset_group_variable(visitor: SignedIn, services: Wired, group: str, variable: Text, kind: Kind) -> Response:
    group_for(services, visitor.user, group, Permission.CONFIGURE)
    engine.remove(services, Scope(group=group), variable, secret=kind == "secret", by=visitor.user.name)
    return see(_group_place(group).base)


@router.get(_GROUP + "/history")
def group_history(visitor: SignedIn, services: Wired, group: str, variable: Asked) -> Response:
    group_for(services, visitor.user, group, Permission.READ)
    configure = may_in_group(visitor.user, Permission.CONFIGURE, group)
    place, scope = _group_place(group), Scope(group=group)
    page = _history(services, scope, variable, Reader(place, services.now(), configure, group_href=place.base))
    return html("variable_history.html", _group_frame(visitor, group), page=page)


@router.get(_AT)
def variables(visitor: SignedIn, services: Wired, group: str, name: str) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        page = _page(services, tx, project, visitor)
    return html("variables.html", project_frame(framed(visitor), project.name, "Variables"), page=page)


@router.post(_AT)
def set_variable(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    variable: Text,
    kind: Kind,
    environment: Text = "",
    value: Annotated[str, Form()] = "",
    lines: Annotated[str, Form()] = "",
    protected: Flag = "",
    masked: Flag = "",
) -> Response:
    """A new version."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    _put(services, visitor, Scope(project.id, environment), variable, kind, _typed(value, lines), protected, masked)
    return _see(project.name, environment)


@router.post(_AT + "/unset")
def unset_variable(
    visitor: SignedIn, services: Wired, group: str, name: str, variable: Text, kind: Kind, environment: Text = ""
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    scope = Scope(project.id, environment)
    engine.remove(services, scope, variable, secret=kind == "secret", by=visitor.user.name)
    return _see(project.name, environment)


@router.get(_AT + "/history")
def history(
    visitor: SignedIn, services: Wired, group: str, name: str, variable: Asked, environment: Asked = ""
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    configure = can(visitor.user, Permission.CONFIGURE, project.name)
    place, scope = _place(project), Scope(project.id, environment)
    page = _history(services, scope, variable, Reader(place, services.now(), configure))
    here = Crumb(variable, f"{place.base}/history?variable={variable}")
    frame = project_frame(framed(visitor), project.name, "Variables", here)
    return html("variable_history.html", frame, page=page)


@router.post("/{group}/{name}/settings/protected-branches")
def protect(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    branches: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    engine.protect_branches(services, project, split_list(branches))
    return _see(project.name, "")


def _page(services: Services, tx: sa.Connection, project: Project, visitor: Visitor) -> VariablesPage:
    environments = environment_store.of_project(tx, project.id)
    configure = can(visitor.user, Permission.CONFIGURE, project.name)
    group = project.group
    group_href = _group_place(group).base if may_in_group(visitor.user, Permission.READ, group) else ""
    reader = Reader(_place(project), services.now(), configure, _files(tx, environments), group_href)
    late = (levels.outdated(tx, environment) for environment in environments)
    chosen = [levels.effective(tx, environment) for environment in environments]
    return VariablesPage(
        place=reader.place,
        rows=setting_rows(_by_name(store.applying(tx, project)), reader),
        scopes=tuple(environment.name for environment in environments),
        effective=effective_rows(chosen, masked_shown=configure),
        notes=tuple(outdated_note(found) for found in late if found),
        protected_branches=shown_branches(project.protected_branches),
        may_configure=configure,
        may_deploy=can(visitor.user, Permission.DEPLOY, project.name),
        group_href=group_href,
    )


def _files(tx: sa.Connection, environments: Iterable[Environment]) -> frozenset[str]:
    """The secrets that services of what serves get as files."""
    keys = (environment.current_deployment_id for environment in environments)
    plans = (deployment_store.plan_of(tx, key) for key in keys if key is not None)
    return frozenset(name for plan in plans if plan for name in Stack.from_yaml(plan.stack).secret_files.values())


def _by_name(settings: Iterable[Variable]) -> list[Variable]:
    return sorted(settings, key=lambda setting: (setting.name, setting.level, setting.environment))


def _history(services: Services, scope: Scope, variable: str, reader: Reader) -> HistoryPage:
    with services.database.reading() as tx:
        versions = store.history(tx, scope, variable)
    if not versions:
        raise store.no_setting(scope, variable, secret=False)
    return HistoryPage(variable, scope.words, setting_rows(versions, reader), reader.place.base)


def _typed(value: str, lines: str) -> str:
    """A secret of one line is typed into one field, one of several into another."""
    if value and lines:
        raise Invalid("There is a value in both fields.", "Fill in one of them.")
    return value or lines


def _put(
    services: Services, visitor: Visitor, scope: Scope, name: str, kind: str, value: str, protected: str, masked: str
) -> None:
    """Browsers send line ends as CR LF; what was typed had LF."""
    engine.put(
        services,
        scope,
        name.strip(),
        value.replace("\r\n", "\n"),
        visitor.user.name,
        secret=kind == "secret",
        protected=_FLAGS[protected],
        masked=_FLAGS[masked],
    )


def _place(project: Project) -> Place:
    return Place(f"/{project.name}/settings/variables", project=project.name)


def _group_place(group: str) -> Place:
    return Place(f"/groups/{group}/variables", group=group)


def _group_frame(visitor: Visitor, group: str) -> Frame:
    return plain_frame(framed(visitor), f"Variables of the group {group}", href=_group_place(group).base)


def _see(project: str, environment: str) -> Response:
    """Back to where a variable of this scope is shown."""
    return see(f"/{project}/environments/{environment}" if environment else f"/{project}/settings/variables")
