"""Restart, stop, start, scale: each is a deployment of another kind, which can be looked at as those of releases."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission
from cabestan.domain.action import ActionKind, Numbers
from cabestan.engine.deploying import acting as engine
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.api import shapes

router = APIRouter()
_AT = "/projects/{group}/{name}/environments/{environment:path}"
#: of a service
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Meant(BaseModel):
    """Services; all where none is named."""

    model_config = ConfigDict(extra="forbid")
    services: list[Name] = Field(default_factory=list, max_length=200)


class Scale(BaseModel):
    """The number of replicas of each service; null for the Compose file's own."""

    model_config = ConfigDict(extra="forbid")
    replicas: dict[Name, int | None] = Field(max_length=200)


@router.post(_AT + "/restart", status_code=201)
def restart(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, meant: Meant) -> shapes.Json:
    """One container after the other, by each service's own rules for updates."""
    return _act(services, visitor, f"{group}/{name}", environment, ActionKind.RESTART, meant=meant)


@router.post(_AT + "/stop", status_code=201)
def stop(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, meant: Meant) -> shapes.Json:
    """Until it is started again: deployments keep it stopped, and say so in their plans."""
    return _act(services, visitor, f"{group}/{name}", environment, ActionKind.STOP, meant=meant)


@router.post(_AT + "/start", status_code=201)
def start(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, meant: Meant) -> shapes.Json:
    """What was stopped, with as many replicas as it had."""
    return _act(services, visitor, f"{group}/{name}", environment, ActionKind.START, meant=meant)


@router.post(_AT + "/scale", status_code=201)
def scale(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, wish: Scale) -> shapes.Json:
    """Deployments keep the numbers, and say so in their plans, until null takes them back."""
    numbers = tuple(wish.replicas.items())
    return _act(services, visitor, f"{group}/{name}", environment, ActionKind.SCALE, numbers=numbers)


def _act(
    services: Services,
    visitor: Visitor,
    project_name: str,
    environment: str,
    kind: ActionKind,
    *,
    meant: Meant | None = None,
    numbers: Numbers = (),
) -> shapes.Json:
    project = project_for(services, visitor.user, project_name, Permission.DEPLOY)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
    names = tuple(dict.fromkeys(meant.services)) if meant else ()
    return shapes.deployment(engine.act(services, found, kind, visitor.user, names=names, numbers=numbers))
