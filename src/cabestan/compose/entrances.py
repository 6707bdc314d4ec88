"""How requests come to a route: over HTTPS, and over plain HTTP to be sent there or, where asked, to be answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cabestan.domain.host import is_public

#: the router's entry points
PLAIN = "web"
SECURE = "websecure"
#: a middleware that the router has from the platform, not from a label
REDIRECT = "to-https@file"


@dataclass(frozen=True, slots=True)
class Entrances:
    """`resolver` has certificates for public names; empty where there is none, as for all names in `private_domains`.

    `plain_http`: requests over HTTP are answered too, instead of being sent to HTTPS.
    """

    plain_http: bool = False
    resolver: str = ""
    private_domains: tuple[str, ...] = ()


def router_labels(
    name: str,
    *,
    rule: str,
    service: str,
    hosts: Iterable[str],
    entrances: Entrances,
    middlewares: tuple[str, ...] = (),
    priority: int | None = None,
    asked: tuple[str, ...] = (),
) -> dict[str, str]:
    """Labels for Traefik 3 of the two routers of a route, `NAME` and `http_NAME`: no stack's name begins so.

    `hosts` are the plain names in the rule; a certificate is asked for each of them that is public. `asked` are the
    schemes that the file names: one for `http` is answered there, and one for `http` alone not over HTTPS.
    """
    secure, plain = f"traefik.http.routers.{name}", f"traefik.http.routers.http_{name}"
    answers_plainly = "http" in asked or (entrances.plain_http and not asked)
    routers = {plain: (PLAIN, middlewares if answers_plainly else (REDIRECT,))}
    labels = {}
    if asked != ("http",):
        routers[secure] = (SECURE, middlewares)
        labels = {f"{secure}.tls": "true", **_certificate_labels(secure, hosts, entrances)}
    for router, (entrypoint, before) in routers.items():
        labels |= {f"{router}.entrypoints": entrypoint, f"{router}.rule": rule, f"{router}.service": service}
        labels |= {f"{router}.middlewares": ",".join(before)} if before else {}
        labels |= {f"{router}.priority": str(priority)} if priority is not None else {}
    return labels


def _certificate_labels(router: str, hosts: Iterable[str], entrances: Entrances) -> dict[str, str]:
    """Each name a certificate of its own: one that cannot be had keeps no other from being had."""
    public = [host for host in dict.fromkeys(hosts) if is_public(host, entrances.private_domains)]
    if not entrances.resolver or not public:
        return {}
    domains = {f"{router}.tls.domains[{index}].main": host for index, host in enumerate(public)}
    return {f"{router}.tls.certresolver": entrances.resolver, **domains}
