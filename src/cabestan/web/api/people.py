"""Users, their tokens and passwords."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cabestan.domain.access import Token, TokenScope, User
from cabestan.engine import people
from cabestan.engine.services import Services
from cabestan.errors import NotSignedIn
from cabestan.store import users as store
from cabestan.web.access import SignedIn, Visitor, Wired, require_admin, require_all_rights, session_cookie
from cabestan.web.api import shapes
from cabestan.web.sessions import check_login, hashed

router = APIRouter()
#: as a person typed it
Confirm = Annotated[str, Query(max_length=200)]


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200)
    admin: bool = False


class NewToken(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200)
    scope: TokenScope = TokenScope.ALL
    #: none: it does not end by itself
    days: int | None = None


class NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")
    password: str = Field(max_length=1000)
    #: the present one, or a token; not asked of administrators who set another user's
    current: str = Field("", max_length=1000)


@router.get("/user")
def who(visitor: SignedIn) -> shapes.Json:
    """Who the token belongs to."""
    return shapes.user(visitor.user) | {"scope": visitor.user.scope}


@router.get("/users")
def users(visitor: SignedIn, services: Wired) -> shapes.Json:
    require_admin(visitor.user)
    with services.database.reading() as tx:
        return shapes.whole(store.all_users(tx), shapes.user)


@router.post("/users", status_code=201)
def create_user(visitor: SignedIn, services: Wired, wanted: NewUser) -> shapes.Json:
    """The answer's `token` is shown this once."""
    require_admin(visitor.user)
    user, word = people.create_user(services, wanted.name, admin=wanted.admin)
    return shapes.user(user) | {"token": word}


@router.delete("/users/{user}", status_code=204)
def delete_user(visitor: SignedIn, services: Wired, user: str, confirm: Confirm = "") -> Response:
    """By an administrator; not oneself, nor the last administrator. `confirm` is the user's name."""
    require_admin(visitor.user)
    people.delete_user(services, _named(services, user), visitor.user, confirm)
    return Response(status_code=204)


@router.get("/user/tokens")
def own_tokens(visitor: SignedIn, services: Wired) -> shapes.Json:
    return _tokens(services, visitor.user)


@router.post("/user/tokens", status_code=201)
def create_own_token(visitor: SignedIn, services: Wired, wanted: NewToken) -> shapes.Json:
    """The answer's `token` is shown this once."""
    require_all_rights(visitor.user)
    return _created(services, visitor.user, wanted)


@router.delete("/user/tokens/{token_id}", status_code=204)
def delete_own_token(visitor: SignedIn, services: Wired, token_id: int, confirm: Confirm = "") -> Response:
    """`confirm` is the token's name."""
    require_all_rights(visitor.user)
    people.delete_token(services, visitor.user, token_id, confirm)
    return Response(status_code=204)


@router.put("/user/password", status_code=204)
def set_own_password(request: Request, visitor: SignedIn, services: Wired, wanted: NewPassword) -> Response:
    """All sessions but this one end."""
    set_own(request, visitor, services, wanted.current, wanted.password)
    return Response(status_code=204)


@router.get("/users/{user}/tokens")
def tokens(visitor: SignedIn, services: Wired, user: str) -> shapes.Json:
    """By an administrator, as the next ones."""
    require_admin(visitor.user)
    return _tokens(services, _named(services, user))


@router.post("/users/{user}/tokens", status_code=201)
def create_token(visitor: SignedIn, services: Wired, user: str, wanted: NewToken) -> shapes.Json:
    require_admin(visitor.user)
    return _created(services, _named(services, user), wanted)


@router.delete("/users/{user}/tokens/{token_id}", status_code=204)
def delete_token(visitor: SignedIn, services: Wired, user: str, token_id: int, confirm: Confirm = "") -> Response:
    require_admin(visitor.user)
    people.delete_token(services, _named(services, user), token_id, confirm)
    return Response(status_code=204)


@router.put("/users/{user}/password", status_code=204)
def set_password(visitor: SignedIn, services: Wired, user: str, wanted: NewPassword) -> Response:
    """All sessions of the user end."""
    require_admin(visitor.user)
    set_for(services, _named(services, user), wanted.password)
    return Response(status_code=204)


def set_own(request: Request, visitor: Visitor, services: Services, current: str, password: str) -> None:
    """Whoever finds a browser open does not know the present one. Raises NotSignedIn, Invalid."""
    require_all_rights(visitor.user)
    people.check_password(password)
    with services.database.reading() as tx:
        has_one = store.password_hash(tx, visitor.user.name)
    if has_one and not _knows(request, services, visitor.user, current):
        raise NotSignedIn("The present password is another one.", "Type it again, or a token in its place.")
    _keep(services, visitor.user, password, but=request.cookies.get(session_cookie(services), ""))


def set_for(services: Services, user: User, password: str) -> None:
    people.check_password(password)
    _keep(services, user, password)


def _knows(request: Request, services: Services, user: User, current: str) -> bool:
    try:
        return bool(check_login(services, user.name, current, request.client.host if request.client else ""))
    except NotSignedIn:
        return False


def _keep(services: Services, user: User, password: str, but: str = "") -> None:
    kept = hashed(password)
    with services.database.writing() as tx:
        store.set_password(tx, user.id, kept)
        store.drop_sessions(tx, user.id, but)


def _named(services: Services, name: str) -> User:
    with services.database.reading() as tx:
        return store.get(tx, name)


def _tokens(services: Services, user: User) -> shapes.Json:
    with services.database.reading() as tx:
        found = [token for token in store.tokens_of(tx, user.id) if is_good(token, services.now())]
    return shapes.whole(found, _token)


def is_good(token: Token, now: datetime) -> bool:
    return token.expires_at is None or token.expires_at > now


def _created(services: Services, user: User, wanted: NewToken) -> shapes.Json:
    made = people.create_token(services, user, wanted.name, wanted.scope, wanted.days)
    return _token(made.token) | {"token": made.word}


def _token(value: Token) -> shapes.Json:
    return shapes.fields(value, "id", "name", "scope", "created_at", "expires_at")
