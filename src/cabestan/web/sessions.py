"""Signing in and out in a browser."""

import secrets
import threading
from datetime import timedelta
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from cabestan.domain.access import User
from cabestan.domain.names import USER_NAME_LENGTH
from cabestan.engine.services import Services
from cabestan.errors import NotSignedIn
from cabestan.store import users as store
from cabestan.web.access import SignedIn, Wired, over_https, require_own_site, session_cookie, visitor_of
from cabestan.web.pages.answers import html, see
from cabestan.web.pages.frame import plain_frame
from cabestan.web.throttle import Throttle, client_at

public = APIRouter()
router = APIRouter()
#: of password hashes, each of which takes 64 MiB
_HASHES_AT_ONCE = 2

_throttled = Throttle()
_hashing = threading.BoundedSemaphore(_HASHES_AT_ONCE)
_signing_in = CapacityLimiter(2 * _HASHES_AT_ONCE)


def check_login(services: Services, name: str, secret: str, address: str) -> User:
    """By password or by token, which may stand in the password's place. Raises NotSignedIn.

    `address` is the client's. A token is looked at first, for nobody guesses one: whoever fails on purpose keeps
    nobody out who has one.
    """
    if len(name) > USER_NAME_LENGTH:  # nobody's, and not worth remembering
        raise _no_match()
    with services.database.reading() as tx:
        identity = store.identity_of_token(tx, secret, services.now())
        if isinstance(identity, User) and identity.name == name:
            return identity
        user, kept = store.find(tx, name), store.password_hash(tx, name)
    client = client_at(address)
    _throttled.begin(name, client, hashing=bool(kept))
    if user and kept and _matches(kept, secret):
        _throttled.succeeded(name, client)
        return user
    raise _no_match()


def hashed(password: str) -> str:
    """What is kept of it."""
    with _hashing:
        return PasswordHasher().hash(password)


def _no_match() -> NotSignedIn:
    return NotSignedIn("Name and password (or token) do not fit together.", "Check both, and try again.")


def _matches(kept: str, password: str) -> bool:
    try:
        with _hashing:
            return PasswordHasher().verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def open_session(services: Services, user: User, address: str = "/") -> Response:
    """Sends the browser on to an address of this site, with a session of its own."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    lifetime = timedelta(hours=services.settings.session_hours)
    with services.database.writing() as tx:
        expires_at = services.now() + lifetime
        now = services.now()
        store.add_token(
            tx,
            token,
            kind="session",
            user_id=user.id,
            csrf=csrf,
            now=now,
            expires_at=expires_at,
            scope=user.scope,
        )
    response = RedirectResponse(_own_address(address), 303)
    _set_cookie(services, response, token, int(lifetime.total_seconds()))
    return response


def _set_cookie(services: Services, response: Response, token: str, seconds: int) -> None:
    """For 0 seconds it is taken away: by the same attributes, or the browser refuses to."""
    secure = over_https(services)
    response.set_cookie(
        session_cookie(services), token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure
    )


@public.get("/login", include_in_schema=False)
def login_page(request: Request, next: str = "/") -> Response:
    return see("/") if visitor_of(request) else _form(next)


def _form(address: str, name: str = "", problem: str = "", status: int = 200) -> Response:
    """`address` is where it leads, `name` what was entered before."""
    return html("login.html", plain_frame(None, "Sign in"), status, problem=problem, next=address, name=name)


@public.post("/login", include_in_schema=False, dependencies=[Depends(require_own_site)])
async def login(
    request: Request,
    services: Wired,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Few at a time: whoever waits for a password to be compared holds no thread that others are answered by."""
    return await to_thread.run_sync(_sign_in, request, services, name, password, next, limiter=_signing_in)


def _sign_in(request: Request, services: Services, name: str, password: str, next: str) -> Response:
    try:
        user = check_login(services, name.strip(), password.strip(), _address(request))
    except NotSignedIn as error:
        return _form(next, name.strip(), str(error), 401)
    return open_session(services, user, next)


def _address(request: Request) -> str:
    """The other end of the connection, behind a proxy the proxy: what a request says about that, anybody can write."""
    return request.client.host if request.client else ""


def _own_address(address: str) -> str:
    """The address if it is on this site: browsers take `//host` and `/\\host` as another one."""
    return address if address.startswith("/") and address[1:2] not in ("/", "\\") else "/"


@router.post("/logout", include_in_schema=False)
def logout(request: Request, services: Wired, _visitor: SignedIn) -> Response:
    with services.database.writing() as tx:
        store.drop_token(tx, request.cookies.get(session_cookie(services), ""))
    response = RedirectResponse("/login", 303)
    _set_cookie(services, response, "", 0)
    return response
