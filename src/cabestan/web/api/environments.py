"""Environments and their plans."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cabestan.adapters.tasks import ServiceState
from cabestan.domain.access import Permission
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.observed import SeenService
from cabestan.domain.project import Project
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.deploying import environments as engine
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.evidence import gather
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.observing.availability import answering
from cabestan.engine.observing.judging import judged
from cabestan.engine.services import Services
from cabestan.store import environments as store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.api import shapes
from cabestan.web.api.availability import answering_shape

router = APIRouter()
_AT = "/projects/{group}/{name}/environments"


class EnvironmentChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    domain: str | None = Field(None, max_length=253)
    trigger: Trigger | None = None
    branches: list[str] | None = Field(None, max_length=50)
    approvers: list[str] | None = Field(None, max_length=50)
    target: str | None = Field(None, max_length=100)
    watch_seconds: int | None = None
    plain_http: bool | None = None
    time_zone: str | None = Field(None, max_length=100)
    compose_files: list[str] | None = Field(None, max_length=10)
    uptime: bool | None = None
    uptime_path: str | None = Field(None, max_length=200)
    uptime_status: int | None = None


@router.get(_AT)
def environments(visitor: SignedIn, services: Wired, group: str, name: str) -> shapes.Json:
    """In the order in which a release travels."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = [engine.standing(services, tx, e) for e in store.of_project(tx, project.id)]
    return shapes.whole(found, shapes.standing)


@router.get(_AT + "/{environment:path}/plan")
def plan(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: str,
    release: int | None = None,
    rollback: bool = False,
) -> shapes.Json:
    """What a deployment of the release (the newest where none is named), or a rollback to it, would do."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.get(tx, project.id, environment)
        wanted = (
            deployments.way_back(tx, found, release)
            if rollback
            else Wanted(release_store.chosen(tx, found, release), found)
        )
        made = make_plan(services, tx, wanted)
        told = shapes.plan(plan_for(tx, visitor.user, project.name, made)) or {}
    return told | {"evidence": shapes.evidence(gather(services, wanted))}


@router.get(_AT + "/{environment:path}")
def environment(visitor: SignedIn, services: Wired, group: str, name: str, environment: str) -> shapes.Json:
    """With its services and tasks, as the engine tells them now."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    return _one(services, project, environment)


@router.put(_AT + "/{environment:path}")
def set_environment(
    visitor: SignedIn, services: Wired, group: str, name: str, environment: str, change: EnvironmentChange
) -> shapes.Json:
    """Changes what is given, or makes it."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    changed = settings.set_environment(
        services,
        project,
        environment,
        visitor.user,
        domain=change.domain,
        trigger=change.trigger,
        branches=None if change.branches is None else tuple(change.branches),
        approvers=None if change.approvers is None else tuple(change.approvers),
        target=change.target,
        watch_seconds=change.watch_seconds,
        plain_http=change.plain_http,
        time_zone=change.time_zone,
        compose_files=None if change.compose_files is None else tuple(change.compose_files),
        uptime=change.uptime,
        uptime_path=change.uptime_path,
        uptime_status=change.uptime_status,
    )
    with services.database.reading() as tx:
        return shapes.standing(engine.standing(services, tx, changed))


def _one(services: Services, project: Project, name: str) -> shapes.Json:
    with services.database.reading() as tx:
        found: Environment = store.get(tx, project.id, name)
        standing = engine.standing(services, tx, found)
        answers = answering(services, tx, found)
    state = engine.services_of(services, found)
    known = {service.name: service for service in standing.seen.services} if standing.seen else {}
    now = services.now()
    there = [_service(known.get(service.name) or judged(service, now), service) for service in state.services]
    return shapes.standing(standing) | {"services": there} | answering_shape(answers)


def _service(seen: SeenService, service: ServiceState) -> shapes.Json:
    return {
        **shapes.seen_service(seen),
        **shapes.fields(service, "image", "replicas", "running"),
        "tasks": [shapes.fields(task, "id", "state", "wanted", "error", "since", "image") for task in service.tasks],
    }
