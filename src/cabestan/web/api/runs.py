"""Runs of services that end (migrations, schedules), and their logs."""

import sqlalchemy as sa
from fastapi import APIRouter

from cabestan.domain.access import Permission
from cabestan.domain.run import Run
from cabestan.domain.status import RunStatus
from cabestan.engine.running import cron_runs
from cabestan.engine.running.service_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import runs as store
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
    return shape(services, cron_runs.cancel(services, run_id, visitor.user.name))


def run_for(services: Services, visitor: Visitor, run_id: int, permission: Permission = Permission.READ) -> Run:
    """The run, if its project may be seen."""
    with services.database.reading() as tx:
        found = store.get(tx, run_id)
    require(visitor.user, permission, found.project, store.no_run(run_id))
    return found


def shape(services: Services, value: Run) -> shapes.Json:
    return {
        **shapes.fields(value, "id", "kind", "service", "project", "environment"),
        "deployment": value.deployment_id,
        "release": value.release,
        "schedule": value.schedule_id,
        **shapes.fields(value, "due_at", "cause", "by", "status", "reason", "attempt"),
        "url": f"{services.settings.public_url}/{value.project}/runs/{value.id}",
        **shapes.fields(value, "created_at", "started_at", "finished_at"),
    }


def _status(tx: sa.Connection, run_id: int) -> RunStatus:
    return store.get(tx, run_id).status


logs.add_routes(router, "/runs/{number}/log", logs.Logged(log_id, run_for, _status))
