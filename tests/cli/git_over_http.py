"""Git's own server program behind the fake server, for whoever has the token."""

import base64
import os
import subprocess
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response


def router(token: str, root: "list[Path]") -> APIRouter:
    """`root` holds the folder that is served; it may change from test to test."""
    routes = APIRouter()

    @routes.api_route("/git/{path:path}", methods=["GET", "POST"])
    async def git(path: str, request: Request) -> Response:
        if not _allowed(request, token):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="cabestan"'})
        return await run_in_threadpool(_backend, root[-1], request, await request.body())

    return routes


def _allowed(request: Request, token: str) -> bool:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return scheme == "Basic" and base64.b64decode(credentials).decode().partition(":")[2] == token


def _backend(root: Path, request: Request, body: bytes) -> Response:
    environment = {
        **os.environ,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.url.path,
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_USER": "ada",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return Response(content, int(headers.pop("Status", "200").split()[0]), headers)
