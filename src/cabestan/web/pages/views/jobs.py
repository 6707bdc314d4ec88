"""A job with its log."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.pipeline import Job, Pipeline
from cabestan.web.pages.ansi import Piece, render_lines
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.moments import When, when
from cabestan.web.pages.views.pipelines import JobRow, job_row

#: how many lines are in the server's HTML; the rest is fetched as it is looked at
FIRST_LINES = 200
_WAITS = "It waits for a place: all are taken. The next one that is free goes to whichever project has the fewest."


@dataclass(frozen=True)
class LogLine:
    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class LogView:
    """The beginning of the log; `total` lines are there when the page is made."""

    api: str
    lines: tuple[LogLine, ...]
    total: int
    live: bool

    @property
    def rest(self) -> int:
        return max(0, self.total - len(self.lines))


@dataclass(frozen=True)
class JobPage:
    row: JobRow
    image: str
    pipeline_id: int
    pipeline_href: str
    commit: CommitView
    started: When | None
    siblings: tuple[JobRow, ...]
    log: LogView
    may_cancel: bool
    #: what it waits for, where it could begin
    waits: str


def job_page(
    job: Job,
    pipeline: Pipeline,
    siblings: Iterable[Job],
    first_lines: Iterable[str],
    total_lines: int,
    *,
    may_run: bool,
    now: datetime,
    waits: bool = False,
) -> JobPage:
    """`first_lines` are those that the server's HTML shows, as they were printed. `waits`: in line, for a place."""
    return JobPage(
        row=job_row(job, pipeline.project, now),
        image=job.spec.image,
        pipeline_id=pipeline.id,
        pipeline_href=f"/{pipeline.project}/pipelines/{pipeline.id}",
        commit=commit_view(pipeline.commit, pipeline.title, pipeline.branch),
        started=when(job.started_at, now) if job.started_at else None,
        siblings=tuple(job_row(other, pipeline.project, now) for other in siblings),
        log=log_view(job, first_lines, total_lines),
        may_cancel=may_run and not pipeline.status.ended,
        waits=_WAITS if waits else "",
    )


def log_view(job: Job, first_lines: Iterable[str], total: int) -> LogView:
    return plain_log_view(f"/api/v1/jobs/{job.id}/log", first_lines, total, live=not job.status.ended)


def plain_log_view(api: str, first_lines: Iterable[str], total: int, *, live: bool) -> LogView:
    """Of the log at an address of the API."""
    rendered = render_lines(first_lines)
    lines = tuple(LogLine(number, pieces) for number, pieces in enumerate(rendered, start=1))
    return LogView(api, lines, total, live)
