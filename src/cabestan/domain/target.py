"""Targets: clusters that environments are deployed to, as they are reached from here."""

from __future__ import annotations

import json
from dataclasses import dataclass

#: the target on this machine, where the platform itself and all jobs run
LOCAL = "local"


@dataclass(frozen=True)
class Target:
    """`engine` is the address of the engine of one of its managers, `registry` where its nodes find the registry.

    `nodes` are the addresses of the engines of its other nodes, as far as they are reached from here.

    `router_address` and the ports are where its router takes requests, on its own machine; this one reaches it at
    `router_host`.
    """

    name: str
    engine: str
    registry: str
    router_address: str
    router_host: str
    router_port: int
    router_tls_port: int
    nodes: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> Target:
        """From a JSON object of its fields."""
        fields = json.loads(text)
        return cls(**fields | {"nodes": tuple(fields.get("nodes", ()))})

    @property
    def entrance(self) -> tuple[str, int]:
        """Where this machine reaches its router over HTTPS."""
        return self.router_host, self.router_tls_port
