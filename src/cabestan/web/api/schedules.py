"""Schedules: what runs when, and doing something about it."""

from fastapi import APIRouter

from cabestan.compose.cron import in_words
from cabestan.domain.access import Permission
from cabestan.domain.run import Run
from cabestan.domain.schedule import Schedule
from cabestan.engine.running import cron
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store
from cabestan.store import runs as run_store
from cabestan.store import schedules as store
from cabestan.web.access import SignedIn, Visitor, Wired, project_for, require
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit
from cabestan.web.api.runs import shape as run_shape

router = APIRouter()


@router.get("/projects/{group}/{name}/schedules")
def schedules(visitor: SignedIn, services: Wired, group: str, name: str, environment: str | None = None) -> shapes.Json:
    """Those of the releases that serve, of all environments or of one, each with its last run."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        key = environment_store.get(tx, project.id, environment).id if environment else None
        found = store.of_project(tx, project.id, key)
        last = run_store.latest(tx, [schedule.id for schedule in found])
    return shapes.whole(found, lambda schedule: shape(services, schedule, last.get(schedule.id)))


@router.get("/schedules/{schedule_id}")
def schedule(visitor: SignedIn, services: Wired, schedule_id: int) -> shapes.Json:
    return _whole(services, schedule_for(services, visitor, schedule_id))


@router.get("/schedules/{schedule_id}/runs")
def history(
    visitor: SignedIn, services: Wired, schedule_id: int, before: Before = None, limit: Limit = 50
) -> shapes.Json:
    """Its runs, the newest first."""
    schedule_for(services, visitor, schedule_id)
    with services.database.reading() as tx:
        found = run_store.of_schedule(tx, schedule_id, before=before, limit=limit + 1)
    return shapes.page(found, limit, lambda run: run_shape(services, run), lambda run: run.id)


@router.post("/schedules/{schedule_id}/run", status_code=201)
def run(visitor: SignedIn, services: Wired, schedule_id: int) -> shapes.Json:
    """Now, beside its times."""
    schedule_for(services, visitor, schedule_id, Permission.RUN)
    return run_shape(services, cron.run_now(services, schedule_id, visitor.user.name))


@router.post("/schedules/{schedule_id}/pause")
def pause(visitor: SignedIn, services: Wired, schedule_id: int) -> shapes.Json:
    """Not due until it is resumed; what runs goes on."""
    schedule_for(services, visitor, schedule_id, Permission.DEPLOY)
    return _whole(services, cron.pause(services, schedule_id, visitor.user.name))


@router.post("/schedules/{schedule_id}/resume")
def resume(visitor: SignedIn, services: Wired, schedule_id: int) -> shapes.Json:
    """Due again; what was not run meanwhile is not made up for."""
    schedule_for(services, visitor, schedule_id, Permission.DEPLOY)
    return _whole(services, cron.resume(services, schedule_id))


def schedule_for(
    services: Services, visitor: Visitor, schedule_id: int, permission: Permission = Permission.READ
) -> Schedule:
    """The schedule, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, schedule_id)
    require(visitor.user, permission, found.project, store.no_schedule(schedule_id))
    return found


def shape(services: Services, value: Schedule, last: Run | None) -> shapes.Json:
    timetable = value.timetable
    return {
        **shapes.fields(value, "id", "project", "environment", "service"),
        "schedule": timetable.expression,
        "words": in_words(timetable.expression),
        "time_zone": cron.zone_of(services, value.time_zone).key,
        **shapes.fields(timetable, "command", "overlap"),
        "timeout_seconds": timetable.seconds,
        "retries": timetable.retries,
        **shapes.fields(value, "paused_by", "removed", "next_due"),
        "deployment": value.deployment_id,
        "last": run_shape(services, last) if last else None,
        "url": f"{services.settings.public_url}/{value.project}/schedules/{value.id}",
    }


def _whole(services: Services, found: Schedule) -> shapes.Json:
    with services.database.reading() as tx:
        last = run_store.latest(tx, [found.id]).get(found.id)
    return shape(services, found, last)
