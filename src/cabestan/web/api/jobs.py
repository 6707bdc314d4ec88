"""Jobs and their logs, live and later; and what changes, live."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from cabestan.domain.access import Permission, may
from cabestan.domain.pipeline import Job
from cabestan.engine.runs import log_id
from cabestan.engine.services import Services
from cabestan.store import pipelines as store
from cabestan.store.logs import LogReader
from cabestan.web.access import SignedIn, Visitor, Wired, project_named
from cabestan.web.api import shapes
from cabestan.web.streams import follow, start_offset

router = APIRouter()
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/jobs/{job_id}")
def job(visitor: SignedIn, services: Wired, job_id: int) -> shapes.Json:
    found, project = job_for(services, visitor, job_id)
    return shapes.job(services, found, project)


@router.get("/jobs/{job_id}/log")
def log(visitor: SignedIn, services: Wired, job_id: int, offset: Annotated[int, Query(ge=0)] = 0) -> StreamingResponse:
    """The whole log so far, as text, from a byte on."""
    job_for(services, visitor, job_id)
    headers = {"Content-Disposition": f'attachment; filename="job-{job_id}.log"'}
    chunks = _reader(services, job_id).chunks(offset)
    return StreamingResponse(chunks, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/jobs/{job_id}/log/stream")
def stream(
    request: Request, visitor: SignedIn, services: Wired, job_id: int, offset: str | None = None
) -> StreamingResponse:
    """The log as server-sent events: from a byte on, then as it grows, until the job has ended."""
    job_for(services, visitor, job_id)
    reader = _reader(services, job_id)
    start = start_offset(request.headers.get("last-event-id"), offset, reader.size())
    events = follow(reader, services.hub, offset=start, ended=lambda: _ended(services, reader, job_id))
    return StreamingResponse(events, media_type="text/event-stream", headers=_STREAM_HEADERS)


@router.get("/jobs/{job_id}/log/lines")
def lines(
    visitor: SignedIn,
    services: Wired,
    job_id: int,
    start: Annotated[int, Query(alias="from", ge=1)] = 1,
    count: Annotated[int, Query(ge=1, le=5000)] = 200,
) -> shapes.Json:
    """Some lines, from a number on."""
    job_for(services, visitor, job_id)
    reader = _reader(services, job_id)
    found = [
        {"number": line.number, "offset": line.offset, "time": line.time_ms, "text": line.text}
        for line in reader.lines_from(start, count)
    ]
    return {"lines": found, "total": reader.lines(), "size": reader.size()}


@router.get("/jobs/{job_id}/log/search")
def search(
    visitor: SignedIn,
    services: Wired,
    job_id: int,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> shapes.Json:
    """The numbers of the lines that hold a text, in whatever case."""
    job_for(services, visitor, job_id)
    found = _reader(services, job_id).search(q, limit + 1, ignore_case=True)
    return {"matches": found[:limit], "more": len(found) > limit}


@router.get("/changes")
def changes(visitor: SignedIn, services: Wired) -> StreamingResponse:
    """The topics that change, as server-sent events, of the projects that the user may see."""
    return StreamingResponse(_changes(services, visitor), media_type="text/event-stream", headers=_STREAM_HEADERS)


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
    return found, project_named(services, visitor.user, found.project_id, Permission.READ).name


def _reader(services: Services, job_id: int) -> LogReader:
    return services.logs.reader(log_id(job_id))


def _ended(services: Services, reader: LogReader, job_id: int) -> str | None:
    """The job's last status; the log's own mark is looked at first, for that costs nothing."""
    if reader.size() and not reader.ended():
        return None
    with services.database.reading() as tx:
        status = store.get_job(tx, job_id).status
    return status if status.ended else None
