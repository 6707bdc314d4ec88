"""Which hosts and paths lead to which service, and who may claim a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """Requests to one of `hosts`, below one of `path_prefixes` (none: all paths), go to the service's `port`.

    Hosts are in lower case. `priority` decides between routes that both fit: the higher number wins, and
    where there is none the longer rule. `rule` is what the file says.
    """

    service: str
    hosts: tuple[str, ...]
    path_prefixes: tuple[str, ...]
    port: int
    priority: int | None
    rule: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Each host with each path, without a scheme: `example.org/ws/`."""
        return tuple(f"{host}{path}" for host in self.hosts for path in self.path_prefixes or ("/",))


@dataclass(frozen=True, slots=True)
class HostConflict:
    """A route wants a host that belongs to another project."""

    host: str
    owner: str
    service: str

    def __str__(self) -> str:
        return f"The host {self.host} of the service {self.service} belongs to {self.owner}."


def conflicts(claimed: Mapping[str, str], routes: Iterable[Route], project: str) -> tuple[HostConflict, ...]:
    """The hosts of the routes that `claimed` (host to project) gives to another project than this one."""
    owners = {host.lower(): owner for host, owner in claimed.items()}
    return tuple(
        HostConflict(host, owners[host], route.service)
        for route in routes
        for host in route.hosts
        if owners.get(host, project) != project
    )
