"""How requests come to a route: over HTTPS, and over plain HTTP to be sent there or, where asked, to be answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cabestan.domain.host import is_public

#: the router's entry points
PLAIN = "web"
SECURE = "websecure"
#: a middleware that the router has from the platform, not from a label
REDIRECT = "to-https@file"
#: of the routers that send to HTTPS: below all that a project may have, above the platform's own
_REDIRECT_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Entrances:
    """`resolver` has certificates for public names; empty where there is none, as for all names in `private_domains`.

    `plain_http`: requests over HTTP are answered too, instead of being sent to HTTPS. `wildcards`: the resolver has
    certificates for all names of a domain, too.
    """

    plain_http: bool = False
    resolver: str = ""
    private_domains: tuple[str, ...] = ()
    wildcards: bool = False


@dataclass(frozen=True, slots=True)
class Entering:
    """A route as its routers need it. `schemes`: those that the project wants it for, none for both.

    `middlewares` are names; `sends_to_https`: the project itself wants plain requests sent on.
    """

    rule: str
    service: str
    priority: int
    claims: tuple[str, ...]
    middlewares: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    sends_to_https: bool = False


def entrance_labels(name: str, route: Entering, entrances: Entrances) -> dict[str, str]:
    """Labels for Traefik 3 of the routers of a route, `NAME` and `http_NAME`: no stack's name begins so."""
    labels: dict[str, str] = {}
    if route.schemes != ("http",):
        labels.update(_router(name, route, SECURE, route.priority, route.middlewares))
        labels[f"traefik.http.routers.{name}.tls"] = "true"
        labels.update(_certificate(f"traefik.http.routers.{name}", route.claims, entrances))
    if _is_answered_plainly(route, entrances):
        labels.update(_router(f"http_{name}", route, PLAIN, route.priority, route.middlewares))
    else:
        labels.update(_router(f"http_{name}", route, PLAIN, _REDIRECT_PRIORITY, (REDIRECT,)))
    return labels


def _is_answered_plainly(route: Entering, entrances: Entrances) -> bool:
    if route.sends_to_https:
        return False
    return route.schemes == ("http",) or (entrances.plain_http and route.schemes != ("https",))


def _router(
    name: str, route: Entering, entrance: str, priority: int, middlewares: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    router = f"traefik.http.routers.{name}"
    yield f"{router}.rule", route.rule
    yield f"{router}.entrypoints", entrance
    yield f"{router}.service", route.service
    yield f"{router}.priority", str(priority)
    if middlewares:
        yield f"{router}.middlewares", ",".join(middlewares)


def _certificate(router: str, claims: Iterable[str], entrances: Entrances) -> Iterator[tuple[str, str]]:
    """Each name has a certificate of its own: one that cannot be had keeps no other from being had."""
    public = [claim for claim in claims if is_public(claim.removeprefix("*."), entrances.private_domains)]
    names = [name for name in public if entrances.wildcards or not name.startswith("*.")]
    if entrances.resolver and names:
        yield f"{router}.tls.certresolver", entrances.resolver
        for index, name in enumerate(names):
            yield f"{router}.tls.domains[{index}].main", name
