"""Schedules and runs: what runs when, how it went, and what it said."""

from fastapi import APIRouter, Response

from cabestan.domain.access import Permission
from cabestan.domain.run import Run
from cabestan.domain.schedule import Schedule
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.running.service_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store
from cabestan.store import runs as run_store
from cabestan.store import schedules as store
from cabestan.store.logs import LISTED
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.pages.answers import Before, can, check_place, framed, html, see
from cabestan.web.pages.views import schedules as views
from cabestan.web.pages.views.frame import Crumb, project_frame
from cabestan.web.pages.views.jobs import FIRST_LINES
from cabestan.web.pages.views.paging import PAGE_SIZE, split_page

router = APIRouter()
_AT = "/{group}/{name}/schedules"


@router.get(_AT)
def schedules(visitor: SignedIn, services: Wired, group: str, name: str, environment: str = "") -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        key = environment_store.get(tx, project.id, environment).id if environment else None
        found = store.of_project(tx, project.id, key)
        last = run_store.latest(tx, [schedule.id for schedule in found])
        environments = [e.name for e in environment_store.of_project(tx, project.id)]
    rows = views.schedule_rows(found, last, services.settings.time_zone, services.now())
    frame = project_frame(framed(visitor), project.name, "Schedules").with_topics(f"schedules:{project.name}")
    return html(
        "schedules.html",
        frame,
        project=project.name,
        environment=environment,
        environments=environments,
        rows=rows,
        may_run=can(visitor.user, Permission.RUN, project.name),
        may_pause=can(visitor.user, Permission.DEPLOY, project.name),
    )


@router.get(_AT + "/{schedule_id}")
def schedule(
    visitor: SignedIn, services: Wired, group: str, name: str, schedule_id: int, before: Before = None
) -> Response:
    found = _schedule(services, visitor, f"{group}/{name}", schedule_id, Permission.READ)
    with services.database.reading() as tx:
        runs = run_store.of_schedule(tx, schedule_id, before=before, limit=PAGE_SIZE + 1)
    shown, pager = split_page(runs, lambda run: run.id, f"/{found.project}/schedules/{found.id}", before)
    page = views.schedule_page(
        found,
        shown,
        pager,
        services.settings.time_zone,
        services.now(),
        may_run=can(visitor.user, Permission.RUN, found.project),
        may_pause=can(visitor.user, Permission.DEPLOY, found.project),
    )
    here = Crumb(f"{found.service} on {found.environment}", page.row.href)
    frame = project_frame(framed(visitor), found.project, "Schedules", here)
    return html("schedule.html", frame.with_topics(f"schedules:{found.project}"), page=page)


@router.post(_AT + "/{schedule_id}/run")
def run_now(visitor: SignedIn, services: Wired, group: str, name: str, schedule_id: int) -> Response:
    found = _schedule(services, visitor, f"{group}/{name}", schedule_id, Permission.RUN)
    begun = cron.run_now(services, found.id, visitor.user.name)
    return see(f"/{found.project}/runs/{begun.id}")


@router.post(_AT + "/{schedule_id}/pause")
def pause(visitor: SignedIn, services: Wired, group: str, name: str, schedule_id: int) -> Response:
    found = _schedule(services, visitor, f"{group}/{name}", schedule_id, Permission.DEPLOY)
    cron.pause(services, found.id, visitor.user.name)
    return see(f"/{found.project}/schedules/{found.id}")


@router.post(_AT + "/{schedule_id}/resume")
def resume(visitor: SignedIn, services: Wired, group: str, name: str, schedule_id: int) -> Response:
    found = _schedule(services, visitor, f"{group}/{name}", schedule_id, Permission.DEPLOY)
    cron.resume(services, found.id)
    return see(f"/{found.project}/schedules/{found.id}")


@router.get("/{group}/{name}/runs/{run_id}")
def run(visitor: SignedIn, services: Wired, group: str, name: str, run_id: int) -> Response:
    found = _run(services, visitor, f"{group}/{name}", run_id, Permission.READ)
    lines, total = first_lines(services, found)
    may_cancel = can(visitor.user, Permission.RUN, found.project)
    page = views.run_page(found, lines, total, may_cancel=may_cancel, now=services.now())
    tab, *crumbs = _place(found)
    frame = project_frame(framed(visitor), found.project, tab.text, *crumbs)
    return html("run.html", frame.with_topics(f"run:{run_id}"), page=page)


@router.post("/{group}/{name}/runs/{run_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, group: str, name: str, run_id: int) -> Response:
    found = _run(services, visitor, f"{group}/{name}", run_id, Permission.RUN)
    cron_runs.cancel(services, found.id, visitor.user.name)
    return see(f"/{found.project}/runs/{found.id}")


def first_lines(services: Services, run: Run) -> tuple[list[str], int]:
    """The beginning of its log, and how many lines there are."""
    log = services.logs.reader(log_id(run.id))  # shared with those who follow it, so it is not closed here
    return [line.text for line in log.lines_from(1, FIRST_LINES, LISTED)], log.lines()


def _place(run: Run) -> tuple[Crumb, ...]:
    """The tab, and the breadcrumbs below it."""
    here = Crumb(f"run {run.id}", f"/{run.project}/runs/{run.id}")
    if run.schedule_id is None:
        deployment = Crumb(str(run.deployment_id), f"/{run.project}/deployments/{run.deployment_id}")
        return Crumb("Deployments", ""), deployment, here
    schedule = Crumb(f"{run.service} on {run.environment}", f"/{run.project}/schedules/{run.schedule_id}")
    return Crumb("Schedules", ""), schedule, here


def _schedule(services: Services, visitor: Visitor, project: str, key: int, permission: Permission) -> Schedule:
    project_for(services, visitor.user, project, permission)
    with services.database.reading() as tx:
        found = store.get(tx, key)
    check_place(project, "schedule", key, found.project)
    return found


def _run(services: Services, visitor: Visitor, project: str, key: int, permission: Permission) -> Run:
    project_for(services, visitor.user, project, permission)
    with services.database.reading() as tx:
        found = run_store.get(tx, key)
    check_place(project, "run", key, found.project)
    return found
