"""Variables and secrets: a project's page, a group's, and the history of one name."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from cabestan.compose.stack import Stack
from cabestan.domain.access import Permission, may_in_group
from cabestan.domain.environment import Environment
from cabestan.domain.variable import Variable
from cabestan.engine.deploying import settings as engine
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.errors import Invalid
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import variables as store
from cabestan.store.variables import Scope
from cabestan.web.access import SignedIn, Visitor, Wired, group_for
from cabestan.web.pages.answers import Asked, Configuring, Inside, Reading, html, see
from cabestan.web.pages.frame import Crumb, plain_frame
from cabestan.web.pages.readers import Reader, effective_rows
from cabestan.web.pages.templating import split_list

router = APIRouter()
_AT = "/{group}/{name}/settings/variables"
_GROUP = "/groups/{group}/variables"
#: of a flag: as it was, on, off
Flag = Literal["", "yes", "no"]
_FLAGS = {"": None, "yes": True, "no": False}


class Named(BaseModel):
    """The form that takes a variable or a secret away."""

    variable: str = Field(max_length=200)
    kind: Literal["variable", "secret"]
    environment: str = Field("", max_length=200)

    def remove(self, services: Services, scope: Scope, visitor: Visitor) -> None:
        engine.remove(services, scope, self.variable, secret=self.kind == "secret", by=visitor.user.name)


class Wanted(Named):
    """The form that sets one. A secret of one line is typed into one field, one of several into another."""

    value: str = ""
    lines: str = ""
    protected: Flag = ""
    masked: Flag = ""

    def put(self, services: Services, scope: Scope, visitor: Visitor) -> None:
        """Browsers send line ends as CR LF; what was typed had LF."""
        if self.value and self.lines:
            raise Invalid("There is a value in both fields.", "Fill in one of them.")
        engine.put(
            services,
            scope,
            self.variable.strip(),
            (self.value or self.lines).replace("\r\n", "\n"),
            visitor.user.name,
            secret=self.kind == "secret",
            protected=_FLAGS[self.protected],
            masked=_FLAGS[self.masked],
        )


@router.get(_GROUP)
def group_variables(visitor: SignedIn, services: Wired, group: str) -> Response:
    group_for(services, visitor.user, group, Permission.READ)
    reader = _group_reader(visitor, group)
    with services.database.reading() as tx:
        found = reader.shown(store.current_in_group(tx, group))
    return _group_html(
        "variables.html", visitor, services, reader=reader, settings=found, scopes=(), effective={}, outdated=()
    )


@router.post(_GROUP)
def set_group_variable(visitor: SignedIn, services: Wired, group: str, wanted: Annotated[Wanted, Form()]) -> Response:
    group_for(services, visitor.user, group, Permission.CONFIGURE)
    wanted.put(services, Scope(group=group), visitor)
    return see(_group_base(group))


@router.post(_GROUP + "/unset")
def unset_group_variable(visitor: SignedIn, services: Wired, group: str, named: Annotated[Named, Form()]) -> Response:
    group_for(services, visitor.user, group, Permission.CONFIGURE)
    named.remove(services, Scope(group=group), visitor)
    return see(_group_base(group))


@router.get(_GROUP + "/history")
def group_history(visitor: SignedIn, services: Wired, group: str, variable: Asked) -> Response:
    group_for(services, visitor.user, group, Permission.READ)
    found = _history(services, Scope(group=group), variable, _group_reader(visitor, group))
    return _group_html("variable_history.html", visitor, services, **found)


@router.get(_AT)
def variables(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        environments = environment_store.of_project(tx, at.project.id)
        reader = _reader(at, _files(tx, environments))
        late = [levels.outdated(tx, environment) for environment in environments]
        chosen = [levels.effective(tx, environment) for environment in environments]
        settings = reader.shown(_by_name(store.applying(tx, at.project)))
    return at.html(
        "variables.html",
        "Variables",
        reader=reader,
        settings=settings,
        scopes=[environment.name for environment in environments],
        effective=effective_rows(chosen, masked_shown=reader.may_configure),
        outdated=[found for found in late if found],
        protected_branches=at.project.protected_branches,
    )


@router.post(_AT)
def set_variable(at: Configuring, wanted: Annotated[Wanted, Form()]) -> Response:
    """A new version."""
    wanted.put(at.services, Scope(at.project.id, wanted.environment), at.visitor)
    return _see(at, wanted.environment)


@router.post(_AT + "/unset")
def unset_variable(at: Configuring, named: Annotated[Named, Form()]) -> Response:
    named.remove(at.services, Scope(at.project.id, named.environment), at.visitor)
    return _see(at, named.environment)


@router.get(_AT + "/history")
def history(at: Reading, variable: Asked, environment: Asked = "") -> Response:
    reader = _reader(at)
    found = _history(at.services, Scope(at.project.id, environment), variable, reader)
    here = Crumb(variable, f"{reader.base}/history?variable={variable}")
    return at.html("variable_history.html", "Variables", here, **found)


@router.post("/{group}/{name}/settings/protected-branches")
def protect(at: Configuring, branches: Annotated[str, Form(max_length=2000)] = "") -> Response:
    engine.protect_branches(at.services, at.project, split_list(branches))
    return _see(at, "")


def _reader(at: Inside, files: frozenset[str] = frozenset()) -> Reader:
    name, group = at.project.name, at.project.group
    seen = _group_base(group) if may_in_group(at.user, Permission.READ, group) else ""
    return Reader(f"/{name}/settings/variables", at.rights.configure, project=name, files=files, group_href=seen)


def _group_reader(visitor: Visitor, group: str) -> Reader:
    configure = may_in_group(visitor.user, Permission.CONFIGURE, group)
    return Reader(_group_base(group), configure, group=group, group_href=_group_base(group))


def _group_base(group: str) -> str:
    return f"/groups/{group}/variables"


def _group_html(template: str, visitor: Visitor, services: Services, *, reader: Reader, **values: Any) -> Response:
    frame = plain_frame(visitor, f"Variables of the group {reader.group}", href=reader.base)
    return html(template, frame, reader=reader, now=services.now(), **values)


def _files(tx: sa.Connection, environments: Iterable[Environment]) -> frozenset[str]:
    """The secrets that services of what serves get as files."""
    keys = (environment.current_deployment_id for environment in environments)
    plans = (deployment_store.plan_of(tx, key) for key in keys if key is not None)
    return frozenset(name for plan in plans if plan for name in Stack.from_yaml(plan.stack).secret_files.values())


def _by_name(settings: Iterable[Variable]) -> list[Variable]:
    return sorted(settings, key=lambda setting: (setting.name, setting.level, setting.environment))


def _history(services: Services, scope: Scope, variable: str, reader: Reader) -> dict[str, Any]:
    """Every version, without the values that the reader may not see."""
    with services.database.reading() as tx:
        versions = store.history(tx, scope, variable)
    if not versions:
        raise store.no_setting(scope, variable, secret=False)
    return {"name": variable, "where": scope.words, "reader": reader, "versions": reader.shown(versions)}


def _see(at: Inside, environment: str) -> Response:
    """Back to where a variable of this scope is shown."""
    return at.see(f"environments/{environment}" if environment else "settings/variables")
