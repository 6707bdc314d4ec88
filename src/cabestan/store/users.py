"""Users, their roles, and tokens and sessions by hash."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cabestan.domain.access import Identity, JobIdentity, Role, Token, TokenScope, User
from cabestan.domain.status import RunStatus
from cabestan.errors import Conflict, NotFound
from cabestan.store.ids import note_used, numbered
from cabestan.store.rows import Rows
from cabestan.store.schema import jobs, memberships, projects, tokens, users

_TOKENS = Rows(Token, tokens)


@dataclass(frozen=True)
class Session:
    """A login in a browser. Forms must bring `csrf` back."""

    user: User
    csrf: str


@dataclass(frozen=True)
class Membership:
    """A user's role in a group or a project."""

    user: str
    scope: str
    role: Role


def token_hash(token: str) -> str:
    """Tokens are 256 random bits, so that a plain hash of one cannot be searched back."""
    return hashlib.sha256(token.encode()).hexdigest()


def create(tx: sa.Connection, name: str, *, admin: bool, now: datetime, password_hash: str = "") -> User:
    values = {"name": name, "admin": admin, "password_hash": password_hash, "created_at": now}
    (row,) = numbered(tx, users, [values])
    try:
        key = tx.execute(sa.insert(users).values(row).returning(users.c.id)).scalar_one()
    except IntegrityError as error:
        raise Conflict(f"There is a user {name} already.", "Choose another name.") from error
    return User(key, name, admin, {})


def find(tx: sa.Connection, name: str) -> User | None:
    row = tx.execute(sa.select(users).where(users.c.name == name)).one_or_none()
    return _value(tx, row) if row else None


def get(tx: sa.Connection, name: str) -> User:
    found = find(tx, name)
    if not found:
        raise NotFound(f"There is no user {name}.", "An administrator can create one: `cabestan user create NAME`.")
    return found


def all_users(tx: sa.Connection) -> tuple[User, ...]:
    return tuple(_value(tx, row) for row in tx.execute(sa.select(users).order_by(users.c.name)).all())


def members_of_scopes(tx: sa.Connection, scopes: Iterable[str]) -> tuple[Membership, ...]:
    """The roles that were given in these groups (`group`) and projects (`group/name`), by the users' names."""
    return _members(tx, memberships.c.scope.in_(list(scopes)))


def members_named(tx: sa.Connection, part: str) -> tuple[Membership, ...]:
    """The roles of all with the part in their names, wherever."""
    return _members(tx, users.c.name.icontains(part, autoescape=True))


def _members(tx: sa.Connection, where: sa.ColumnElement[bool]) -> tuple[Membership, ...]:
    query = sa.select(users.c.name, memberships.c.scope, memberships.c.role).join_from(memberships, users)
    found = tx.execute(query.where(where).order_by(users.c.name, memberships.c.scope))
    return tuple(Membership(*row) for row in found)


def admins(tx: sa.Connection) -> tuple[str, ...]:
    """Their names."""
    return tuple(tx.execute(sa.select(users.c.name).where(users.c.admin).order_by(users.c.name)).scalars())


def password_hash(tx: sa.Connection, name: str) -> str:
    return tx.execute(sa.select(users.c.password_hash).where(users.c.name == name)).scalar_one_or_none() or ""


def set_role(tx: sa.Connection, user_id: int, scope: str, role: Role | None) -> None:
    """The user's role in a group (`group`) or project (`group/name`); None takes it away."""
    tx.execute(sa.delete(memberships).where(memberships.c.user_id == user_id, memberships.c.scope == scope))
    if role:
        tx.execute(sa.insert(memberships).values(user_id=user_id, scope=scope, role=role))


