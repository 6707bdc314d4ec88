"""Pipelines, jobs and releases."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Permission
from cabestan.domain.pipeline import Pipeline, advice
from cabestan.engine.building import intake
from cabestan.engine.building import pipelines as engine
from cabestan.engine.building.progress import progress_of
from cabestan.engine.services import Services
from cabestan.store import pipelines as store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for, require
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit

router = APIRouter()
Commit = Annotated[str, Query(pattern="^[0-9a-f]{0,64}$")]


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    branch: str | None = Field(None, max_length=200)
    variables: dict[str, str] = {}


@router.get("/projects/{group}/{name}/pipelines")
def pipelines(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    before: Before = None,
    limit: Limit = 50,
    commit: Commit = "",
) -> shapes.Json:
    """The newest first; of one commit where its id, or the beginning of it, is given."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.page(tx, project.id, before=before, limit=limit + 1, commit=commit)
    return shapes.page(found, limit, lambda p: shapes.pipeline(services, p), lambda p: p.id)


@router.post("/projects/{group}/{name}/pipelines", status_code=201)
def start(visitor: SignedIn, services: Wired, group: str, name: str, wish: Wish) -> shapes.Json:
    """For the newest commit of a branch. Its jobs get the variables, its release those that begin with X_."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.RUN)
    branch = wish.branch or project.default_branch
    made = intake.start_pipeline(services, project, branch, visitor.user.name, wish.variables)
    return shapes.pipeline(services, made)


@router.get("/pipelines/{pipeline_id}")
def pipeline(visitor: SignedIn, services: Wired, pipeline_id: int) -> shapes.Json:
    """With its jobs."""
    found = pipeline_for(services, visitor, pipeline_id, Permission.READ)
    return _whole(services, found)


@router.get("/pipelines/{pipeline_id}/progress")
def progress(visitor: SignedIn, services: Wired, pipeline_id: int) -> shapes.Json:
    """How far it has come, with the deployments that it leads to: all that is told while a push is followed."""
    pipeline_for(services, visitor, pipeline_id, Permission.READ)
    return asdict(progress_of(services, pipeline_id))


@router.post("/pipelines/{pipeline_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, pipeline_id: int) -> shapes.Json:
    """Ends all that has not ended."""
    pipeline_for(services, visitor, pipeline_id, Permission.RUN)
    engine.cancel(services, pipeline_id)
    return _whole(services, pipeline_for(services, visitor, pipeline_id, Permission.READ))


@router.post("/pipelines/{pipeline_id}/retry")
def retry(visitor: SignedIn, services: Wired, pipeline_id: int) -> shapes.Json:
    """Runs again what did not succeed, and says where that will hardly help."""
    said = _whole(services, pipeline_for(services, visitor, pipeline_id, Permission.RUN))["advice"]
    engine.retry(services, pipeline_id)
    return _whole(services, pipeline_for(services, visitor, pipeline_id, Permission.READ)) | {"advice": said}


@router.get("/projects/{group}/{name}/releases")
def releases(
    visitor: SignedIn, services: Wired, group: str, name: str, before: Before = None, limit: Limit = 50
) -> shapes.Json:
    """The newest first."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = release_store.page(tx, project.id, before=before, limit=limit + 1)
    return shapes.page(found, limit, shapes.release, lambda release: release.number)


@router.get("/projects/{group}/{name}/releases/{number}")
def release(visitor: SignedIn, services: Wired, group: str, name: str, number: int) -> shapes.Json:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        return shapes.release(release_store.get(tx, project.id, number))


def pipeline_for(services: Services, visitor: Visitor, pipeline_id: int, permission: Permission) -> Pipeline:
    """The pipeline, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, pipeline_id)
    require(visitor.user, permission, found.project, store.no_pipeline(pipeline_id))
    return found


def _whole(services: Services, pipeline: Pipeline) -> shapes.Json:
    with services.database.reading() as tx:
        jobs = store.jobs_of(tx, pipeline.id)
        release = release_store.of_pipeline(tx, pipeline.id)
    shape = shapes.pipeline(services, pipeline, release.number if release else None)
    return shape | {
        "advice": advice(pipeline, jobs),
        "jobs": [shapes.job(services, job, pipeline.project) for job in jobs],
    }
