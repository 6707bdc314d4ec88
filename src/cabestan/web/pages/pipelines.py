"""Pipelines: the list, one of them, and what is done to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import Job, Pipeline, Source, advice
from cabestan.domain.release import Release
from cabestan.domain.status import RunStatus, merge_status
from cabestan.engine.building import intake
from cabestan.engine.building import pipelines as engine
from cabestan.engine.deploying.compose_files import has_its_files
from cabestan.errors import Invalid
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as store
from cabestan.store import releases as release_store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Before, Inside, Reading, Running, Text, see
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.paging import PAGE_SIZE, split_page

router = APIRouter()
_AT = "/{group}/{name}/pipelines"


@dataclass(frozen=True)
class Stage:
    name: str
    status: RunStatus
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Offers:
    """What the page of a pipeline offers to do; `advice` is why a retry will not help, empty where it may."""

    cancel: bool
    retry: bool
    advice: str


@router.get(_AT)
def pipelines(at: Reading, before: Before = None) -> Response:
    with at.services.database.reading() as tx:
        found = store.page(tx, at.project.id, before=before, limit=PAGE_SIZE + 1)
    shown, pager = split_page(found, lambda p: p.id, f"/{at.project.name}/pipelines", before)
    return at.html("pipelines.html", "Pipelines", branch=at.project.default_branch, rows=shown, pager=pager)


@router.post(_AT)
def start(at: Running, branch: Text, variables: Annotated[str, Form(max_length=100_000)] = "") -> Response:
    """`variables` has a line `NAME=VALUE` for each."""
    given = dict(_pair(line) for line in variables.splitlines() if line.strip())
    return see(href(intake.start_pipeline(at.services, at.project, branch.strip(), at.user.name, given, Source.WEB)))


@router.get(_AT + "/{pipeline_id}")
def pipeline(at: Reading, pipeline_id: int) -> Response:
    found = _of(at, pipeline_id)
    with at.services.database.reading() as tx:
        jobs = store.jobs_of(tx, found.id)
        release = release_store.of_pipeline(tx, found.id)
        arrivals = deployment_store.of_release(tx, release.id) if release else ()
        environments = environment_store.of_project(tx, found.project_id)
    return at.html(
        "pipeline.html",
        "Pipelines",
        Crumb(f"#{found.id}", href(found)),
        topics=[f"pipeline:{found.id}"],
        pipeline=found,
        stages=stages(jobs),
        release=release,
        arrivals=arrivals,
        failed_log=failed_log(found, jobs),
        nowhere=nowhere(release, environments) if release and not arrivals else "",
        offers=offers(found, jobs, may_run=at.rights.run),
    )


@router.post(_AT + "/{pipeline_id}/cancel")
def cancel(at: Running, pipeline_id: int) -> Response:
    found = _of(at, pipeline_id)
    engine.cancel(at.services, found.id)
    return see(href(found))


@router.post(_AT + "/{pipeline_id}/retry")
def retry(at: Running, pipeline_id: int) -> Response:
    found = _of(at, pipeline_id)
    engine.retry(at.services, found.id)
    return see(href(found))


def _pair(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        raise Invalid(f"“{line[:80]}” is not a variable.", "Write each on a line of its own, as NAME=VALUE.")
    return name.strip(), value


def _of(at: Inside, key: int) -> Pipeline:
    return at.find(store.get, "pipeline", key)


def stages(jobs: tuple[Job, ...]) -> tuple[Stage, ...]:
    """Jobs by stage, in the order in which the stages first appear."""
    found = {name: tuple(job for job in jobs if job.stage == name) for name in dict.fromkeys(j.stage for j in jobs)}
    return tuple(Stage(name, merge_status(job.status for job in mine), mine) for name, mine in found.items())


def failed_log(pipeline: Pipeline, jobs: tuple[Job, ...]) -> str:
    """The place in the log of the job that the pipeline's reason is about; empty where there is none."""
    failed = (job for job in jobs if job.status is RunStatus.FAILED)
    told = next((job for job in failed if pipeline.reason == f"{job.name}: {job.reason}"), None)
    return f"/{pipeline.project}/jobs/{told.id}#L{told.log_line}" if told and told.log_line else ""


def offers(pipeline: Pipeline, jobs: tuple[Job, ...], *, may_run: bool) -> Offers:
    """Only what has not ended is canceled, and only what did not succeed is retried."""
    return Offers(
        cancel=may_run and not pipeline.status.ended,
        retry=may_run and pipeline.status in (RunStatus.FAILED, RunStatus.CANCELED),
        advice=advice(pipeline, jobs) if may_run else "",
    )


def nowhere(release: Release, environments: Iterable[Environment]) -> str:
    """Why it was deployed nowhere by itself. What is advised here is what a deployment would take."""
    places = tuple(environments)
    if not any(has_its_files(release, environment) for environment in places):
        return "It has no Compose file, so nothing can be deployed. Commit a docker-compose.yml with the services."
    takers = [e.name for e in places if e.takes(release.branch, release.default_branch)]
    if not takers:
        return f"No environment takes the branch {release.branch}. Merge it, or add it to an environment's branches."
    return f"It was not deployed by itself. The pages of the environments deploy it: {', '.join(takers)}."
