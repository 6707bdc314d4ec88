"""Routes and host names as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.engine.names.hosts import Ownership
from cabestan.engine.names.routes import ServedRoute, Verdict
from cabestan.web.pages.views.moments import When, when


@dataclass(frozen=True)
class RouteRow:
    key: str
    project: str
    environment: str
    environment_href: str
    hosts: tuple[str, ...]
    service: str
    port: str
    priority: int
    rule: str
    source: str
    steps: tuple[str, ...]
    entrypoints: str


@dataclass(frozen=True)
class HostRow:
    pattern: str
    owner: str
    owner_href: str
    kind: str
    environment: str
    since: When
    by: str


@dataclass(frozen=True)
class Question:
    """What was asked, and the answer; `trouble` where it was no address."""

    url: str
    method: str
    answer: RouteRow | None = None
    others: tuple[RouteRow, ...] = ()
    holders: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class RoutesPage:
    rows: tuple[RouteRow, ...]
    hosts: tuple[HostRow, ...]
    question: Question


def route_row(served: ServedRoute) -> RouteRow:
    route = served.route
    return RouteRow(
        key=f"{served.project}-{served.environment}-{route.name}".replace("/", "-"),
        project=served.project,
        environment=served.environment,
        environment_href=f"/{served.project}/environments/{served.environment}",
        hosts=route.claims,
        service=route.service,
        port=f"{route.port}" if route.scheme == "http" else f"{route.port} ({route.scheme})",
        priority=route.priority,
        rule=route.rule,
        source=route.source,
        steps=tuple(step.kind for step in route.middlewares),
        entrypoints=" and ".join(route.entrypoints),
    )


def host_rows(ownership: Ownership, now: datetime) -> tuple[HostRow, ...]:
    """Rules first."""
    rules = (
        HostRow(one.rule.pattern, one.rule.owner, _href(one.rule.owner), "rule", "", when(one.created_at, now), one.by)
        for one in ownership.rules
    )
    claims = (
        HostRow(one.pattern, one.project, _href(one.project), "claim", one.environment, when(one.created_at, now), "")
        for one in ownership.claims
    )
    return (*rules, *claims)


def question(url: str, method: str, verdict: Verdict) -> Question:
    answer = route_row(verdict.answers) if verdict.answers else None
    return Question(url, method, answer, _rows(verdict.others), verdict.holders)


def _rows(routes: Iterable[ServedRoute]) -> tuple[RouteRow, ...]:
    return tuple(route_row(one) for one in routes)


def _href(owner: str) -> str:
    return f"/{owner}" if "/" in owner else ""
