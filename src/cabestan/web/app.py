"""The web application: pages, API, live streams and Git, over the services that `bootstrap` made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import Depends, FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import cabestan
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.web import builds, failures, git_http, registry_token, sessions
from cabestan.web.access import is_known, signed_in
from cabestan.web.api import (
    actions,
    alerts,
    certificates,
    databases,
    deletions,
    deployments,
    environments,
    hosts,
    jobs,
    journal,
    members,
    people,
    pipelines,
    projects,
    routes,
    runs,
    schedules,
    variables,
    waivers,
)
from cabestan.web.front.bodies import Bodies, Reserve
from cabestan.web.front.bounds import Bounds
from cabestan.web.git_places import Places
from cabestan.web.live import Streams
from cabestan.web.pages.every import error_page, pages, static_files

_API = "/api/v1"
#: that answer requests. Python computes in one at a time: more would only wait for each other
_THREADS = 24
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def create_app(
    services: Services, *, on_start: Callable[[], None], on_stop: Callable[[], None], bounds: Bounds | None = None
) -> FastAPI:
    """`on_start` runs before the first request is answered, `on_stop` after the last."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        git_http.write_hooks(services)
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        app.state.git_places = Places(services.settings.parallel_git)
        await asyncio.to_thread(on_start)
        yield
        await asyncio.to_thread(on_stop)

    app = FastAPI(
        title="Cabestan",
        version=cabestan.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # as that would be public; below it is not
    )
    app.state.services = services
    bounds = bounds or Bounds()
    app.state.streams = Streams(bounds.streams_per_user, bounds.streams)
    app.state.followed_pushes = Streams(bounds.pushes_per_user, bounds.pushes)
    app.add_middleware(Bodies, bounds=bounds, known=is_known, refuse=_refuse)
    app.add_middleware(Reserve, known=is_known, refuse=_refuse)
    app.add_middleware(SecurityHeaders)
    failures.install(app, error_page)
    _mount(app)
    return app


def _refuse(request: Request, error: CabestanError) -> Response:
    return failures.refusal(request, error, error_page)


def _mount(app: FastAPI) -> None:
    """What is public is named here; all else asks for a login."""
    app.include_router(projects.public, prefix=_API)
    app.include_router(certificates.public, prefix=_API)
    app.include_router(git_http.router)
    app.include_router(builds.router)
    app.include_router(registry_token.router)
    app.include_router(sessions.public)
    app.mount("/static", static_files(), name="static")
    private = [Depends(signed_in)]
    for module in (
        projects,
        people,
        members,
        pipelines,
        jobs,
        variables,
        journal,
        environments,
        deployments,
        actions,
        waivers,
        routes,
        hosts,
        alerts,
        certificates,
        runs,
        schedules,
        databases,
        deletions,
    ):
        app.include_router(module.router, prefix=_API, dependencies=private)
    app.include_router(sessions.router, dependencies=private)
    app.include_router(pages, dependencies=private)
    app.add_api_route(f"{_API}/openapi.json", app.openapi, dependencies=private, include_in_schema=False)


class SecurityHeaders:
    """Adds the headers to every answer; plain ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_more if scope["type"] == "http" else send)
