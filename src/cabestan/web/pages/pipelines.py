"""Pipelines: the list, one of them, and what is done to them."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission
from cabestan.domain.pipeline import Pipeline, Source
from cabestan.engine.building import intake
from cabestan.engine.building import pipelines as engine
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as store
from cabestan.store import releases as release_store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.pages.answers import Before, Text, can, check_place, framed, html, see
from cabestan.web.pages.views.frame import Crumb, project_frame
from cabestan.web.pages.views.paging import PAGE_SIZE, split_page
from cabestan.web.pages.views.pipelines import PipelinePage, pipeline_page, pipeline_row

router = APIRouter()
_AT = "/{group}/{name}/pipelines"


@router.get(_AT)
def pipelines(visitor: SignedIn, services: Wired, group: str, name: str, before: Before = None) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.page(tx, project.id, before=before, limit=PAGE_SIZE + 1)
    shown, pager = split_page(found, lambda p: p.id, f"/{project.name}/pipelines", before)
    return html(
        "pipelines.html",
        project_frame(framed(visitor), project.name, "Pipelines"),
        project=project.name,
        branch=project.default_branch,
        rows=tuple(pipeline_row(p, services.now()) for p in shown),
        pager=pager,
        may_run=can(visitor.user, Permission.RUN, project.name),
    )


@router.post(_AT)
def start(
    visitor: SignedIn,
    services: Wired,
    group: str,
    name: str,
    branch: Text,
    variables: Annotated[str, Form(max_length=100_000)] = "",
) -> Response:
    """`variables` has a line `NAME=VALUE` for each."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.RUN)
    given = dict(_pair(line) for line in variables.splitlines() if line.strip())
    started = intake.start_pipeline(services, project, branch.strip(), visitor.user.name, given, Source.WEB)
    return see(f"/{project.name}/pipelines/{started.id}")


@router.get(_AT + "/{pipeline_id}")
def pipeline(visitor: SignedIn, services: Wired, group: str, name: str, pipeline_id: int) -> Response:
    found = _pipeline(services, visitor, f"{group}/{name}", pipeline_id, Permission.READ)
    here = Crumb(f"#{found.id}", f"/{found.project}/pipelines/{found.id}")
    frame = project_frame(framed(visitor), found.project, "Pipelines", here).with_topics(f"pipeline:{found.id}")
    return html("pipeline.html", frame, page=_page(services, visitor, found))


@router.post(_AT + "/{pipeline_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, group: str, name: str, pipeline_id: int) -> Response:
    found = _pipeline(services, visitor, f"{group}/{name}", pipeline_id, Permission.RUN)
    engine.cancel(services, found.id)
    return see(f"/{found.project}/pipelines/{found.id}")


@router.post(_AT + "/{pipeline_id}/retry")
def retry(visitor: SignedIn, services: Wired, group: str, name: str, pipeline_id: int) -> Response:
    found = _pipeline(services, visitor, f"{group}/{name}", pipeline_id, Permission.RUN)
    engine.retry(services, found.id)
    return see(f"/{found.project}/pipelines/{found.id}")


def _pair(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        raise Invalid(f"“{line[:80]}” is not a variable.", "Write each on a line of its own, as NAME=VALUE.")
    return name.strip(), value


def _pipeline(services: Services, visitor: Visitor, project: str, key: int, permission: Permission) -> Pipeline:
    project_for(services, visitor.user, project, permission)
    with services.database.reading() as tx:
        found = store.get(tx, key)
    check_place(project, "pipeline", key, found.project)
    return found


def _page(services: Services, visitor: Visitor, pipeline: Pipeline) -> PipelinePage:
    with services.database.reading() as tx:
        jobs = store.jobs_of(tx, pipeline.id)
        release = release_store.of_pipeline(tx, pipeline.id)
        arrivals = deployment_store.of_release(tx, release.id) if release else ()
        environments = environment_store.of_project(tx, pipeline.project_id)
    may_run = can(visitor.user, Permission.RUN, pipeline.project)
    return pipeline_page(pipeline, jobs, release, arrivals, environments, may_run=may_run, now=services.now())
