"""Who is asking, and whether they may. Whatever is not let through here is denied."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from cabestan.domain.access import Identity, Permission, TokenScope, User, allows, may, may_in_group
from cabestan.domain.deletion import Deletion
from cabestan.domain.names import meant
from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.errors import Forbidden, NotFound, NotSignedIn
from cabestan.store import deletions as deletion_store
from cabestan.store import projects as project_store
from cabestan.store import users as user_store

_SESSION_COOKIE = "cabestan_session"
#: browsers take a cookie of this name over HTTPS alone, and from this very host: no other one below its domain sets it
_SECURE_SESSION_COOKIE = f"__Host-{_SESSION_COOKIE}"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SCOPE_REMEDY = "Use one of a larger scope: `cabestan token create` makes it."


@dataclass(frozen=True)
class Visitor:
    """A signed-in user. `csrf` is what forms must bring back; empty where a token was sent instead of a cookie."""

    user: User
    csrf: str


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def over_https(services: Services) -> bool:
    return urlsplit(services.settings.public_url).scheme == "https"


def session_cookie(services: Services) -> str:
    """The name of the cookie with the session."""
    return _SECURE_SESSION_COOKIE if over_https(services) else _SESSION_COOKIE


async def signed_in(request: Request) -> Visitor:
    """The dependency of every page and every API address but the few public ones. Raises NotSignedIn, Forbidden."""
    found = await run_in_threadpool(visitor_of, request)  # a database that is waited for must not hold everybody
    if not found and bearer_token(request):
        raise NotSignedIn(
            "The token is not good here: it is mistyped, has ended, or is of another server.",
            "Sign in with another one: `cabestan login URL`; `cabestan up` on the server's machine makes one of admin.",
        )
    if not found:
        raise NotSignedIn(
            "You are not signed in.",
            "Sign in; at the command line: `cabestan login URL`; programs send `Authorization: Bearer TOKEN`.",
        )
    if found.user.scope is TokenScope.READ and request.method not in _SAFE_METHODS and not found.csrf:
        raise Forbidden("This token is for reading alone.", _SCOPE_REMEDY)
    if found.csrf and request.method not in _SAFE_METHODS and not await _brings_csrf(request, found.csrf):
        raise Forbidden("The form is too old, or did not come from this site.", "Load the page again and repeat it.")
    return found


def visitor_of(request: Request) -> Visitor | None:
    """By token or by session; None where there is neither, or one that is no longer good."""
    services = services_of(request)
    if token := bearer_token(request):
        identity = identify(services, token)
        return Visitor(identity, "") if isinstance(identity, User) else None
    if cookie := request.cookies.get(session_cookie(services)):
        with services.database.reading() as tx:
            session = user_store.session(tx, cookie, services.now())
        return Visitor(session.user, session.csrf) if session else None
    return None


def is_known(request: Request) -> bool:
    """Whether a good token, of a user or a job, or a session comes with the request. Reads the database."""
    if token := git_token(request):
        return identify(services_of(request), token) is not None
    return visitor_of(request) is not None


def identify(services: Services, token: str) -> Identity | None:
    with services.database.reading() as tx:
        return user_store.identity_of_token(tx, token, services.now())


def bearer_token(request: Request) -> str:
    """From `Authorization: Bearer TOKEN`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def git_token(request: Request) -> str:
    """The same, or the password of basic authentication, as Git sends it.

    Nowhere else: a browser that once knows such a password adds it to what other sites make it send.
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return bearer_token(request)
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _brings_csrf(request: Request, wanted: str) -> bool:
    brought = request.headers.get(CSRF_HEADER, "")
    if not brought and "form" in request.headers.get("content-type", ""):
        field = (await request.form()).get(CSRF_FIELD, "")
        brought = field if isinstance(field, str) else ""
    return hmac.compare_digest(brought.encode(), wanted.encode())


def require_own_site(request: Request) -> None:
    """For a form that brings no token back, as there is no session yet. Browsers tell where it stands; programs need
    not. Raises Forbidden.
    """
    origin = request.headers.get("origin")
    foreign = origin is not None and origin.lower() not in _own_origins(request)
    if foreign or request.headers.get("sec-fetch-site") == "cross-site":
        raise Forbidden(
            "This form did not come from this site, but from another one.",
            f"Sign in at {services_of(request).settings.public_url}/login. If you did: the setting `url` must be the "
            "address that your browser shows.",
        )


def _own_origins(request: Request) -> set[str]:
    """What is addressed, by whichever scheme, for a proxy may speak HTTPS before us; and the public address."""
    public = urlsplit(services_of(request).settings.public_url.lower())
    host = request.headers.get("host", "").lower()
    known = f"{public.scheme}://{public.netloc.removesuffix(_DEFAULT_PORTS.get(public.scheme, ''))}"
    return {known, f"http://{host}", f"https://{host}"}


def project_for(services: Services, identity: Identity, name: str, permission: Permission) -> Project:
    """The project, if it may be seen; else NotFound, so that nobody learns what there is. Forbidden for the rest."""
    with services.database.reading() as tx:
        project = project_store.find(tx, name)
        if not project or not may(identity, Permission.READ, name):
            seen = (one.name for one in project_store.all_projects(tx) if may(identity, Permission.READ, one.name))
            raise NotFound(
                f"There is no project {name}, or you may not see it.",
                f"{meant(name, seen)}`cabestan project list` shows yours.",
            )
    if not may(identity, permission, name):
        raise forbidden(identity, permission, name)
    if permission is not Permission.READ:
        _refuse_while_deleted(services, project)
    return project


def _refuse_while_deleted(services: Services, project: Project) -> None:
    with services.database.reading() as tx:
        if deletion := deletion_store.open_of_project(tx, project.id):
            raise deletion_store.under_way(deletion)


def group_for(services: Services, user: User, group: str, permission: Permission) -> str:
    """The group, if it has a project and belongs to what the user may see; else NotFound. Forbidden for the rest."""
    with services.database.reading() as tx:
        there = bool(project_store.of_group(tx, group))
    if not there or not may_in_group(user, Permission.READ, group):
        raise NotFound(f"There is no group {group}, or you may not see it.", "`cabestan project list` shows yours.")
    if not may_in_group(user, permission, group):
        raise forbidden(user, permission, f"the group {group}")
    return group


def require(identity: Identity, permission: Permission, project: str, missing: NotFound) -> None:
    """For what is found by its number alone: who may not see its project is told that there is no such thing."""
    if not may(identity, Permission.READ, project):
        raise missing
    if not may(identity, permission, project):
        raise forbidden(identity, permission, project)


def forbidden(identity: Identity, permission: Permission, where: str) -> Forbidden:
    """The refusal: for want of a role, or for the scope of the token."""
    if isinstance(identity, User) and not allows(identity, permission):
        return Forbidden(f"This token may not {permission} in {where}: its scope is “{identity.scope}”.", _SCOPE_REMEDY)
    return Forbidden(f"You may not {permission} in {where}.", "Ask one of its maintainers.")


def require_all_rights(user: User) -> None:
    """For what concerns the user: a token that may do less must not make one that may do more."""
    if user.scope is not TokenScope.ALL:
        raise Forbidden(f"This token's scope is “{user.scope}”.", _SCOPE_REMEDY)


def sees_deletion(user: User, deletion: Deletion) -> bool:
    """Of a project that one sees, or would if it were still there; and one's own."""
    return deletion.by == user.name or may(user, Permission.READ, deletion.project)


def require_admin(user: User) -> None:
    require_all_rights(user)
    if not user.admin:
        raise Forbidden("Only administrators may do this.", "Ask one.")


SignedIn = Annotated[Visitor, Depends(signed_in)]
Wired = Annotated[Services, Depends(services_of)]
