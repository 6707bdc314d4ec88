"""A server that answers what a test tells it to, over a real socket, and remembers what it was asked."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from tests.cli import git_over_http

TOKEN = "canary-token"

Answer = Any | Callable[[Request], Response]


@dataclass(frozen=True)
class Asked:
    """A request: `path` is what follows `/api/v1`, with its query; `body` is the JSON or None."""

    method: str
    path: str
    body: Any = None


@dataclass
class FakeServer:
    """`answers` by method and path without query: a JSON value, a Response, or a function of the request.

    A list of answers within `series` is given one by one, the last one for ever.
    """

    url: str = ""
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    repositories: list[Path] = field(default_factory=list)

    def forget(self) -> None:
        self.answers.clear()
        self.asked.clear()
        self.headers.clear()

    def serve_git(self, root: Path) -> None:
        """The bare repositories under `root`, by their paths."""
        self.repositories.append(root)

    def on(self, method: str, path: str, answer: Answer) -> None:
        self.answers[method, path] = answer

    def series(self, method: str, path: str, *answers: Answer) -> None:
        rest = list(answers)
        self.on(method, path, lambda request: _response(rest.pop(0) if len(rest) > 1 else rest[0], request))

    def lists(self, path: str, *items: Any) -> None:
        self.on("GET", path, {"items": list(items), "next": None})

    def answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/v1")
        found = self.answers.get((request.method, path))
        return refusal(404, "not_found", f"There is no {path}.") if found is None else _response(found, request)


def refusal(status: int, code: str, message: str, remedy: str = "", details: list[Any] | None = None) -> Response:
    error = {"code": code, "message": message, "remedy": remedy, "details": details or []}
    return JSONResponse({"error": error}, status)


def stream(*blocks: bytes, media_type: str = "text/event-stream") -> Callable[[Request], Response]:
    """Blocks that arrive one by one, so that the reader sees them cut as they are here."""

    async def send() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block
            await asyncio.sleep(0.02)

    return lambda _: StreamingResponse(send(), media_type=media_type)


@contextmanager
def running() -> Iterator[FakeServer]:
    fake = FakeServer()
    server = uvicorn.Server(uvicorn.Config(_app(fake), port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    fake.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.should_exit = True
        thread.join()


def _app(fake: FakeServer) -> FastAPI:
    app = FastAPI()
    app.include_router(git_over_http.router(TOKEN, fake.repositories))

    @app.api_route("/api/v1/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def everything(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        body = await request.json() if await request.body() else None
        fake.asked.append(Asked(request.method, request.url.path.removeprefix("/api/v1") + query, body))
        fake.headers.append(dict(request.headers))
        return fake.answer(request)

    return app


def _response(answer: Answer, request: Request) -> Response:
    if callable(answer) and not isinstance(answer, Response):
        return _response(answer(request), request)
    return answer if isinstance(answer, Response) else JSONResponse(answer)
