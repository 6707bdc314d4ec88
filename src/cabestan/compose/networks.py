"""The networks that a file makes: they keep its services apart within the environment.

Where they keep nobody apart, they all are the environment's own network. Otherwise each is an overlay network of its
own, but for those that a service of the platform is in, or else the default one: that is the environment's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import DEFAULT_NETWORK, ComposeFile, Link, Network, Service
from cabestan.compose.nodes import Field, Table

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
#: those of one machine become overlay networks as well; others would be the machine's own
_DRIVERS = ("bridge", "overlay")
#: each takes a part of the Swarm's addresses
MOST_NETWORKS = 16
_SLUG = 16
_HASH_DIGITS = 6
#: what the stack calls the environment's own network, and what stands before the key of another one
ENVIRONMENT = "default"
_OWN = "own-"


def declared_networks(report: Report, field: Field | None) -> tuple[Network, ...]:
    """The top level, with a warning of what becomes of them."""
    if field is None or field.empty or not fields.table(report, field):
        return ()
    found = [_declared(report, key, network) for key, network in field.entries()]
    if len(found) > MOST_NETWORKS:
        message = f"The file makes {len(found)} networks, more than {MOST_NETWORKS}."
        report.error("too-many-networks", field.key_spot, message, "Join some of them.")
    message = "The networks are made for each environment, and keep services apart within it alone."
    report.warn("own-networks", field.key_spot, message, "Remove networks where nobody is to be kept apart.")
    return tuple(found)


def _declared(report: Report, key: str, field: Field) -> Network:
    if not _KEY.fullmatch(key):
        message = f"{key[:80]!r} cannot name a network."
        report.error("network-name", field.key_spot, message, "Use letters, digits and . _ -.")
    if field.empty or not fields.table(report, field, policy.NETWORK):
        return Network(key, field.key_spot)
    driver, internal = field.get("driver"), field.get("internal")
    if driver is not None and driver.value not in (None, "", "default"):
        fields.choice(report, driver, _DRIVERS)
    return Network(key, field.key_spot, bool(fields.flag(report, internal)) if internal is not None else False)


def read_networks(report: Report, name: str, field: Field) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """Those of a service, and the further names that it has in them."""
    if field.empty:
        return (), ()
    if not isinstance(field.node, Table):
        keys = [key for item in fields.members(report, field) if (key := fields.text(report, item))]
        return tuple(dict.fromkeys(keys)), ()
    links = [link for _, network in field.entries() for link in _aliases(report, name, network)]
    return tuple(key for key, _ in field.entries()), tuple(links)


def _aliases(report: Report, name: str, field: Field) -> tuple[Link, ...]:
    if field.empty or not fields.table(report, field, policy.SERVICE_NETWORK):
        return ()
    aliases = field.get("aliases")
    items = fields.members(report, aliases) if aliases is not None else ()
    return tuple(Link(name, text, item.spot) for item in items if (text := fields.text(report, item)))


def check_networks(report: Report, compose: ComposeFile) -> None:
    """Reports networks that a service names and the file does not make."""
    known = {DEFAULT_NETWORK, *(network.key for network in compose.networks)}
    for service in compose.services:
        for key in service.networks:
            if key not in known:
                message = f"The network {key[:80]} is not declared."
                report.error(
                    "network-undeclared", service.place("networks"), message, f"Add `networks: {{{key}: {{}}}}`."
                )


def shown_key(key: str) -> str:
    """What the file calls a network, of what the stack calls it."""
    return key.removeprefix(_OWN)


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """An overlay network of the environment beside its own one; `name` is Swarm's."""

    name: str
    key: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """`networks` by what the stack calls them, without the environment's own; `of` are those of each service."""

    networks: Mapping[str, OwnNetwork]
    of: Mapping[str, tuple[str, ...]]

    def named(self, key: str, environment: str) -> str:
        """What Swarm calls a network of the stack; `environment` is the environment's own."""
        return environment if key == ENVIRONMENT else self.networks[key].name

    def routed(self, service: str) -> str:
        """The network in which the router reaches a service."""
        own = self.of[service]
        return ENVIRONMENT if ENVIRONMENT in own else own[0]


def lay_out(compose: ComposeFile, environment: str) -> Layout:
    """`environment` is the name of the environment's own network."""
    if not _keeps_apart(compose):
        return Layout({}, {service.name: (ENVIRONMENT,) for service in compose.services})
    internal = {network.key for network in compose.networks if network.internal}
    shared = compose.managed_networks or tuple({DEFAULT_NETWORK} - internal)
    used = dict.fromkeys(key for service in compose.services for key in service.networks if key not in shared)
    networks = {f"{_OWN}{key}": _own(environment, key, internal=key in internal) for key in used}
    of = {service.name: _of(service, shared) for service in compose.services}
    return Layout(networks, of)


def _of(service: Service, shared: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ENVIRONMENT if key in shared else f"{_OWN}{key}" for key in service.networks))


def _keeps_apart(compose: ComposeFile) -> bool:
    """Whether there are two services, or one and the outside, that no network joins."""
    internal = {network.key for network in compose.networks if network.internal}
    every = [frozenset(service.networks) for service in compose.services]
    if compose.managed_networks:
        every.append(frozenset(compose.managed_networks))
    return any(keys <= internal for keys in every) or any(not one & other for one, other in combinations(every, 2))


def _own(environment: str, key: str, *, internal: bool) -> OwnNetwork:
    """Swarm takes names of 63 characters, without dots; a network cannot be changed, so its name tells its kind."""
    digest = hashlib.sha256(f"{key} {internal}".encode()).hexdigest()[:_HASH_DIGITS]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", key[:_SLUG]).strip("-")
    return OwnNetwork(f"{environment}-{slug}-{digest}", key, internal)
