"""Further names of services: `links: [SERVICE:ALIAS]`, `container_name`, `hostname`, `aliases` in a network.

Docker gave a link's name to one service only; in an environment's networks a name leads to the same service for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cabestan.compose.findings import Report
from cabestan.compose.model import Link, Service


def with_aliases(report: Report, services: Iterable[Service]) -> tuple[Service, ...]:
    """The services, each with the names that links give it. Reports a name that would lead to two."""
    found = tuple(services)
    owners = {service.name: service.name for service in found}
    for service in found:
        for link in (*service.links, *service.names):
            _claim(report, owners, link)
    for service in found:
        if service.hostname and "." not in service.hostname:
            owners.setdefault(service.hostname, service.name)
    return tuple(replace(service, aliases=_aliases(service.name, owners)) for service in found)


def _claim(report: Report, owners: dict[str, str], link: Link) -> None:
    owner = owners.setdefault(link.alias, link.service)
    if owner != link.service:
        message = f"The name {link.alias} leads to {owner} already, so it cannot lead to {link.service} too."
        report.error("link-alias", link.spot, message, f"Choose another name, or use {link.service}.")


def _aliases(name: str, owners: dict[str, str]) -> tuple[str, ...]:
    return tuple(sorted(alias for alias, owner in owners.items() if owner == name and alias != name))
