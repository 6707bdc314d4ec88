"""Host names and whom they belong to: checked in every plan, claimed when a deployment takes its turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from cabestan.domain.claims import Claim, HostConflict, HostRule, conflicts, covers, overlap
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.names import public_names
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Invalid
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import hosts as store
from cabestan.store import projects as project_store


@dataclass(frozen=True)
class Ownership:
    """All that is known of host names."""

    claims: tuple[store.HostClaim, ...]
    rules: tuple[store.StoredRule, ...]


def check(services: Services, tx: sa.Connection, environment: Environment, patterns: Iterable[str]) -> None:
    """Raises Invalid for a wildcard that is too wide, and Conflict for what belongs to others, or is too much."""
    wanted = tuple(patterns)
    for pattern in wanted:
        _refuse_wide(pattern, services.settings.target_domain)
        _refuse_own(pattern, services.settings.public_url)
    if found := _conflicts(services, tx, environment.project, wanted):
        raise _refusal(found[0], environment.project)
    public_names.check(services, tx, project_store.by_id(tx, environment.project_id), wanted)


def names_of(services: Services, tx: sa.Connection, project: Project) -> tuple[str, ...]:
    """The patterns that are a project's: those that it has claimed, and its environments' domains."""
    target = services.settings.target_domain
    domains = [environment.full_domain(target) for environment in environment_store.of_project(tx, project.id)]
    free = [domain for domain in domains if not covers(domain, _own_host(services.settings.public_url))]
    own = [domain for domain in free if not _conflicts(services, tx, project.name, (domain,))]
    claimed = [claim.pattern for claim in store.claims(tx) if claim.project == project.name]
    return tuple(sorted({*own, *claimed}))


def _conflicts(
    services: Services, tx: sa.Connection, project: str, wanted: tuple[str, ...]
) -> tuple[HostConflict, ...]:
    every = [Claim(claim.pattern, claim.project) for claim in store.claims(tx)]
    rules = [stored.rule for stored in store.rules(tx)]
    return conflicts(wanted, project, every, [*rules, *_own_domains(tx, services.settings.target_domain)])


def _refusal(conflict: HostConflict, project: str) -> Conflict:
    by = "" if conflict.wanted == conflict.pattern else f", as {conflict.pattern} does"
    kind = "project" if "/" in conflict.owner else "group"
    return Conflict(
        f"The host name {conflict.wanted} belongs to the {kind} {conflict.owner}{by}.",
        f"Route another name in {project}, or have it given up: `cabestan host list` tells who has what.",
    )


def _refuse_wide(pattern: str, target_domain: str) -> None:
    if pattern.startswith("*.") and covers(pattern, f"*.{target_domain}"):
        raise Invalid(
            f"A rule that takes all of {pattern} would take the names of every environment.",
            "Have its pattern end in a longer domain, such as ${CI_ENVIRONMENT_DOMAIN}.",
        )


def _refuse_own(pattern: str, public_url: str) -> None:
    """Browsers send the cookies of a session to all ports of a host, and so to whatever answers there."""
    own = _own_host(public_url)
    if own and covers(pattern, own):
        raise Conflict(
            f"The host name {own} belongs to Cabestan itself"
            + ("." if own == pattern else f", and {pattern} holds it."),
            "Route another name.",
        )


def _own_host(public_url: str) -> str:
    return (urlsplit(public_url).hostname or "").rstrip(".")


def _own_domains(tx: sa.Connection, target_domain: str) -> list[HostRule]:
    """Each environment's default name, and all below it, are its project's before anybody asks for them."""
    rules: list[HostRule] = []
    for environment in environment_store.all_environments(tx):
        domain = environment.default_domain(target_domain)
        rules += [HostRule(domain, environment.project), HostRule(f"*.{domain}", environment.project)]
    return rules


def claim(services: Services, tx: sa.Connection, environment: Environment, patterns: Iterable[str]) -> None:
    """The names become the environment's, or Conflict is raised."""
    wanted = tuple(patterns)
    check(services, tx, environment, wanted)
    store.add_claims(tx, environment, wanted, services.now())


def shared(environment: Environment, others: Iterable[store.HostClaim]) -> Iterable[str]:
    """Warnings of names that are routed elsewhere too."""
    for other in others:
        whose = other.environment if other.project == environment.project else f"{other.project}"
        yield f"{whose} routes {other.pattern} as well: where rules of both fit, the higher priority answers."


def routed_elsewhere(tx: sa.Connection, environment: Environment, patterns: Iterable[str]) -> Iterable[store.HostClaim]:
    """What another environment, or a project of the same group, has and serves of these names."""
    others = [one for one in store.claims(tx) if one.environment_id != environment.id]
    for pattern in patterns:
        for other in others:
            if overlap(pattern, other.pattern) and other.pattern in routed_by(tx, other.environment_id):
                yield other


def routed_by(tx: sa.Connection, environment_id: int) -> tuple[str, ...]:
    """What is served there now, or is about to be."""
    environment = environment_store.by_id(tx, environment_id)
    running = [d.id for d in deployment_store.open_in(tx, environment.id) if d.status is DeploymentStatus.RUNNING]
    keys = [*running, *([environment.current_deployment_id] if environment.current_deployment_id is not None else [])]
    plans = [plan for key in keys if (plan := deployment_store.plan_of(tx, key))]
    return tuple(dict.fromkeys(host for plan in plans for host in plan.hosts))


def ownership(services: Services) -> Ownership:
    with services.database.reading() as tx:
        return Ownership(store.claims(tx), store.rules(tx))
