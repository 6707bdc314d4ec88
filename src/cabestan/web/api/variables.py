"""Variables and secrets: of a group, of a project, of its environments, and what a deployment would get of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
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


@dataclass(frozen=True)
class Noun:
    """Variables, or secrets: the same but for what is told of them. The words are those of the API's description."""

    one: str
    secret: bool
    of_project: str
    of_group: str
    history: str

    @property
    def several(self) -> str:
        return f"{self.one}s"


_VARIABLES = Noun(
    "variable",
    secret=False,
    of_project="Of the project, its environments and its group; of one environment alone where one is named.",
    of_group="",
    history="Every version, the newest first.",
)
_SECRETS = Noun(
    "secret",
    secret=True,
    of_project="Names and versions; never a value.",
    of_group="Names and versions; never a value.",
    history="Who set which version when; never a value.",
)


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


def _add_to_projects(noun: Noun) -> None:
    at = f"{_PROJECT}/{noun.several}"
    each = f"{at}/{{{noun.one}}}"

    @router.get(at, name=noun.several, description=noun.of_project)
    def listed(
        visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None
    ) -> shapes.Json:
        project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
        with services.database.reading() as tx:
            found = [s for s in store.applying(tx, project) if s.secret is noun.secret]
        apt = [s for s in found if environment is None or s.environment == environment]
        return _list(apt, visitor.user, project.name)

    @router.put(each, name=f"set_{noun.one}", status_code=204)
    def put(
        visitor: SignedIn, services: Wired, group: str, name: str, wanted: Value, key: str = Path(alias=noun.one)
    ) -> Response:
        project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
        return _put(services, visitor.user, Scope(project.id, wanted.environment), noun, key, wanted)

    @router.delete(each, name=f"unset_{noun.one}", status_code=204)
    def unset(
        visitor: SignedIn,
        services: Wired,
        group: str,
        name: str,
        key: str = Path(alias=noun.one),
        environment: str = "",
    ) -> Response:
        project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
        return _unset(services, visitor.user, Scope(project.id, environment), noun, key)

    @router.get(f"{each}/history", name=f"{noun.one}_history", description=noun.history)
    def history(
        visitor: SignedIn,
        services: Wired,
        group: str,
        name: str,
        key: str = Path(alias=noun.one),
        environment: str = "",
    ) -> shapes.Json:
        project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
        return _history(services, visitor.user, Scope(project.id, environment), key, project.name)


def _add_to_groups(noun: Noun) -> None:
    at = f"{_GROUP}/{noun.several}"
    each = f"{at}/{{{noun.one}}}"

    @router.get(at, name=f"group_{noun.several}", description=noun.of_group)
    def listed(visitor: SignedIn, services: Wired, group: str) -> shapes.Json:
        group_for(services, visitor.user, group, Permission.READ)
        with services.database.reading() as tx:
            found = [s for s in store.current_in_group(tx, group) if s.secret is noun.secret]
        return _list(found, visitor.user, group)

    @router.put(each, name=f"set_group_{noun.one}", status_code=204)
    def put(
        visitor: SignedIn, services: Wired, group: str, wanted: GroupValue, key: str = Path(alias=noun.one)
    ) -> Response:
        group_for(services, visitor.user, group, Permission.CONFIGURE)
        return _put(services, visitor.user, Scope(group=group), noun, key, wanted)

    @router.delete(each, name=f"unset_group_{noun.one}", status_code=204)
    def unset(visitor: SignedIn, services: Wired, group: str, key: str = Path(alias=noun.one)) -> Response:
        group_for(services, visitor.user, group, Permission.CONFIGURE)
        return _unset(services, visitor.user, Scope(group=group), noun, key)

    @router.get(f"{each}/history", name=f"group_{noun.one}_history")
    def history(visitor: SignedIn, services: Wired, group: str, key: str = Path(alias=noun.one)) -> shapes.Json:
        group_for(services, visitor.user, group, Permission.READ)
        return _history(services, visitor.user, Scope(group=group), key, group)


_add_to_projects(_VARIABLES)
_add_to_projects(_SECRETS)


@router.put(_PROJECT + "/protected-branches")
def protect(visitor: SignedIn, services: Wired, group: str, name: str, wanted: Branches) -> shapes.Json:
    """Patterns; only maintainers push to them, and what comes from elsewhere gets no protected variable or secret."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    return shapes.project(services, settings.protect_branches(services, project, wanted.branches))


_add_to_groups(_VARIABLES)
_add_to_groups(_SECRETS)


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
    return shapes.whole(found, shapes.standing)


def _list(found: Iterable[Variable], user: User, place: str) -> shapes.Json:
    """`place` is the group or the project; masked values are for those who may change them there."""
    shown = may(user, Permission.CONFIGURE, place)
    return shapes.whole(found, lambda setting: shapes.setting(setting, masked_shown=shown))


def _history(services: Services, user: User, scope: Scope, name: str, place: str) -> shapes.Json:
    with services.database.reading() as tx:
        found = store.history(tx, scope, name)
    if not found:
        raise store.no_setting(scope, name, secret=False)
    return _list(found, user, place)


def _put(services: Services, user: User, scope: Scope, noun: Noun, name: str, wanted: GroupValue) -> Response:
    flags = {"protected": wanted.protected, "masked": wanted.masked}
    settings.put(services, scope, name, wanted.value, user.name, secret=noun.secret, **flags)
    return Response(status_code=204)


def _unset(services: Services, user: User, scope: Scope, noun: Noun, name: str) -> Response:
    settings.remove(services, scope, name, secret=noun.secret, by=user.name)
    return Response(status_code=204)
