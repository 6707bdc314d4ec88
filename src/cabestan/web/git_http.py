"""Git over HTTP, through git's own `http-backend`."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from cabestan.adapters import git_hooks
from cabestan.adapters.git import http_backend_environment, parse_cgi_head
from cabestan.domain.access import Identity, Permission, User, may
from cabestan.domain.project import Project
from cabestan.engine import intake
from cabestan.engine.services import Services
from cabestan.errors import Forbidden
from cabestan.store import projects as project_store
from cabestan.web.access import Wired, git_token, identify, project_for

router = APIRouter()
_CHUNK = 64 * 1024
_READ_PATHS = ("info/refs", "git-upload-pack")
_WRITE_PATH = "git-receive-pack"


def write_hooks(services: Services) -> None:
    """At each start, for this Python."""
    git_hooks.write_hooks(_hooks(services))


def _hooks(services: Services) -> Path:
    return services.settings.data / "hooks"


@router.api_route("/{group}/{name}.git/{path:path}", methods=["GET", "POST"], include_in_schema=False)
async def git(request: Request, services: Wired, group: str, name: str, path: str) -> Response:
    """Clone, fetch and push. Asks for a login as Git expects it."""
    identity = await asyncio.to_thread(identify, services, git_token(request))
    if not identity:
        challenge = {"WWW-Authenticate": 'Basic realm="Cabestan: any user name, and a token as the password"'}
        return PlainTextResponse("A token is needed.\n", 401, challenge)
    pushing = path == _WRITE_PATH or request.query_params.get("service") == _WRITE_PATH
    if path not in (*_READ_PATHS, _WRITE_PATH):
        return PlainTextResponse("Only Git's smart HTTP protocol is spoken here.\n", 404)
    permission = Permission.PUSH if pushing else Permission.READ
    project = await asyncio.to_thread(project_for, services, identity, f"{group}/{name}", permission)
    return await _backend(request, services, project, path, identity)


@router.post("/internal/pushes/{project_id}", include_in_schema=False)
def pushed(request: Request, services: Wired, project_id: int, body: dict[str, str]) -> PlainTextResponse:
    """Called by the hook, which alone knows the token; answers what the person who pushed is to read."""
    brought = request.headers.get("x-cabestan-hook", "")
    if not hmac.compare_digest(brought.encode(), services.vault.derive("hook").encode()):
        raise Forbidden("This address is for Cabestan's own hook.", "Push with git.")
    with services.database.reading() as tx:
        project = project_store.by_id(tx, project_id)
    started = intake.take_pushes(services, project, body.get("by", ""))
    base = f"{services.settings.public_url}/{project.name}"
    lines = [f"Pipeline {p.id} for {p.branch}: {base}/pipelines/{p.id}\n" for p in started]
    return PlainTextResponse("".join(lines) or "Nothing to build in this push.\n")


async def _backend(request: Request, services: Services, project: Project, path: str, identity: Identity) -> Response:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(request, services, project, path, identity),
    )
    feeding = asyncio.create_task(_feed(request, process, abandon=path != _WRITE_PATH))
    assert process.stdout
    try:
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        feeding.cancel()
        await process.wait()
        return PlainTextResponse("git http-backend gave no answer.\n", 502)
    status, headers = parse_cgi_head(head)
    return _Streamed(_body(process, feeding), status, dict(headers))


def _environment(
    request: Request, services: Services, project: Project, path: str, identity: Identity
) -> dict[str, str]:
    user = identity.name if isinstance(identity, User) else f"job {identity.job_id}"
    return http_backend_environment(
        services.repositories.path(project.id),
        service_path=path,
        method=request.method,
        query=request.url.query,
        content_type=request.headers.get("content-type", ""),
        content_encoding=request.headers.get("content-encoding", ""),
        protocol=request.headers.get("git-protocol", ""),
        user=user,
        hooks=_hooks(services),
        push_bytes=services.settings.push_bytes,
        hook_variables={
            "CABESTAN_HOOK_URL": f"{services.settings.internal_url}/internal/pushes/{project.id}",
            "CABESTAN_HOOK_TOKEN": services.vault.derive("hook"),
            "CABESTAN_HOOK_USER": user,
            **git_hooks.guard_variables(project.name, user, _guarded(identity, project)),
        },
    )


def _guarded(identity: Identity, project: Project) -> tuple[str, ...]:
    """The branches that are not theirs to push to."""
    return () if may(identity, Permission.PUSH_PROTECTED, project.name) else project.protected_patterns


class _Streamed(StreamingResponse):
    """Answers while the request is still being read. The original reads on beside us, to learn whether the client is
    still there, and would take parts of the request away from Git."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await self.stream_response(send)


async def _feed(request: Request, process: asyncio.subprocess.Process, *, abandon: bool) -> None:
    """Hands the request over. `abandon`: a client that goes away afterwards ends the process."""
    assert process.stdin
    try:
        with suppress(BrokenPipeError, ConnectionResetError, ClientDisconnect):
            async for chunk in request.stream():
                process.stdin.write(chunk)
                await process.stdin.drain()
    finally:
        process.stdin.close()
    if abandon and (await request.receive())["type"] == "http.disconnect" and process.returncode is None:
        process.terminate()


async def _body(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> AsyncIterator[bytes]:
    """The rest of the answer. A push that is being stored goes on to its end, whether or not somebody listens."""
    assert process.stdout
    try:
        while chunk := await process.stdout.read(_CHUNK):
            yield chunk
        await process.wait()
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.stdout._transport.close()  # type: ignore[attr-defined]
