"""Claims on host names, and the rules that give them away."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.claims import HostRule
from cabestan.domain.environment import Environment
from cabestan.store.rows import PLACE, Rows, placed
from cabestan.store.schema import environments, host_claims, host_rules, projects


@dataclass(frozen=True)
class HostClaim:
    """An environment routes the pattern, or did."""

    pattern: str
    project: str
    environment: str
    environment_id: int
    created_at: datetime


@dataclass(frozen=True)
class StoredRule:
    rule: HostRule
    by: str
    created_at: datetime


_CLAIMS = Rows(HostClaim, host_claims, placed(host_claims), **PLACE)
_RULES = Rows(StoredRule, host_rules)


def claims(tx: sa.Connection) -> tuple[HostClaim, ...]:
    """All of them, by pattern."""
    return _CLAIMS.all(tx, by=(host_claims.c.pattern, projects.c.name, environments.c.position))


def add_claims(tx: sa.Connection, environment: Environment, patterns: Iterable[str], now: datetime) -> None:
    """Those that it has already stay as they are."""
    mine = sa.select(host_claims.c.pattern).where(host_claims.c.environment_id == environment.id)
    known = set(tx.execute(mine).scalars())
    rows = [
        {"pattern": pattern, "project_id": environment.project_id, "environment_id": environment.id, "created_at": now}
        for pattern in dict.fromkeys(patterns)
        if pattern not in known
    ]
    if rows:
        tx.execute(sa.insert(host_claims), rows)


def remove_claim(tx: sa.Connection, pattern: str, environment_id: int) -> None:
    mine = (host_claims.c.pattern == pattern, host_claims.c.environment_id == environment_id)
    tx.execute(sa.delete(host_claims).where(*mine))


def rules(tx: sa.Connection) -> tuple[StoredRule, ...]:
    """By pattern."""
    return _RULES.all(tx, by=(host_rules.c.pattern,))


def put_rule(tx: sa.Connection, rule: HostRule, by: str, now: datetime) -> None:
    """In place of one that there may be."""
    remove_rule(tx, rule.pattern)
    tx.execute(sa.insert(host_rules).values(pattern=rule.pattern, owner=rule.owner, by=by, created_at=now))


def remove_rule(tx: sa.Connection, pattern: str) -> bool:
    """Whether there was one."""
    return tx.execute(sa.delete(host_rules).where(host_rules.c.pattern == pattern)).rowcount > 0


def claimed(tx: sa.Connection, part: str, project_ids: Iterable[int], limit: int) -> tuple[HostClaim, ...]:
    """The claims of these projects on names with the part in them."""
    like = host_claims.c.pattern.icontains(part, autoescape=True)
    query = _CLAIMS.query.where(host_claims.c.project_id.in_(list(project_ids)), like)
    return _CLAIMS.read(tx, query.order_by(host_claims.c.pattern, projects.c.name).limit(limit))
