"""A log as a page begins it: its first lines; the rest is fetched as it is looked at."""

from dataclasses import dataclass

from cabestan.domain.pipeline import Job
from cabestan.domain.run import Run
from cabestan.engine.building import job_runs
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.store.logs import LISTED
from cabestan.web.pages.ansi import Piece, render_lines

#: how many lines are in the server's HTML
_FIRST_LINES = 200


@dataclass(frozen=True)
class Beginning:
    """`api` is the log's address there; `total` lines are there when the page is made."""

    api: str
    lines: tuple[tuple[Piece, ...], ...]
    total: int
    live: bool


def job_log(services: Services, job: Job) -> Beginning:
    return _beginning(services, job_runs.log_id(job.id), f"/api/v1/jobs/{job.id}/log", live=not job.status.ended)


def run_log(services: Services, run: Run) -> Beginning:
    return _beginning(services, service_runs.log_id(run.id), f"/api/v1/runs/{run.id}/log", live=not run.status.ended)


def _beginning(services: Services, log_id: str, api: str, *, live: bool) -> Beginning:
    log = services.logs.reader(log_id)  # shared with those who follow it, so it is not closed here
    first = [line.text for line in log.lines_from(1, _FIRST_LINES, LISTED)]
    return Beginning(api, tuple(render_lines(first)), log.lines(), live)
