"""The labels of a Swarm service that tell Traefik 3 of its routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cabestan.domain.route import Route

#: rules of the platform itself come after all others
_ABOVE_PLATFORM = 10
#: a replica that died stays in the router's table for about a second
_RETRY = {"attempts": "4", "initialinterval": "100ms"}


def router_labels(routes: Iterable[Route], stack: str, network: str, entrypoint: str) -> dict[str, str]:
    """Of the routes of one service. Names begin with the stack's, which holds no `_`: no two stacks share one."""
    labels: dict[str, str] = {}
    for route in routes:
        labels.update({"traefik.enable": "true", "traefik.swarm.network": network})
        labels.update(_route(route, f"{stack}_{route.name}", entrypoint))
    return labels


def _route(route: Route, name: str, entrypoint: str) -> Iterator[tuple[str, str]]:
    router, service = f"traefik.http.routers.{name}", f"traefik.http.services.{name}.loadbalancer"
    steps = [f"{name}_{step.name}" for step in route.middlewares]
    yield f"{router}.rule", route.rule
    yield f"{router}.entrypoints", entrypoint
    yield f"{router}.service", name
    yield f"{router}.priority", str(route.priority + _ABOVE_PLATFORM)
    yield f"{router}.middlewares", ",".join([f"{name}-retry", *steps])
    for option, value in _RETRY.items():
        yield f"traefik.http.middlewares.{name}-retry.retry.{option}", value
    for step, middleware in zip(steps, route.middlewares, strict=True):
        for option, value in middleware.options:
            path = f"{middleware.kind}.{option}" if option else middleware.kind
            yield f"traefik.http.middlewares.{step}.{path}", value
    yield f"{service}.server.port", str(route.port)
    if route.scheme != "http":
        yield f"{service}.server.scheme", route.scheme
    for option, value in route.options:
        yield f"{service}.{option}", value
