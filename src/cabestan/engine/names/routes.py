"""What the router serves now: which address leads to which service of which environment."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from cabestan.compose.routing.answering import answering, request_of
from cabestan.compose.stack import routes_in
from cabestan.domain.claims import covers
from cabestan.domain.environment import Environment
from cabestan.domain.route import Route
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store


@dataclass(frozen=True)
class ServedRoute:
    route: Route
    project: str
    environment: str

    @property
    def addresses(self) -> str:
        return ", ".join(self.route.claims)


@dataclass(frozen=True)
class Verdict:
    """Which route answers, which others fit as well, and who has routes for the host without one that fits."""

    host: str
    answers: ServedRoute | None
    others: tuple[ServedRoute, ...]
    holders: tuple[str, ...]


def served(tx: sa.Connection, project_id: int | None = None) -> tuple[ServedRoute, ...]:
    """Of all environments, or of one project's, the higher priority first within each."""
    environments = environment_store.all_environments(tx)
    chosen = [e for e in environments if project_id is None or e.project_id == project_id]
    found = [ServedRoute(route, e.project, e.name) for e in chosen for route in _of(tx, e)]
    return tuple(sorted(found, key=lambda one: (one.project, one.environment, -one.route.priority, one.route.name)))


def _of(tx: sa.Connection, environment: Environment) -> tuple[Route, ...]:
    if environment.current_deployment_id is None:
        return ()
    plan = deployment_store.plan_of(tx, environment.current_deployment_id)
    return routes_in(plan.stack) if plan else ()


def match(
    routes: Iterable[ServedRoute], url: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Verdict:
    """Which of the routes answers a request for the address. Raises Invalid for what is no address."""
    every = tuple(routes)
    request = request_of(url, method, headers)
    by_route = {id(one.route): one for one in every}
    fitting = [by_route[id(route)] for route in answering((one.route for one in every), request)]
    holders = (one.project for one in every if any(covers(claim, request.host) for claim in one.route.claims))
    return Verdict(request.host, fitting[0] if fitting else None, tuple(fitting[1:]), tuple(dict.fromkeys(holders)))


def seen_by(verdict: Verdict, may_see: Callable[[str], bool]) -> Verdict:
    """Without what is of projects that a person may not see."""
    hidden = verdict.answers is not None and not may_see(verdict.answers.project)
    return Verdict(
        verdict.host,
        None if hidden else verdict.answers,
        tuple(one for one in verdict.others if may_see(one.project)),
        tuple(project for project in verdict.holders if may_see(project)),
    )
