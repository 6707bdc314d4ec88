"""Schedules and runs: the list, one schedule with its history, one run with its log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cabestan.compose.cron import due_times, in_words
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Overlap, Schedule
from cabestan.web.pages.views.jobs import LogView, plain_log_view
from cabestan.web.pages.views.moments import Span, When, ago, duration, span, when
from cabestan.web.pages.views.paging import Pager
from cabestan.web.pages.views.states import State, run_state

PAUSED = State("paused", "wait", "pause")
#: due times shown ahead
_AHEAD = 5
_OVERLAP = {
    Overlap.FORBID: "forbidden: a run that is due while another goes on is skipped",
    Overlap.ALLOW: "allowed",
    Overlap.REPLACE: "the newer one takes the place of the older one",
}
_WHY = {
    Cause.DEPLOYMENT: "once in its deployment",
    Cause.DUE: "due",
    Cause.CATCH_UP: "made up for",
    Cause.ASKED: "asked for",
}


@dataclass(frozen=True)
class Ahead:
    """A time to come: in the environment's zone to read, in UTC for the machine."""

    iso: str
    exact: str
    local: str
    away: str


@dataclass(frozen=True)
class RunRow:
    id: int
    href: str
    service: str
    state: State
    reason: str
    why: str
    due: When | None
    created: When
    took: Span


@dataclass(frozen=True)
class ScheduleRow:
    id: int
    href: str
    service: str
    environment: str
    environment_href: str
    words: str
    expression: str
    zone: str
    next: Ahead | None
    paused_by: str
    next_state: State
    last: RunRow | None


@dataclass(frozen=True)
class SchedulePage:
    row: ScheduleRow
    command: str
    overlap: str
    timeout: str
    retries: int
    next: tuple[Ahead, ...]
    runs: tuple[RunRow, ...]
    pager: Pager
    removed: bool
    may_run: bool
    may_pause: bool


@dataclass(frozen=True)
class RunPage:
    row: RunRow
    attempt: int
    release: int
    environment: str
    environment_href: str
    log: LogView
    may_cancel: bool


def schedule_rows(
    schedules: Iterable[Schedule], last: Mapping[int, Run], default_zone: str, now: datetime
) -> tuple[ScheduleRow, ...]:
    """`last` is the newest run of each schedule, by the schedule's id."""
    return tuple(schedule_row(schedule, last.get(schedule.id), default_zone, now) for schedule in schedules)


def schedule_row(schedule: Schedule, last: Run | None, default_zone: str, now: datetime) -> ScheduleRow:
    zone = ZoneInfo(schedule.time_zone or default_zone)
    return ScheduleRow(
        id=schedule.id,
        href=f"/{schedule.project}/schedules/{schedule.id}",
        service=schedule.service,
        environment=schedule.environment,
        environment_href=f"/{schedule.project}/environments/{schedule.environment}",
        words=in_words(schedule.timetable.expression),
        expression=schedule.timetable.expression,
        zone=zone.key,
        next=ahead(schedule.next_due, zone, now) if schedule.next_due else None,
        paused_by=schedule.paused_by,
        next_state=PAUSED,
        last=run_row(last, now) if last else None,
    )


def ahead(moment: datetime, zone: ZoneInfo, now: datetime) -> Ahead:
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    away = ago(moment - now)
    away = f"in {away.removesuffix(' ago')}" if away.endswith(" ago") else "now"
    exact = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Ahead(utc.isoformat(timespec="seconds"), exact, local.strftime("%a %Y-%m-%d %H:%M"), away)


def run_row(run: Run, now: datetime) -> RunRow:
    return RunRow(
        id=run.id,
        href=f"/{run.project}/runs/{run.id}",
        service=run.service,
        state=run_state(run.status),
        reason=run.reason,
        why=f"{_WHY[run.cause]} by {run.by}" if run.by and run.cause is Cause.ASKED else _WHY[run.cause],
        due=when(run.due_at, now) if run.due_at else None,
        created=when(run.created_at, now),
        took=span(run.started_at, run.finished_at, now),
    )


def schedule_page(
    schedule: Schedule,
    runs: Iterable[Run],
    pager: Pager,
    default_zone: str,
    now: datetime,
    *,
    may_run: bool,
    may_pause: bool,
) -> SchedulePage:
    zone = ZoneInfo(schedule.time_zone or default_zone)
    timetable = schedule.timetable
    coming = islice(due_times(timetable.expression, zone, now), _AHEAD) if schedule.next_due else ()
    return SchedulePage(
        row=schedule_row(schedule, None, default_zone, now),
        command=timetable.command,
        overlap=_OVERLAP[timetable.overlap],
        timeout=duration(timedelta(seconds=timetable.seconds)),
        retries=timetable.retries,
        next=tuple(ahead(due, zone, now) for due in coming),
        runs=tuple(run_row(run, now) for run in runs),
        pager=pager,
        removed=schedule.removed,
        may_run=may_run,
        may_pause=may_pause,
    )


def run_page(run: Run, first_lines: Iterable[str], total: int, *, may_cancel: bool, now: datetime) -> RunPage:
    """`first_lines` are those that the server's HTML shows, as they were printed."""
    return RunPage(
        row=run_row(run, now),
        attempt=run.attempt,
        release=run.release,
        environment=run.environment,
        environment_href=f"/{run.project}/environments/{run.environment}",
        log=run_log(run, first_lines, total),
        may_cancel=may_cancel and not run.status.ended,
    )


def run_log(run: Run, first_lines: Iterable[str], total: int) -> LogView:
    return plain_log_view(f"/api/v1/runs/{run.id}/log", first_lines, total, live=not run.status.ended)
