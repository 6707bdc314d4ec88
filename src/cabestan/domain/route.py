"""Which hosts and paths lead to which service."""

from __future__ import annotations

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
