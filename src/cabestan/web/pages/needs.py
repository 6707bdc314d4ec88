"""What needs somebody, on the first page: the worst first, each a link to where it can be seen to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.deployment import Deployment
from cabestan.domain.observed import WELL
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.domain.why import headline
from cabestan.web.pages.addresses import href
from cabestan.web.pages.overview import Cell, approvers
from cabestan.web.pages.states import State, severity, state


@dataclass(frozen=True)
class Need:
    """`what` is short, `detail` may say why; `since` is when it became so."""

    state: State
    project: str
    what: str
    href: str
    detail: str
    since: datetime


def needs(cells: Iterable[Cell], pipelines: Iterable[Pipeline]) -> tuple[Need, ...]:
    """`pipelines` has the newest one of each project."""
    found = [need for cell in cells for need in _of_cell(cell)]
    found += [_of_pipeline(pipeline) for pipeline in pipelines if pipeline.status is RunStatus.FAILED]
    return tuple(sorted(found, key=lambda need: (severity(need.state), need.project, need.what)))


def _of_cell(cell: Cell) -> Iterator[Need]:
    environment, seen = cell.environment, cell.seen
    if cell.current and seen and seen.condition not in WELL:
        detail = "; ".join(cell.troubles)
        yield Need(cell.state, environment.project, environment.name, href(environment), detail, seen.since)
    yield from (_of_deployment(cell, one) for one in cell.pending if _needs_somebody(one))


def _needs_somebody(deployment: Deployment) -> bool:
    return deployment.status.ended or deployment.status is DeploymentStatus.WAITING


def _of_deployment(cell: Cell, deployment: Deployment) -> Need:
    waits = deployment.status is DeploymentStatus.WAITING
    detail = f"It waits for {approvers(cell.environment)}." if waits else headline(deployment.reason)
    what = f"release {deployment.release} to {cell.environment.name}"
    since = deployment.finished_at or deployment.created_at
    return Need(state(deployment.status), deployment.project, what, href(deployment), detail, since)


def _of_pipeline(pipeline: Pipeline) -> Need:
    what = f"pipeline {pipeline.id} on {pipeline.branch}"
    since = pipeline.finished_at or pipeline.created_at
    return Need(state(pipeline.status), pipeline.project, what, href(pipeline), headline(pipeline.reason), since)
