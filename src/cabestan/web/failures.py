"""Errors at the edge: as JSON for programs, as a page for people."""

from collections.abc import Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from cabestan.domain.finding import FindingsRefused
from cabestan.errors import CabestanError, Invalid, NotFound
from cabestan.store.fullness import is_full, storage_full

_log = structlog.get_logger(__name__)
_STATUS = {
    "invalid": 422,
    "compose_refused": 422,
    "image_refused": 422,
    "too_slow": 408,
    "too_large": 413,
    "too_many": 429,
    "busy": 503,
    "not_found": 404,
    "conflict": 409,
    "not_signed_in": 401,
    "forbidden": 403,
    "engine_unavailable": 503,
    "registry_unavailable": 503,
    "deadline_exceeded": 503,
    "storage_full": 507,
}
#: of all that is wrong with a request, so much is told
_TOLD_PROBLEMS = 10
_TOLD_LENGTH = 200
#: shows an error to a person: request, status, error
ErrorPage = Callable[[Request, int, CabestanError], Response]


def install(app: FastAPI, error_page: ErrorPage) -> None:
    """Has every failure end as an answer that says what, where and what to do."""

    async def told(request: Request, error: Exception) -> Response:
        ours = _as_ours(request, error)
        status = _status(error, ours)
        if is_full(error):
            _log.warning("the disk is full: a request was refused", path=request.url.path)
        elif status >= 500:
            _log.error("a request failed", path=request.url.path, exc_info=error)
        return answer(request, status, ours, error_page)

    for kind in (CabestanError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, told)


def refusal(request: Request, error: CabestanError, error_page: ErrorPage) -> Response:
    """Of a request that the application does not see."""
    return answer(request, _status(error, error), error, error_page)


def answer(request: Request, status: int, error: CabestanError, error_page: ErrorPage) -> Response:
    return _json(status, error) if _wants_json(request) else error_page(request, status, error)


def _as_ours(request: Request, error: Exception) -> CabestanError:
    if isinstance(error, CabestanError):
        return error
    if isinstance(error, RequestValidationError):
        problems = "; ".join(map(_problem, error.errors()[:_TOLD_PROBLEMS]))
        return Invalid(f"The request is not right: {problems}.", "docs/api.md tells what is expected.")
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        return NotFound(f"There is nothing at {request.method} {request.url.path}.", "Check the address.")
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Invalid(f"The request is not right: {error.detail}.", "docs/api.md tells what is expected.")
    if is_full(error):
        return storage_full()
    return CabestanError("Something went wrong in Cabestan itself.", "Its log tells more; please report it.")


def _problem(problem: Any) -> str:
    return f"{'.'.join(map(str, problem['loc']))[:_TOLD_LENGTH]}: {problem['msg'][:_TOLD_LENGTH]}"


def status_of(error: CabestanError) -> int:
    return _STATUS.get(error.code, 500)


def _status(error: Exception, ours: CabestanError) -> int:
    return error.status_code if isinstance(error, HTTPException) else status_of(ours)


def _wants_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith(("/api/", "/internal/")) or ".git/" in path


def _json(status: int, error: CabestanError) -> JSONResponse:
    body: dict[str, Any] = {"code": error.code, "message": error.message, "remedy": error.remedy, "details": []}
    if isinstance(error, FindingsRefused):
        body["details"] = [_finding(finding) for finding in error.findings]
    return JSONResponse({"error": body}, status)


def _finding(finding: Any) -> dict[str, Any]:
    keys = ("code", "severity", "file", "line", "column", "path", "message", "remedy")
    return {key: getattr(finding, key) for key in keys}
