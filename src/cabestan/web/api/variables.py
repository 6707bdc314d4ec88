"""Variables and secrets: of a group, of a project, of its environments, and what a deployment would get of them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission, User, may
from cabestan.domain.variable import Variable
from cabestan.engine.deploying import environments as engine
from cabestan.engine.deploying import settings
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store import variables as store
from cabestan.store.variables import Scope
from cabestan.web.access import SignedIn, Wired, group_for, project_for
from cabestan.web.api import shapes

router = APIRouter()
_PROJECT = "/projects/{group}/{name}"
_GROUP = "/groups/{group}"
Branch = Annotated[str, Query(max_length=200)]


class GroupValue(BaseModel):
    """`protected` and `masked` stay as they are where they are not given."""

    model_config = ConfigDict(extra="forbid")
    value: str
    protected: bool | None = None
    masked: bool | None = None


class Value(GroupValue):
    environment: str = Field("", max_length=100)


class Branches(BaseModel):
    model_config = ConfigDict(extra="forbid")
    branches: list[str] = Field(max_length=50)


@router.get(_PROJECT + "/environments/{environment:path}/variables")
def effective(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: str, branch: Branch = ""
) -> shapes.Json:
    """What a release of the branch (the default one where none is named) would get there, each from its level."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
        chosen = levels.effective(tx, found, branch).settings
    return _list(chosen, visitor.user, project.name)


@router.get(_PROJECT + "/variables")
def variables(visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None) -> shapes.Json:
    """Of the project, its environments and its group; of one environment alone where one is named."""
    return _settings(services, visitor.user, f"{group}/{name}", environment, secret=False)


@router.put(_PROJECT + "/variables/{variable}", status_code=204)
def set_variable(visitor: SignedIn, services: Wired, group: str, name: str, variable: str, wanted: Value) -> Response:
    return _set(services, visitor.user, f"{group}/{name}", variable, wanted, secret=False)


@router.delete(_PROJECT + "/variables/{variable}", status_code=204)
def unset_variable(
    visitor: SignedIn, services: Wired, group: str, name: str, variable: str, environment: str = ""
) -> Response:
    return _unset(services, visitor.user, f"{group}/{name}", environment, variable, secret=False)


@router.get(_PROJECT + "/variables/{variable}/history")
def variable_history(
    visitor: SignedIn, services: Wired, group: str, name: str, variable: str, environment: str = ""
) -> shapes.Json:
    """Every version, the newest first."""
    return _history(services, visitor.user, f"{group}/{name}", environment, variable)


@router.get(_PROJECT + "/secrets")
def secrets(visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None) -> shapes.Json:
    """Names and versions; never a value."""
    return _settings(services, visitor.user, f"{group}/{name}", environment, secret=True)


@router.put(_PROJECT + "/secrets/{secret}", status_code=204)
def set_secret(visitor: SignedIn, services: Wired, group: str, name: str, secret: str, wanted: Value) -> Response:
    return _set(services, visitor.user, f"{group}/{name}", secret, wanted, secret=True)


@router.delete(_PROJECT + "/secrets/{secret}", status_code=204)
def unset_secret(
    visitor: SignedIn, services: Wired, group: str, name: str, secret: str, environment: str = ""
) -> Response:
    return _unset(services, visitor.user, f"{group}/{name}", environment, secret, secret=True)


@router.get(_PROJECT + "/secrets/{secret}/history")
def secret_history(
    visitor: SignedIn, services: Wired, group: str, name: str, secret: str, environment: str = ""
) -> shapes.Json:
    """Who set which version when; never a value."""
    return _history(services, visitor.user, f"{group}/{name}", environment, secret)


