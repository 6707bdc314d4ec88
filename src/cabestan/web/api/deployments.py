"""Deployments: asked for, approved, rejected, canceled, looked at."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission
from cabestan.domain.deployment import Deployment
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import deployments as engine
from cabestan.engine.deploying.evidence import gather
from cabestan.engine.deploying.plan_shown import plan_for
from cabestan.engine.services import Services
from cabestan.engine.variables import levels
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for, require
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit
from cabestan.web.api.runs import shape as run_shape

router = APIRouter()
_AT = "/projects/{group}/{name}/environments/{environment:path}"


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    release: int | None = Field(None, ge=1)
    #: of the plan that was looked at: another one is not deployed then
    fingerprint: str = Field("", max_length=100)


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid")
    comment: str = Field("", max_length=2000)


class Approving(Word):
    fingerprint: str = Field(max_length=100)


@router.post(_AT + "/deployments", status_code=201)
def deploy(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, wish: Wish) -> shapes.Json:
    """A release, the newest where none is named. It waits where an approval is needed that the user cannot give."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
        release = release_store.chosen(tx, found, wish.release)
    return shapes.deployment(engine.deploy(services, found, release, visitor.user, seen=wish.fingerprint))


@router.post(_AT + "/rollback", status_code=201)
def roll_back(visitor: SignedIn, services: Wired, group: str, name: str, environment: str, wish: Wish) -> shapes.Json:
    """To an earlier release, with the variables and secrets that it ran with."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.DEPLOY)
    with services.database.reading() as tx:
        found = environment_store.get(tx, project.id, environment)
    made = engine.roll_back(services, found, wish.release, visitor.user, seen=wish.fingerprint)
    return shapes.deployment(made)


@router.get("/projects/{group}/{name}/deployments")
def deployments(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    environment: str | None = None,
    before: Before = None,
    limit: Limit = 50,
) -> shapes.Json:
    """The newest first, of all environments or of one."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        key = environment_store.get(tx, project.id, environment).id if environment else None
        found = store.page(tx, project.id, environment_id=key, before=before, limit=limit + 1)
    return shapes.page(found, limit, shapes.deployment, lambda deployment: deployment.id)


@router.get("/deployments/{deployment_id}")
def deployment(visitor: SignedIn, services: Wired, deployment_id: int) -> shapes.Json:
    """With its plan, its steps and the approvals on it."""
    found = deployment_for(services, visitor, deployment_id, Permission.READ)
    return _whole(services, visitor, found)


@router.post("/deployments/{deployment_id}/approve")
def approve(visitor: SignedIn, services: Wired, deployment_id: int, word: Approving) -> shapes.Json:
    """Exactly the plan with this fingerprint."""
    deployment_for(services, visitor, deployment_id, Permission.READ)
    return _whole(
        services, visitor, engine.approve(services, deployment_id, visitor.user, word.fingerprint, word.comment)
    )


@router.post("/deployments/{deployment_id}/reject")
def reject(visitor: SignedIn, services: Wired, deployment_id: int, word: Word) -> shapes.Json:
    deployment_for(services, visitor, deployment_id, Permission.READ)
    return _whole(services, visitor, engine.reject(services, deployment_id, visitor.user, word.comment))


@router.post("/deployments/{deployment_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, deployment_id: int) -> shapes.Json:
    deployment_for(services, visitor, deployment_id, Permission.DEPLOY)
    return _whole(services, visitor, engine.cancel(services, deployment_id, visitor.user.name))


def deployment_for(services: Services, visitor: Visitor, deployment_id: int, permission: Permission) -> Deployment:
    """The deployment, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, deployment_id)
    require(visitor.user, permission, found.project, store.no_deployment(deployment_id))
    return found


def _whole(services: Services, visitor: Visitor, found: Deployment) -> shapes.Json:
    with services.database.reading() as tx:
        plan = store.plan_of(tx, found.id)
        steps = store.steps_of(tx, found.id)
        approvals = store.approvals_of(tx, found.id)
        runs = run_store.of_deployment(tx, found.id)
        used = levels.restored(tx, plan) if plan else ()
        shown = plan_for(tx, visitor.user, found.project, plan) if plan else None
        wanted = engine.wanted_of(tx, found) if found.status is DeploymentStatus.WAITING else None
    return shapes.deployment(found) | {
        "plan": shapes.plan(shown),
        "evidence": shapes.evidence(gather(services, wanted) if wanted else None),
        "variables": [shapes.used_setting(setting) for setting in used],
        "steps": [shapes.step(step) for step in steps],
        "runs": [run_shape(services, run) for run in runs],
        "approvals": [shapes.approval(approval) for approval in approvals],
    }
