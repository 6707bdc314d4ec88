"""What running builds ask the server for, each with the token of its job: their source, and to note their image."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from cabestan.domain.access import JobIdentity
from cabestan.engine.building import build_sources
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, EngineUnavailable, Forbidden, StorageFull
from cabestan.web.access import Wired, bearer_token, identify

router = APIRouter(prefix="/internal/jobs", include_in_schema=False)


@router.get("/{job_id}/source")
def source(request: Request, services: Wired, job_id: int) -> Response:
    """A tar with all that the build works on."""
    try:
        _require_job(request, services, job_id)
        with services.database.reading() as tx:
            job = build_sources.running_job(tx, job_id)
        return StreamingResponse(build_sources.source(services, job), media_type="application/x-tar")
    except CabestanError as error:
        return _refused(error)


@router.put("/{job_id}/image")
def image(request: Request, services: Wired, job_id: int, body: dict[str, str]) -> Response:
    """The digest of what the build has pushed."""
    try:
        _require_job(request, services, job_id)
        build_sources.take_image(services, job_id, body.get("digest", ""))
    except CabestanError as error:
        return _refused(error)
    return PlainTextResponse("")


def _require_job(request: Request, services: Services, job_id: int) -> None:
    identity = identify(services, bearer_token(request))
    if not isinstance(identity, JobIdentity) or identity.job_id != job_id:
        raise Forbidden("This address is for the job's own build.", "Retry the job, if it was yours.")


def _refused(error: CabestanError) -> PlainTextResponse:
    """In words for the job's log. Of what passes by itself, a full disk or an engine that is away, it asks again."""
    if isinstance(error, StorageFull | EngineUnavailable):
        raise error
    return PlainTextResponse(f"{error}\n", 403 if isinstance(error, Forbidden) else 409)
