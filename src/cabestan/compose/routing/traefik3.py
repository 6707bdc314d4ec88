"""The labels of a Swarm service that tell Traefik 3 of its routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cabestan.compose import entrances
from cabestan.compose.entrances import Entrances
from cabestan.domain.route import IMAGE_PORT, ROUTE_HEADER, Middleware, Route

#: rules of the platform itself come after all others
_ABOVE_PLATFORM = 10
#: a replica that died stays in the router's table for some seconds. A connection that it does not take is tried with
#: the next, so often that a live one is found; with any method, for nothing was sent yet
_RETRY = {"attempts": "16", "initialinterval": "50ms"}

#: in previews
_UNKNOWN_PORT = "port-of-the-image"


def router_labels(routes: Iterable[Route], stack: str, network: str, open_by: Entrances) -> dict[str, str]:
    """Of the routes of one service. Names begin with the stack's, which holds no `_`: no two stacks share one."""
    labels: dict[str, str] = {}
    for route in routes:
        name = f"{stack}_{route.name}"
        kept = tuple(step for step in route.middlewares if not _sends_to_https(step))
        steps = tuple(f"{name}_{step.name}" for step in kept)
        sends_on, only_http = kept != route.middlewares, route.entrypoints == ("http",)
        labels |= {"traefik.enable": "true", "traefik.swarm.network": network}
        labels |= entrances.router_labels(
            name,
            rule=route.rule,
            service=name,
            hosts=route.hosts,
            entrances=replace(open_by, plain_http=open_by.plain_http and not sends_on),
            middlewares=(entrances.REDIRECT,) if sends_on and only_http else (f"{name}-mark", f"{name}-retry", *steps),
            priority=_priority(route),
            asked=() if sends_on and not only_http else route.entrypoints,
        )
        labels[f"traefik.http.middlewares.{name}-mark.headers.customresponseheaders.{ROUTE_HEADER}"] = route.mark(stack)
        labels.update(_middlewares(kept, name, steps))
        labels.update(_service(route, f"traefik.http.services.{name}.loadbalancer"))
    return labels


def _priority(route: Route) -> int:
    """One that answers over HTTP alone comes before the redirect of its like over HTTPS."""
    return route.priority + _ABOVE_PLATFORM + (route.entrypoints == ("http",))


def _middlewares(kept: tuple[Middleware, ...], name: str, steps: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for option, value in _RETRY.items():
        yield f"traefik.http.middlewares.{name}-retry.retry.{option}", value
    for step, middleware in zip(steps, kept, strict=True):
        for option, value in middleware.options:
            path = f"{middleware.kind}.{option}" if option else middleware.kind
            yield f"traefik.http.middlewares.{step}.{path}", value


def _sends_to_https(middleware: Middleware) -> bool:
    """The platform's own redirect does the same, and knows the port."""
    return middleware.kind == "redirectscheme" and dict(middleware.options).get("scheme") == "https"


def _service(route: Route, service: str) -> Iterator[tuple[str, str]]:
    yield f"{service}.server.port", _UNKNOWN_PORT if route.port == IMAGE_PORT else str(route.port)
    if route.scheme != "http":
        yield f"{service}.server.scheme", route.scheme
    for option, value in route.options:
        yield f"{service}.{option}", value