@router.put(_PROJECT + "/protected-branches")
def protect(visitor: SignedIn, services: Wired, group: str, name: str, wanted: Branches) -> shapes.Json:
    """Patterns; only maintainers push to them, and what comes from elsewhere gets no protected variable or secret."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    return shapes.project(services, settings.protect_branches(services, project, wanted.branches))


@router.get(_GROUP + "/variables")
def group_variables(visitor: SignedIn, services: Wired, group: str) -> shapes.Json:
    return _group_settings(services, visitor.user, group, secret=False)


@router.put(_GROUP + "/variables/{variable}", status_code=204)
def set_group_variable(visitor: SignedIn, services: Wired, group: str, variable: str, wanted: GroupValue) -> Response:
    return _set_in_group(services, visitor.user, group, variable, wanted, secret=False)


@router.delete(_GROUP + "/variables/{variable}", status_code=204)
def unset_group_variable(visitor: SignedIn, services: Wired, group: str, variable: str) -> Response:
    return _unset_in_group(services, visitor.user, group, variable, secret=False)


@router.get(_GROUP + "/variables/{variable}/history")
def group_variable_history(visitor: SignedIn, services: Wired, group: str, variable: str) -> shapes.Json:
    return _group_history(services, visitor.user, group, variable)


@router.get(_GROUP + "/secrets")
def group_secrets(visitor: SignedIn, services: Wired, group: str) -> shapes.Json:
    """Names and versions; never a value."""
    return _group_settings(services, visitor.user, group, secret=True)


@router.put(_GROUP + "/secrets/{secret}", status_code=204)
def set_group_secret(visitor: SignedIn, services: Wired, group: str, secret: str, wanted: GroupValue) -> Response:
    return _set_in_group(services, visitor.user, group, secret, wanted, secret=True)


@router.delete(_GROUP + "/secrets/{secret}", status_code=204)
def unset_group_secret(visitor: SignedIn, services: Wired, group: str, secret: str) -> Response:
    return _unset_in_group(services, visitor.user, group, secret, secret=True)


@router.get(_GROUP + "/secrets/{secret}/history")
def group_secret_history(visitor: SignedIn, services: Wired, group: str, secret: str) -> shapes.Json:
    return _group_history(services, visitor.user, group, secret)


@router.get(_GROUP + "/environments")
def group_environments(visitor: SignedIn, services: Wired, group: str) -> shapes.Json:
    """Of all projects of the group that the user may see: what runs where, and what was changed since."""
    group_for(services, visitor.user, group, Permission.READ)
    with services.database.reading() as tx:
        projects = [p for p in project_store.of_group(tx, group) if may(visitor.user, Permission.READ, p.name)]
        found = [
            engine.standing(services, tx, environment)
            for project in projects
            for environment in environment_store.of_project(tx, project.id)
        ]
    return {"items": [shapes.standing(standing) for standing in found], "next": None}


def _settings(services: Services, user: User, name: str, environment: str | None, *, secret: bool) -> shapes.Json:
    project = project_for(services, user, name, Permission.READ)
    with services.database.reading() as tx:
        found = [s for s in store.applying(tx, project) if s.secret is secret]
    return _list([s for s in found if environment is None or s.environment == environment], user, project.name)


def _list(found: Sequence[Variable], user: User, project: str) -> shapes.Json:
    shown = may(user, Permission.CONFIGURE, project)
    return {"items": [shapes.setting(setting, masked_shown=shown) for setting in found], "next": None}


def _history(services: Services, user: User, name: str, environment: str, variable: str) -> shapes.Json:
    project = project_for(services, user, name, Permission.READ)
    scope = Scope(project.id, environment)
    with services.database.reading() as tx:
        return _list(_versions(store.history(tx, scope, variable), scope, variable), user, project.name)


def _versions(found: tuple[Variable, ...], scope: Scope, name: str) -> tuple[Variable, ...]:
    if not found:
        raise store.no_setting(scope, name, secret=False)
    return found


def _group_settings(services: Services, user: User, group: str, *, secret: bool) -> shapes.Json:
    group_for(services, user, group, Permission.READ)
    with services.database.reading() as tx:
        found = [s for s in store.current_in_group(tx, group) if s.secret is secret]
    return _list(found, user, group)


def _group_history(services: Services, user: User, group: str, variable: str) -> shapes.Json:
    group_for(services, user, group, Permission.READ)
    scope = Scope(group=group)
    with services.database.reading() as tx:
        return _list(_versions(store.history(tx, scope, variable), scope, variable), user, group)


def _set(services: Services, user: User, project: str, name: str, wanted: Value, *, secret: bool) -> Response:
    found = project_for(services, user, project, Permission.CONFIGURE)
    return _put(services, user, Scope(found.id, wanted.environment), name, wanted, secret=secret)


def _set_in_group(
    services: Services, user: User, group: str, name: str, wanted: GroupValue, *, secret: bool
) -> Response:
    group_for(services, user, group, Permission.CONFIGURE)
    return _put(services, user, Scope(group=group), name, wanted, secret=secret)


def _put(services: Services, user: User, scope: Scope, name: str, wanted: GroupValue, *, secret: bool) -> Response:
    flags = {"protected": wanted.protected, "masked": wanted.masked}
    settings.put(services, scope, name, wanted.value, user.name, secret=secret, **flags)
    return Response(status_code=204)


def _unset(services: Services, user: User, project: str, environment: str, name: str, *, secret: bool) -> Response:
    found = project_for(services, user, project, Permission.CONFIGURE)
    settings.remove(services, Scope(found.id, environment), name, secret=secret, by=user.name)
    return Response(status_code=204)


def _unset_in_group(services: Services, user: User, group: str, name: str, *, secret: bool) -> Response:
    group_for(services, user, group, Permission.CONFIGURE)
    settings.remove(services, Scope(group=group), name, secret=secret, by=user.name)
    return Response(status_code=204)
