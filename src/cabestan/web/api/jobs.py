"""Jobs and their logs, live and later; and what changes, live."""

from collections.abc import AsyncIterator

import sqlalchemy as sa
from fastapi import APIRouter, Request

from cabestan.domain.access import Permission, may
from cabestan.domain.pipeline import Job
from cabestan.domain.status import RunStatus
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import pipelines as store
from cabestan.web.access import SignedIn, Visitor, Wired, require
from cabestan.web.api import logs, shapes
from cabestan.web.live import Follower, LiveStream

router = APIRouter()


@router.get("/jobs/{job_id}")
def job(visitor: SignedIn, services: Wired, job_id: int) -> shapes.Json:
    found, project = job_for(services, visitor, job_id)
    return shapes.job(services, found, project)


@router.get("/changes")
def changes(request: Request, visitor: SignedIn, services: Wired) -> LiveStream:
    """The topics that change, as server-sent events, of the projects that the user may see."""
    follower = Follower(request, visitor)
    return LiveStream(_changes(services, follower), follower.look_again, follower.counted)


async def _changes(services: Services, follower: Follower) -> AsyncIterator[str]:
    yield ": listening\n\n"
    async for change in services.changes.listen():
        if change is None:
            yield ": still here\n\n"
        elif may(follower.visitor.user, Permission.READ, change.project):
            yield f"event: changed\ndata: {change.topic}\n\n"


def job_for(services: Services, visitor: Visitor, job_id: int) -> tuple[Job, str]:
    """The job and its project's name, if that may be seen."""
    with services.database.reading() as tx:
        found = store.get_job(tx, job_id)
        project = store.get(tx, found.pipeline_id).project
    require(visitor.user, Permission.READ, project, store.no_job(job_id))
    return found, project


def _status(tx: sa.Connection, job_id: int) -> RunStatus:
    return store.get_job(tx, job_id).status


logs.add_routes(router, "/jobs/{number}/log", logs.Logged(log_id, job_for, _status))
