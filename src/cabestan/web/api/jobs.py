"""Jobs and their logs, live and later; and what changes, live."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from cabestan.domain.access import Permission, may
from cabestan.domain.pipeline import Job
from cabestan.engine.runs import log_id
from cabestan.engine.services import Services
from cabestan.store import pipelines as store
from cabestan.store.logs import LogReader
from cabestan.web.access import SignedIn, Visitor, Wired, require
from cabestan.web.api import logs, shapes

router = APIRouter()


@router.get("/jobs/{job_id}")
def job(visitor: SignedIn, services: Wired, job_id: int) -> shapes.Json:
    found, project = job_for(services, visitor, job_id)
    return shapes.job(services, found, project)


@router.get("/jobs/{job_id}/log")
def log(visitor: SignedIn, services: Wired, job_id: int, offset: logs.Offset = 0) -> StreamingResponse:
    """The whole log so far, as text, from a byte on."""
    job_for(services, visitor, job_id)
    return logs.whole(_reader(services, job_id), offset)


@router.get("/jobs/{job_id}/log/stream")
def stream(
    request: Request, visitor: SignedIn, services: Wired, job_id: int, offset: str | None = None
) -> StreamingResponse:
    """The log as server-sent events: from a byte on, then as it grows, until the job has ended."""
    job_for(services, visitor, job_id)
    return logs.live(request, services, _reader(services, job_id), offset, lambda: _ended(services, job_id))


@router.get("/jobs/{job_id}/log/lines")
def lines(
    visitor: SignedIn, services: Wired, job_id: int, start: logs.From = 1, count: logs.Count = 200
) -> shapes.Json:
    """Some lines, from a number on."""
    job_for(services, visitor, job_id)
    return logs.some(_reader(services, job_id), start, count)


@router.get("/jobs/{job_id}/log/search")
def search(visitor: SignedIn, services: Wired, job_id: int, q: logs.Query_, limit: logs.Most = 1000) -> shapes.Json:
    """The numbers of the lines that hold a text, in whatever case."""
    job_for(services, visitor, job_id)
    return logs.matching(_reader(services, job_id), q, limit)


@router.get("/changes")
def changes(visitor: SignedIn, services: Wired) -> StreamingResponse:
    """The topics that change, as server-sent events, of the projects that the user may see."""
    return StreamingResponse(_changes(services, visitor), media_type="text/event-stream", headers=logs.STREAM_HEADERS)


async def _changes(services: Services, visitor: Visitor) -> AsyncIterator[str]:
    yield ": listening\n\n"
    async for change in services.changes.listen():
        if change is None:
            yield ": still here\n\n"
        elif may(visitor.user, Permission.READ, change.project):
            yield f"event: changed\ndata: {change.topic}\n\n"


def job_for(services: Services, visitor: Visitor, job_id: int) -> tuple[Job, str]:
    """The job and its project's name, if that may be seen."""
    with services.database.reading() as tx:
        found = store.get_job(tx, job_id)
        project = store.get(tx, found.pipeline_id).project
    require(visitor.user, Permission.READ, project, store.no_job(job_id))
    return found, project


def _reader(services: Services, job_id: int) -> LogReader:
    return services.logs.reader(log_id(job_id))


def _ended(services: Services, job_id: int) -> str | None:
    """The job's last status."""
    with services.database.reading() as tx:
        status = store.get_job(tx, job_id).status
    return status if status.ended else None
