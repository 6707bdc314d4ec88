from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles

from cabestan.errors import CabestanError

pages = APIRouter()
public_pages = APIRouter()


def error_page(request: Request, status: int, error: CabestanError) -> Response:
    return PlainTextResponse(str(error), status)


def static_files() -> StaticFiles:
    return StaticFiles(directory=".")
