"""Git over HTTP, through git's own `http-backend`."""

import asyncio
import hmac
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from cabestan.adapters import git_hooks
from cabestan.adapters.git_backend import http_backend_environment
from cabestan.adapters.push_guard import Guard
from cabestan.domain.access import Identity, Permission, User, may
from cabestan.domain.project import Project
from cabestan.engine.building import intake
from cabestan.engine.services import Services
from cabestan.errors import Forbidden
from cabestan.store import projects as project_store
from cabestan.web.access import Wired, git_token, identify, project_for
from cabestan.web.git_answers import Call, Fetch, Push, Refs
from cabestan.web.pushed import Pushed

router = APIRouter()
_REFS_PATH = "info/refs"
#: of Git LFS, which asks below it for a repository's large files and for locks
_LFS_PATH = "info/lfs/"
_LFS_TYPE = "application/vnd.git-lfs+json"
_WRITE_PATH = "git-receive-pack"
_PATHS = (_REFS_PATH, "git-upload-pack", _WRITE_PATH)


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
    if path.startswith(_LFS_PATH):
        return _no_lfs(path)
    if path not in _PATHS or (request.method == "GET") != (path == _REFS_PATH):
        return PlainTextResponse("Only Git's smart HTTP protocol is spoken here.\n", 404)
    permission = Permission.PUSH if pushing else Permission.READ
    project = await asyncio.to_thread(project_for, services, identity, f"{group}/{name}", permission)
    call = _call(request, services, project, path, identity)
    if path == _WRITE_PATH:
        return Push(call, _pushed(request, services, project, call.user))
    return Refs(call) if path == _REFS_PATH else Fetch(call)


@router.post("/internal/pushes/{project_id}", include_in_schema=False)
def pushed(request: Request, services: Wired, project_id: int, body: dict[str, str]) -> Response:
    """Called by the hook, which alone knows the token."""
    brought = request.headers.get("x-cabestan-hook", "")
    if not hmac.compare_digest(brought.encode(), services.vault.derive("hook").encode()):
        raise Forbidden("This address is for Cabestan's own hook.", "Push with git.")
    with services.database.reading() as tx:
        project = project_store.by_id(tx, project_id)
    intake.take_pushes(services, project, body.get("by", ""))
    return Response(status_code=204)


def _no_lfs(path: str) -> Response:
    """In the words of Git LFS's own API, which its client shows. It goes on without locks where these are not known."""
    words = (
        "Git LFS is not supported here: this server keeps no large files beside the commits. Commit the files "
        "themselves: `git lfs migrate export --everything --include='*'` rewrites the commits so, then push again; or "
        "keep large files elsewhere and fetch them in the Dockerfile."
    )
    status = 501 if path.startswith(f"{_LFS_PATH}locks") else 422
    return JSONResponse({"message": words}, status, media_type=_LFS_TYPE)


def _call(request: Request, services: Services, project: Project, path: str, identity: Identity) -> Call:
    settings = services.settings
    user = identity.name if isinstance(identity, User) else f"job {identity.job_id}"
    return Call(
        request=request,
        project_id=project.id,
        project=project.name,
        user=user,
        environment=_environment(request, services, project, path, user, _guarded(identity, project)),
        places=request.app.state.git_places,
        limits=services.repositories.limits,
        seconds=settings.git_seconds,
        push_bytes=settings.push_bytes,
    )


def _pushed(request: Request, services: Services, project: Project, user: str) -> Pushed:
    def allowed() -> bool:
        """Whether the token is still good, and its user may see the project."""
        identity = identify(services, git_token(request))
        return identity is not None and may(identity, Permission.READ, project.name)

    return Pushed(services, project, user, request.app.state.followed_pushes, allowed)


def _environment(
    request: Request, services: Services, project: Project, path: str, user: str, guarded: tuple[str, ...]
) -> dict[str, str]:
    settings, repositories = services.settings, services.repositories
    guard = Guard(project.name, user, guarded, settings.project_refs, repositories.bounds, repositories.limits)
    return http_backend_environment(
        repositories.path(project.id),
        service_path=path,
        method=request.method,
        query=request.url.query,
        content_type=request.headers.get("content-type", ""),
        protocol=request.headers.get("git-protocol", ""),
        user=user,
        hooks=_hooks(services),
        push_bytes=settings.push_bytes,
        hook_variables={
            "CABESTAN_HOOK_URL": f"{settings.internal_url}/internal/pushes/{project.id}",
            "CABESTAN_HOOK_TOKEN": services.vault.derive("hook"),
            "CABESTAN_HOOK_USER": user,
            **guard.variables(),
        },
    )


def _guarded(identity: Identity, project: Project) -> tuple[str, ...]:
    """The branches that are not theirs to push to."""
    return () if may(identity, Permission.PUSH_PROTECTED, project.name) else project.protected_patterns
