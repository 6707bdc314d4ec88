"""Pipelines: the list and one with its stages and jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import Job, Pipeline, advice
from cabestan.domain.release import Release
from cabestan.domain.status import RunStatus, merge_status
from cabestan.engine.deploying.compose_files import has_its_files
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.moments import Span, When, span, when
from cabestan.web.pages.views.states import State, deployment_state, run_state


@dataclass(frozen=True)
class PipelineRow:
    id: int
    href: str
    project: str
    state: State
    commit: CommitView
    by: str
    created: When
    took: Span
    reason: str


@dataclass(frozen=True)
class JobRow:
    id: int
    name: str
    href: str
    kind: str
    state: State
    reason: str
    took: Span
    attempt: int
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    name: str
    state: State
    jobs: tuple[JobRow, ...]


@dataclass(frozen=True)
class Arrival:
    """Where the pipeline's release went."""

    environment: str
    href: str
    state: State


@dataclass(frozen=True)
class MadeRelease:
    number: int
    href: str
    arrivals: tuple[Arrival, ...]
    #: where it did not go anywhere: why, and what to do
    nowhere: str = ""


@dataclass(frozen=True)
class PipelinePage:
    row: PipelineRow
    author: str
    stages: tuple[Stage, ...]
    notes: tuple[str, ...]
    release: MadeRelease | None
    may_cancel: bool
    may_retry: bool
    #: why a retry will not help; empty where it may
    advice: str = ""
    #: what whoever started it gave it
    variables: tuple[str, ...] = ()


def pipeline_row(pipeline: Pipeline, now: datetime) -> PipelineRow:
    return PipelineRow(
        id=pipeline.id,
        href=f"/{pipeline.project}/pipelines/{pipeline.id}",
        project=pipeline.project,
        state=run_state(pipeline.status),
        commit=commit_view(pipeline.commit, pipeline.title, pipeline.branch),
        by=pipeline.by,
        created=when(pipeline.created_at, now),
        took=span(pipeline.started_at, pipeline.finished_at, now),
        reason=pipeline.reason,
    )


def pipeline_page(
    pipeline: Pipeline,
    jobs: Iterable[Job],
    release: Release | None,
    arrivals: Iterable[Deployment],
    environments: Iterable[Environment],
    *,
    may_run: bool,
    now: datetime,
) -> PipelinePage:
    jobs = tuple(jobs)
    return PipelinePage(
        row=pipeline_row(pipeline, now),
        author=pipeline.author,
        stages=stages(jobs, pipeline.project, now),
        notes=pipeline.notes,
        release=_made(release, tuple(arrivals), tuple(environments)) if release else None,
        may_cancel=may_run and not pipeline.status.ended,
        may_retry=may_run and pipeline.status in (RunStatus.FAILED, RunStatus.CANCELED),
        advice=advice(pipeline, jobs) if may_run else "",
        variables=tuple(f"{name}={value}" for name, value in pipeline.variables.items()),
    )


def stages(jobs: tuple[Job, ...], project: str, now: datetime) -> tuple[Stage, ...]:
    """Jobs by stage, in the order in which the stages first appear."""
    names = dict.fromkeys(job.stage for job in jobs)
    return tuple(_stage(name, tuple(j for j in jobs if j.stage == name), project, now) for name in names)


def job_row(job: Job, project: str, now: datetime) -> JobRow:
    return JobRow(
        id=job.id,
        name=job.name,
        href=f"/{project}/jobs/{job.id}",
        kind=job.spec.kind,
        state=run_state(job.status),
        reason=job.reason,
        took=span(job.started_at, job.finished_at, now),
        attempt=job.attempt,
        needs=job.spec.needs,
    )


def _stage(name: str, jobs: tuple[Job, ...], project: str, now: datetime) -> Stage:
    state = run_state(merge_status(job.status for job in jobs))
    return Stage(name, state, tuple(job_row(job, project, now) for job in jobs))


def _made(release: Release, deployments: tuple[Deployment, ...], environments: tuple[Environment, ...]) -> MadeRelease:
    arrivals = tuple(
        Arrival(d.environment, f"/{d.project}/deployments/{d.id}", deployment_state(d.status)) for d in deployments
    )
    href = f"/{release.project}/releases#release-{release.number}"
    return MadeRelease(release.number, href, arrivals, "" if arrivals else _nowhere(release, environments))


def _nowhere(release: Release, environments: tuple[Environment, ...]) -> str:
    """What is advised here is what a deployment would take."""
    if not any(has_its_files(release, environment) for environment in environments):
        return "It has no Compose file, so nothing can be deployed. Commit a docker-compose.yml with the services."
    takers = [e.name for e in environments if e.takes(release.branch, release.default_branch)]
    if not takers:
        return f"No environment takes the branch {release.branch}. Merge it, or add it to an environment's branches."
    return f"It was not deployed by itself. The pages of the environments deploy it: {', '.join(takers)}."
