"""A log as a page begins it: some lines from where it opens; the rest is fetched as it is looked at."""

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
#: so many before the one that a log opens at
_BEFORE = 20


@dataclass(frozen=True)
class Beginning:
    """`api` is the log's address there; `total` lines are there when the page is made.

    `first` is the number of the first one of `lines`, and `at` of the one that the log opens at, 0 at its beginning.
    """

    api: str
    lines: tuple[tuple[Piece, ...], ...]
    total: int
    live: bool
    first: int = 1
    at: int = 0


def job_log(services: Services, job: Job) -> Beginning:
    """Of one that failed, from where it tells why."""
    api, live = f"/api/v1/jobs/{job.id}/log", not job.status.ended
    return _beginning(services, job_runs.log_id(job.id), api, live=live, at=job.log_line)


def run_log(services: Services, run: Run) -> Beginning:
    return _beginning(services, service_runs.log_id(run.id), f"/api/v1/runs/{run.id}/log", live=not run.status.ended)


def _beginning(services: Services, log_id: str, api: str, *, live: bool, at: int = 0) -> Beginning:
    log = services.logs.reader(log_id)  # shared with those who follow it, so it is not closed here
    first = max(1, at - _BEFORE)
    some = [line.text for line in log.lines_from(first, _FIRST_LINES, LISTED)]
    return Beginning(api, tuple(render_lines(some)), log.lines(), live, first, at)
