"""The labels of a Swarm service that tell Traefik 3 of its routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cabestan.compose.entrances import Entering, Entrances, entrance_labels
from cabestan.domain.route import Middleware, Route

#: rules of the platform itself come after all others
_ABOVE_PLATFORM = 10
#: a replica that died stays in the router's table for some seconds. A connection that it does not take is tried with
#: the next, so often that a live one is found; with any method, for nothing was sent yet
_RETRY = {"attempts": "16", "initialinterval": "50ms"}


def router_labels(routes: Iterable[Route], stack: str, network: str, entrances: Entrances) -> dict[str, str]:
    """Of the routes of one service. Names begin with the stack's, which holds no `_`: no two stacks share one."""
    labels: dict[str, str] = {}
    for route in routes:
        labels.update({"traefik.enable": "true", "traefik.swarm.network": network})
        labels.update(_route(route, f"{stack}_{route.name}", entrances))
    return labels


def _route(route: Route, name: str, entrances: Entrances) -> Iterator[tuple[str, str]]:
    service = f"traefik.http.services.{name}.loadbalancer"
    kept = [middleware for middleware in route.middlewares if not _sends_to_https(middleware)]
    entering = Entering(
        rule=route.rule,
        service=name,
        priority=route.priority + _ABOVE_PLATFORM,
        claims=tuple(sorted(route.claims)),
        middlewares=(f"{name}-retry", *(f"{name}_{step.name}" for step in kept)),
        schemes=route.entrypoints,
        sends_to_https=len(kept) < len(route.middlewares),
    )
    yield from entrance_labels(name, entering, entrances).items()
    for option, value in _RETRY.items():
        yield f"traefik.http.middlewares.{name}-retry.retry.{option}", value
    for middleware in kept:
        for option, value in middleware.options:
            path = f"{middleware.kind}.{option}" if option else middleware.kind
            yield f"traefik.http.middlewares.{name}_{middleware.name}.{path}", value
    yield f"{service}.server.port", str(route.port)
    if route.scheme != "http":
        yield f"{service}.server.scheme", route.scheme
    for option, value in route.options:
        yield f"{service}.{option}", value


def _sends_to_https(middleware: Middleware) -> bool:
    """The platform's own redirect does the same, and knows the port."""
    return middleware.kind == "redirectscheme" and dict(middleware.options).get("scheme") == "https"
