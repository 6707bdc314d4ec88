"""Runs of services that end (migrations, schedules), and their logs."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from cabestan.domain.access import Permission
from cabestan.domain.run import Run
from cabestan.engine import cron
from cabestan.engine.service_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import runs as store
from cabestan.store.logs import LogReader
from cabestan.web.access import SignedIn, Visitor, Wired, require
from cabestan.web.api import logs, shapes

router = APIRouter()


@router.get("/runs/{run_id}")
def run(visitor: SignedIn, services: Wired, run_id: int) -> shapes.Json:
    return shape(services, run_for(services, visitor, run_id))


@router.post("/runs/{run_id}/cancel")
def cancel(visitor: SignedIn, services: Wired, run_id: int) -> shapes.Json:
    """Its container is stopped; of a deployment, the deployment fails then."""
    run_for(services, visitor, run_id, Permission.RUN)
    return shape(services, cron.cancel_run(services, run_id, visitor.user.name))


@router.get("/runs/{run_id}/log")
def log(visitor: SignedIn, services: Wired, run_id: int, offset: logs.Offset = 0) -> StreamingResponse:
    """The whole log so far, as text, from a byte on."""
    run_for(services, visitor, run_id)
    return logs.whole(_reader(services, run_id), offset)


@router.get("/runs/{run_id}/log/stream")
def stream(
    request: Request, visitor: SignedIn, services: Wired, run_id: int, offset: str | None = None
) -> StreamingResponse:
    """The log as server-sent events: from a byte on, then as it grows, until the run has ended."""
    run_for(services, visitor, run_id)
    return logs.live(request, services, _reader(services, run_id), offset, lambda: _ended(services, run_id))


@router.get("/runs/{run_id}/log/lines")
def lines(
    visitor: SignedIn, services: Wired, run_id: int, start: logs.From = 1, count: logs.Count = 200
) -> shapes.Json:
    """Some lines, from a number on."""
    run_for(services, visitor, run_id)
    return logs.some(_reader(services, run_id), start, count)


@router.get("/runs/{run_id}/log/search")
def search(visitor: SignedIn, services: Wired, run_id: int, q: logs.Query_, limit: logs.Most = 1000) -> shapes.Json:
    """The numbers of the lines that hold a text, in whatever case."""
    run_for(services, visitor, run_id)
    return logs.matching(_reader(services, run_id), q, limit)


def run_for(services: Services, visitor: Visitor, run_id: int, permission: Permission = Permission.READ) -> Run:
    """The run, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, run_id)
    require(visitor.user, permission, found.project, store.no_run(run_id))
    return found


def shape(services: Services, value: Run) -> shapes.Json:
    return {
        "id": value.id,
        "kind": value.kind,
        "service": value.service,
        "project": value.project,
        "environment": value.environment,
        "deployment": value.deployment_id,
        "release": value.release,
        "schedule": value.schedule_id,
        "due_at": shapes.moment(value.due_at),
        "cause": value.cause,
        "by": value.by,
        "status": value.status,
        "reason": value.reason,
        "attempt": value.attempt,
        "url": f"{services.settings.public_url}/{value.project}/runs/{value.id}",
        "created_at": shapes.moment(value.created_at),
        "started_at": shapes.moment(value.started_at),
        "finished_at": shapes.moment(value.finished_at),
    }


def _reader(services: Services, run_id: int) -> LogReader:
    return services.logs.reader(log_id(run_id))


def _ended(services: Services, run_id: int) -> str | None:
    """The run's last status."""
    with services.database.reading() as tx:
        status = store.get(tx, run_id).status
    return status if status.ended else None
