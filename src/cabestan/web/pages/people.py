"""One's own account, and, for administrators, everybody's: passwords, tokens, making and deleting users."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from cabestan.domain.access import TokenScope, User
from cabestan.engine import people
from cabestan.engine.services import Services
from cabestan.store import users as store
from cabestan.web.access import SignedIn, Visitor, Wired, require_admin, require_all_rights
from cabestan.web.api.people import is_good, set_for, set_own
from cabestan.web.pages.answers import Text, html, see
from cabestan.web.pages.frame import Frame, plain_frame

router = APIRouter()
_OWN = "/account"
_USERS = "/users"
_ONE = _USERS + "/{user}"
Password = Annotated[str, Form(max_length=1000)]
Days = Annotated[str, Form(max_length=5, pattern="^[0-9]*$")]
Number = Annotated[int, Form()]


@router.get(_OWN)
def account(visitor: SignedIn, services: Wired) -> Response:
    return _shown(visitor, services, visitor.user, _OWN, plain_frame(visitor, "Your account", href=_OWN))


@router.post(_OWN + "/password")
def set_own_password(
    request: Request, visitor: SignedIn, services: Wired, password: Password, current: Password = ""
) -> Response:
    set_own(request, visitor, services, current, password)
    return see(_OWN)


@router.post(_OWN + "/tokens")
def create_own_token(
    visitor: SignedIn, services: Wired, name: Text, scope: Annotated[TokenScope, Form()], days: Days = ""
) -> Response:
    require_all_rights(visitor.user)
    return _made(visitor, services, visitor.user, _OWN, name, scope, days)


@router.post(_OWN + "/tokens/delete")
def delete_own_token(visitor: SignedIn, services: Wired, token: Number, confirm: Text) -> Response:
    require_all_rights(visitor.user)
    people.delete_token(services, visitor.user, token, confirm.strip())
    return see(_OWN)


@router.get(_USERS)
def users(visitor: SignedIn, services: Wired) -> Response:
    require_admin(visitor.user)
    with services.database.reading() as tx:
        found = store.all_users(tx)
    return html("users.html", plain_frame(visitor, "Users", href=_USERS), users=found)


@router.post(_USERS)
def create_user(visitor: SignedIn, services: Wired, name: Text, admin: Annotated[bool, Form()] = False) -> Response:
    """The page that answers shows the first token, this once."""
    require_admin(visitor.user)
    user, word = people.create_user(services, name.strip(), admin=admin)
    return _token_page(visitor, user, "first", TokenScope.ALL, word, f"{_USERS}/{user.name}")


@router.get(_ONE)
def user(visitor: SignedIn, services: Wired, user: str) -> Response:
    require_admin(visitor.user)
    found, at = _named(services, user), f"{_USERS}/{user}"
    return _shown(visitor, services, found, at, plain_frame(visitor, f"User {found.name}", href=at))


@router.post(_ONE + "/password")
def set_password(visitor: SignedIn, services: Wired, user: str, password: Password) -> Response:
    require_admin(visitor.user)
    set_for(services, _named(services, user), password)
    return see(f"{_USERS}/{user}")


@router.post(_ONE + "/tokens")
def create_token(
    visitor: SignedIn, services: Wired, user: str, name: Text, scope: Annotated[TokenScope, Form()], days: Days = ""
) -> Response:
    require_admin(visitor.user)
    return _made(visitor, services, _named(services, user), f"{_USERS}/{user}", name, scope, days)


@router.post(_ONE + "/tokens/delete")
def delete_token(visitor: SignedIn, services: Wired, user: str, token: Number, confirm: Text) -> Response:
    require_admin(visitor.user)
    people.delete_token(services, _named(services, user), token, confirm.strip())
    return see(f"{_USERS}/{user}")


@router.post(_ONE + "/delete")
def delete_user(visitor: SignedIn, services: Wired, user: str, confirm: Text) -> Response:
    require_admin(visitor.user)
    people.delete_user(services, _named(services, user), visitor.user, confirm.strip())
    return see(_USERS)


def _shown(visitor: Visitor, services: Services, user: User, at: str, frame: Frame) -> Response:
    now = services.now()
    with services.database.reading() as tx:
        tokens = [token for token in store.tokens_of(tx, user.id) if is_good(token, now)]
        has_password = bool(store.password_hash(tx, user.name))
    return html(
        "account.html",
        frame,
        user=user,
        at=at,
        own=user.id == visitor.user.id and at == _OWN,
        may_change=visitor.user.scope is TokenScope.ALL,
        tokens=tokens,
        scopes=TokenScope,
        has_password=has_password,
        shortest=people.PASSWORD_LENGTH,
        most_days=people.MOST_DAYS,
        now=now,
    )


def _made(
    visitor: Visitor, services: Services, user: User, at: str, name: str, scope: TokenScope, days: str
) -> Response:
    made = people.create_token(services, user, name, scope, int(days) if days else None)
    return _token_page(visitor, user, made.token.name, scope, made.word, at)


def _token_page(visitor: Visitor, user: User, name: str, scope: TokenScope, word: str, at: str) -> Response:
    frame = plain_frame(visitor, "New token")
    return html("token.html", frame, user=user, name=name, scope=scope, word=word, at=at)


def _named(services: Services, name: str) -> User:
    with services.database.reading() as tx:
        return store.get(tx, name)
