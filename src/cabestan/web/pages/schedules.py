"""Schedules and runs: what runs when, how it went, and what it said."""

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from cabestan.compose.cron import due_times
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Overlap, Schedule
from cabestan.engine.running import cron, cron_runs
from cabestan.store import environments as environment_store
from cabestan.store import runs as run_store
from cabestan.store import schedules as store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Before, Deploying, Inside, Reading, Running, see
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.logs import run_log
from cabestan.web.pages.moments import duration
from cabestan.web.pages.paging import PAGE_SIZE, split_page

router = APIRouter()
_AT = "/{group}/{name}/schedules"
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


@router.get(_AT)
def schedules(at: Reading, environment: str = "") -> Response:
    with at.services.database.reading() as tx:
        key = environment_store.get(tx, at.project.id, environment).id if environment else None
        found = store.of_project(tx, at.project.id, key)
        last = run_store.latest(tx, [schedule.id for schedule in found])
        environments = [e.name for e in environment_store.of_project(tx, at.project.id)]
    return at.html(
        "schedules.html",
        "Schedules",
        topics=[f"schedules:{at.project.name}"],
        environment=environment,
        environments=environments,
        rows=[(one, cron.zone_of(at.services, one.time_zone), last.get(one.id)) for one in found],
    )


@router.get(_AT + "/{schedule_id}")
def schedule(at: Reading, schedule_id: int, before: Before = None) -> Response:
    found = _of(at, schedule_id)
    with at.services.database.reading() as tx:
        runs = run_store.of_schedule(tx, schedule_id, before=before, limit=PAGE_SIZE + 1)
    shown, pager = split_page(runs, lambda run: run.id, href(found), before)
    zone = cron.zone_of(at.services, found.time_zone)
    return at.html(
        "schedule.html",
        "Schedules",
        Crumb(f"{found.service} on {found.environment}", href(found)),
        topics=[f"schedules:{found.project}"],
        schedule=found,
        zone=zone,
        coming=coming(found, zone, at.services.now()),
        overlap=_OVERLAP[found.timetable.overlap],
        timeout=duration(timedelta(seconds=found.timetable.seconds)),
        runs=shown,
        why=why,
        pager=pager,
    )


@router.post(_AT + "/{schedule_id}/run")
def run_now(at: Running, schedule_id: int) -> Response:
    return see(href(cron.run_now(at.services, _of(at, schedule_id).id, at.user.name)))


@router.post(_AT + "/{schedule_id}/pause")
def pause(at: Deploying, schedule_id: int) -> Response:
    return see(href(cron.pause(at.services, _of(at, schedule_id).id, at.user.name)))


@router.post(_AT + "/{schedule_id}/resume")
def resume(at: Deploying, schedule_id: int) -> Response:
    return see(href(cron.resume(at.services, _of(at, schedule_id).id)))


@router.get("/{group}/{name}/runs/{run_id}")
def run(at: Reading, run_id: int) -> Response:
    found = at.find(run_store.get, "run", run_id)
    return at.html(
        "run.html",
        *_place(found),
        Crumb(f"run {found.id}", href(found)),
        topics=[f"run:{run_id}"],
        run=found,
        why=why(found),
        log=run_log(at.services, found),
    )


@router.post("/{group}/{name}/runs/{run_id}/cancel")
def cancel(at: Running, run_id: int) -> Response:
    found = at.find(run_store.get, "run", run_id)
    cron_runs.cancel(at.services, found.id, at.user.name)
    return see(href(found))


def _of(at: Inside, key: int) -> Schedule:
    return at.find(store.get, "schedule", key)


def _place(run: Run) -> tuple[str, Crumb]:
    """The tab, and what the run belongs to."""
    if run.schedule_id is None:
        return "Deployments", Crumb(str(run.deployment_id), f"/{run.project}/deployments/{run.deployment_id}")
    return "Schedules", Crumb(f"{run.service} on {run.environment}", f"/{run.project}/schedules/{run.schedule_id}")


def coming(schedule: Schedule, zone: ZoneInfo, now: datetime) -> tuple[datetime, ...]:
    """The next times; none where it is paused or gone."""
    if not schedule.next_due:
        return ()
    return tuple(islice(due_times(schedule.timetable.expression, zone, now), _AHEAD))


def why(run: Run) -> str:
    """`asked for by anna`."""
    return f"{_WHY[run.cause]} by {run.by}" if run.by and run.cause is Cause.ASKED else _WHY[run.cause]