def add_token(
    tx: sa.Connection,
    token: str,
    *,
    kind: str,
    now: datetime,
    user_id: int | None = None,
    job_id: int | None = None,
    name: str = "",
    csrf: str = "",
    expires_at: datetime | None = None,
    scope: TokenScope = TokenScope.ALL,
) -> None:
    """Keeps the hash of it. `kind` is `personal`, `session` or `job`."""
    row = {"hash": token_hash(token), "kind": kind, "user_id": user_id, "job_id": job_id, "name": name}
    more = {"csrf": csrf, "created_at": now, "expires_at": expires_at, "scope": scope}
    tx.execute(sa.insert(tokens).values(row | more))


def identity_of_token(tx: sa.Connection, token: str, now: datetime) -> Identity | None:
    """Who a personal or a job's token stands for; a job's is dead as soon as the job is not running."""
    row = _token_row(tx, token, now)
    if not row or row.kind == "session":
        return None
    if row.user_id is not None:
        return _user(tx, row.user_id).scoped(row.scope)
    query = sa.select(projects.c.name).join_from(jobs, projects)
    project = tx.execute(query.where(jobs.c.id == row.job_id, jobs.c.status == RunStatus.RUNNING)).scalar_one_or_none()
    return JobIdentity(row.job_id, project) if project else None


def session(tx: sa.Connection, token: str, now: datetime) -> Session | None:
    row = _token_row(tx, token, now)
    return Session(_user(tx, row.user_id).scoped(row.scope), row.csrf) if row and row.kind == "session" else None


def drop_token(tx: sa.Connection, token: str) -> None:
    tx.execute(sa.delete(tokens).where(tokens.c.hash == token_hash(token)))


def drop_token_by_id(tx: sa.Connection, token_id: int) -> None:
    tx.execute(sa.delete(tokens).where(tokens.c.id == token_id))


def drop_sessions(tx: sa.Connection, user_id: int, but: str = "") -> None:
    """Of a user, all but the one with this token."""
    own = (tokens.c.user_id == user_id, tokens.c.kind == "session", tokens.c.hash != token_hash(but))
    tx.execute(sa.delete(tokens).where(*own))


def tokens_of(tx: sa.Connection, user_id: int) -> tuple[Token, ...]:
    """Personal ones, the oldest first; those that have ended go within the hour."""
    return _TOKENS.all(tx, tokens.c.user_id == user_id, tokens.c.kind == "personal", by=(tokens.c.id,))


def set_password(tx: sa.Connection, user_id: int, kept: str) -> None:
    """`kept` is its hash."""
    tx.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=kept))


def delete(tx: sa.Connection, user_id: int) -> None:
    """With tokens, sessions and roles."""
    note_used(tx)
    tx.execute(sa.delete(users).where(users.c.id == user_id))


def drop_job_tokens(tx: sa.Connection, job_id: int) -> None:
    tx.execute(sa.delete(tokens).where(tokens.c.job_id == job_id))


def drop_expired_tokens(tx: sa.Connection, now: datetime) -> None:
    tx.execute(sa.delete(tokens).where(tokens.c.expires_at < now))


# what each request asks for is put together once: that takes longer than the database does
_FRESH_TOKEN = sa.select(tokens).where(
    tokens.c.hash == sa.bindparam("token_hash"),
    sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > sa.bindparam("now", type_=tokens.c.expires_at.type)),
)
_USER = sa.select(users).where(users.c.id == sa.bindparam("user"))
_MEMBERSHIPS = sa.select(memberships).where(memberships.c.user_id == sa.bindparam("user"))


def _token_row(tx: sa.Connection, token: str, now: datetime) -> sa.Row[tuple[object, ...]] | None:
    return tx.execute(_FRESH_TOKEN, {"token_hash": token_hash(token), "now": now}).one_or_none()


def _user(tx: sa.Connection, user_id: int) -> User:
    return _value(tx, tx.execute(_USER, {"user": user_id}).one())


def _value(tx: sa.Connection, row: sa.Row[tuple[object, ...]]) -> User:
    held = tx.execute(_MEMBERSHIPS, {"user": row.id})
    return User(row.id, row.name, row.admin, {member.scope: member.role for member in held})
