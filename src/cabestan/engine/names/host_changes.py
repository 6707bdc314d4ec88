"""Host names are given away, and given up; certificates that were uploaded for them go with them."""

import sqlalchemy as sa

from cabestan.compose.routing.hosts import is_host
from cabestan.domain import names
from cabestan.domain.access import User
from cabestan.domain.certificate import Certificate
from cabestan.domain.claims import HostRule, covers
from cabestan.engine.names import certificates, unwarranted
from cabestan.engine.names.hosts import routed_by
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Invalid, NotFound
from cabestan.store import hosts as store
from cabestan.store import projects as project_store


def assign(services: Services, pattern: str, owner: str, by: User) -> store.StoredRule:
    """Gives a pattern to a group or a project. Raises Conflict while others route what it covers."""
    rule = HostRule(_pattern(pattern), _owner(owner))
    with services.database.writing() as tx:
        if "/" in rule.owner and not project_store.find(tx, rule.owner):
            raise NotFound(f"There is no project {rule.owner}.", "`cabestan project list` shows them.")
        for claim_ in store.claims(tx):
            if covers(rule.pattern, claim_.pattern) and not rule.allows(claim_.project):
                _refuse_unless_more_precise(tx, rule, claim_)
        store.put_rule(tx, rule, by.name, services.now())
        made = next(stored for stored in store.rules(tx) if stored.rule == rule)
        gone = unwarranted.drop_unwarranted(services, tx)
    _tell_router(services, gone)
    return made


def _refuse_unless_more_precise(tx: sa.Connection, rule: HostRule, claim_: store.HostClaim) -> None:
    """A claim that a more precise rule allows may stay."""
    inner = [s.rule for s in store.rules(tx) if s.rule.pattern != rule.pattern and covers(rule.pattern, s.rule.pattern)]
    if not any(covers(one.pattern, claim_.pattern) and one.allows(claim_.project) for one in inner):
        raise Conflict(
            f"{claim_.pattern} is routed by {claim_.project}, on {claim_.environment}.",
            f"Have it give the name up first: `cabestan host release '{claim_.pattern}' -p {claim_.project}`.",
        )


def release(services: Services, pattern: str, project: str) -> tuple[str, ...]:
    """The project gives the pattern up; the environments that had it. Raises Conflict while one of them routes it."""
    wanted = _pattern(pattern)
    with services.database.writing() as tx:
        found = [one for one in store.claims(tx) if one.pattern == wanted and one.project == project]
        if not found:
            raise NotFound(f"{project} has no claim on {wanted}.", "`cabestan host list` tells who has what.")
        for one in found:
            if wanted in routed_by(tx, one.environment_id):
                raise Conflict(
                    f"{one.environment} of {project} routes {wanted} now.",
                    "Take it out of the Compose file and deploy that first.",
                )
            store.remove_claim(tx, wanted, one.environment_id)
        gone = unwarranted.drop_unwarranted(services, tx)
    _tell_router(services, gone)
    return tuple(one.environment for one in found)


def withdraw(services: Services, pattern: str) -> None:
    """Takes an administrator's rule back; claims stay."""
    wanted = _pattern(pattern)
    with services.database.writing() as tx:
        if not store.remove_rule(tx, wanted):
            raise NotFound(f"There is no rule for {wanted}.", "`cabestan host list` shows the rules.")


def _tell_router(services: Services, gone: tuple[Certificate, ...]) -> None:
    """It has what is left, at once."""
    if gone:
        certificates.renew(services)


def _pattern(text: str) -> str:
    pattern = text.strip().lower()
    if not is_host(pattern.removeprefix("*.")):
        raise Invalid(f"“{text[:80]}” is no host name.", "Write www.example.org, or *.example.org for all below it.")
    return pattern


def _owner(text: str) -> str:
    owner = text.strip()
    return names.project_name(owner) if "/" in owner else names.project_name(f"{owner}/x").partition("/")[0]
