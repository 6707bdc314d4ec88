"""Users and their tokens: making and taking away."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from cabestan.domain import names
from cabestan.domain.access import Token, TokenScope, User
from cabestan.domain.deletion import check_confirmed
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Invalid, NotFound
from cabestan.store import environments as environment_store
from cabestan.store import users as store

_TOKEN_BYTES = 32
_NAME_LENGTH = 100
#: a token ends after so many days at the latest, where it ends
MOST_DAYS = 3650
PASSWORD_LENGTH = 12


@dataclass(frozen=True)
class NewToken:
    """`word` is shown this once: only its hash is kept."""

    token: Token
    word: str


def create_user(services: Services, name: str, *, admin: bool) -> tuple[User, str]:
    """With a first token, which may do all that the user may."""
    with services.database.writing() as tx:
        user = store.create(tx, names.user_name(name), admin=admin, now=services.now())
        word = secrets.token_urlsafe(_TOKEN_BYTES)
        store.add_token(tx, word, kind="personal", user_id=user.id, name="first", now=services.now())
    return user, word


def create_token(services: Services, user: User, name: str, scope: TokenScope, days: int | None) -> NewToken:
    """`days` None: it does not end by itself. Raises Conflict where the user has one of that name."""
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise Invalid("A token needs a name.", f"Say what it is for, in at most {_NAME_LENGTH} characters.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A token cannot end after {days} days.", f"Say 1 to {MOST_DAYS}, or nothing for no end.")
    word, now = secrets.token_urlsafe(_TOKEN_BYTES), services.now()
    expires_at = None if days is None else now + timedelta(days=days)
    with services.database.writing() as tx:
        if any(token.name == name for token in store.tokens_of(tx, user.id)):
            raise Conflict(f"{user.name} has a token {name} already.", "Choose another name, or delete that one.")
        store.add_token(
            tx, word, kind="personal", user_id=user.id, name=name, now=now, expires_at=expires_at, scope=scope
        )
        made = next(token for token in store.tokens_of(tx, user.id) if token.name == name)
    return NewToken(made, word)


def delete_token(services: Services, user: User, token_id: int, confirm: str) -> None:
    """One of the user's own. Raises NotFound, and Invalid where another name was typed."""
    with services.database.writing() as tx:
        found = next((token for token in store.tokens_of(tx, user.id) if token.id == token_id), None)
        if not found:
            raise NotFound(f"{user.name} has no token {token_id}.", "`cabestan token list` shows them.")
        check_confirmed(confirm, found.name, "token")
        store.drop_token_by_id(tx, token_id)


def delete_user(services: Services, user: User, by: User, confirm: str) -> None:
    """With tokens, sessions and roles; what was done stays on record under the name. Raises Conflict, Invalid."""
    check_confirmed(confirm, user.name, "user")
    if user.id == by.id:
        raise Conflict("You cannot delete yourself.", "Ask another administrator.")
    with services.database.writing() as tx:
        everybody = store.all_users(tx)
        if user.admin and not any(one.admin and one.id != user.id for one in everybody):
            raise Conflict(f"{user.name} is the last administrator.", "Make another one first.")
        _give_up_approving(tx, user)
        store.delete(tx, user.id)


def _give_up_approving(tx: sa.Connection, user: User) -> None:
    """Whoever gets the name later is no approver by it. An empty list would let all maintainers approve."""
    for environment in environment_store.all_environments(tx):
        if user.name in environment.approvers:
            left = tuple(name for name in environment.approvers if name != user.name)
            if not left:
                raise Conflict(
                    f"{user.name} is the only approver of {environment.name} in {environment.project}.",
                    "Name another approver there first.",
                )
            environment_store.update(tx, environment.id, approvers=left)


def check_password(password: str) -> None:
    """Raises Invalid for one that is guessed too soon."""
    if len(password) < PASSWORD_LENGTH:
        raise Invalid(
            f"The password has {len(password)} characters.", f"Choose one of at least {PASSWORD_LENGTH}: a few words."
        )
