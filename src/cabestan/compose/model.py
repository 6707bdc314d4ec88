"""What a Compose file says, checked and typed. Every service keeps the places of its keys for later findings.

Durations and sizes stay in the words of the file (`1m30s`, `50M`), which Docker reads as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from cabestan.compose.nodes import Spot
from cabestan.compose.placeholder import secrets_in

Order = Literal["start-first", "stop-first"]
#: the network of services that name none
DEFAULT_NETWORK = "default"


@dataclass(frozen=True, slots=True)
class Ports:
    """Container ports `first` to `last`, of `tcp` or `udp`."""

    first: int
    last: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """`test` begins with CMD, CMD-SHELL or NONE, and is empty where the image's own test is kept."""

    test: tuple[str, ...] = ()
    interval: str | None = None
    timeout: str | None = None
    start_period: str | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume of the environment (`source` is its key) or, without a source, memory at `target`."""

    source: str | None
    target: str
    spot: Spot = field(compare=False)
    read_only: bool = False
    nocopy: bool = False
    #: bytes, for memory only
    size: int | None = None


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret of the environment as the file `/run/secrets/TARGET`. `mode` holds permission bits."""

    secret: str
    target: str
    spot: Spot = field(compare=False)
    uid: str | None = None
    gid: str | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class CommitFile:
    """A text that a service gets as a file at `target`, which it cannot write. `source` is its path in the commit."""

    source: str
    text: str = field(repr=False)
    target: str
    spot: Spot = field(compare=False)
    uid: str | None = None
    gid: str | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """`none` makes a service that runs once; `attempts` bounds `on-failure`."""

    condition: Literal["any", "on-failure", "none"] = "any"
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """The service that must come first, and how far it must be."""

    service: str
    spot: Spot = field(compare=False)
    condition: str = "service_started"
    #: whether it must be there at all
    required: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A further name for a service."""

    service: str
    alias: str
    spot: Spot = field(compare=False)


@dataclass(frozen=True, slots=True)
class Network:
    """A network that the file makes. One that is `internal` leads nowhere outside."""

    key: str
    spot: Spot = field(compare=False)
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Logging:
    """Where the engine keeps a container's output; options as in Docker."""

    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resources:
    cpus: str | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Deploy:
    replicas: int | None = None
    limits: Resources = Resources()
    reservations: Resources = Resources()
    order: Order | None = None
    constraints: tuple[str, ...] = ()
    restart: Restart | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `places` maps a key's path within it (`labels.traefik.port`) to its place."""

    name: str
    image: str
    spot: Spot = field(compare=False)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    expose: tuple[Ports, ...] = ()
    healthcheck: Healthcheck | None = None
    mounts: tuple[Mount, ...] = ()
    restart: Restart = Restart()
    depends_on: tuple[Dependency, ...] = ()
    #: names that this service gives to others
    links: tuple[Link, ...] = ()
    #: further names that it gives itself
    names: tuple[Link, ...] = ()
    #: names that others, or it itself, give to this one; they lead to it in all of its networks
    aliases: tuple[str, ...] = ()
    #: of itself in its own container
    hostname: str | None = None
    #: the keys of its networks, in the order of the file
    networks: tuple[str, ...] = (DEFAULT_NETWORK,)
    labels: Mapping[str, str] = field(default_factory=dict)
    deploy: Deploy = Deploy()
    stop_grace_period: str | None = None
    stop_signal: str | None = None
    user: str | None = None
    working_dir: str | None = None
    #: `name:address`
    extra_hosts: tuple[str, ...] = ()
    read_only: bool | None = None
    tty: bool | None = None
    stdin_open: bool | None = None
    init: bool | None = None
    logging: Logging = Logging()
    secrets: tuple[SecretFile, ...] = ()
    files: tuple[CommitFile, ...] = ()
    #: the TCP ports that its image declares, lowest first; None while nobody knows them
    image_ports: tuple[int, ...] | None = None
    places: Mapping[str, Spot] = field(default_factory=dict, compare=False)

    @property
    def by_the_clock(self) -> bool:
        """Whether it is not started but becomes a schedule."""
        return any(name.lower().startswith("sh.factory.cronjob.") for name in self.labels)

    @property
    def runs_once(self) -> bool:
        """Whether it runs to its end in each deployment, before the others are switched over."""
        return self.restart.condition == "none" and not self.by_the_clock

    @property
    def has_volume(self) -> bool:
        return any(mount.source is not None for mount in self.mounts)

    def place(self, path: str) -> Spot:
        """Where a key stands, or the service where the key is not in the file."""
        return self.places.get(path, self.spot)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of the environment. `source` is what the file says: its name, or a path such as `./data`."""

    key: str
    source: str
    spot: Spot = field(compare=False)


@dataclass(frozen=True, slots=True)
class ComposeFile:
    file: str
    services: tuple[Service, ...]
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    #: the keys of those that services of the platform are in
    managed_networks: tuple[str, ...] = ()

    @property
    def secret_files(self) -> frozenset[str]:
        """The names of the environment's secrets that services get as files."""
        return frozenset(file.secret for service in self.services for file in service.secrets)

    @property
    def secret_variables(self) -> frozenset[str]:
        """The names of those that stand in variables of services."""
        values = (value for service in self.services for value in service.environment.values())
        return frozenset(name for value in values for name in secrets_in(value))

    def with_ports(self, declared: Mapping[str, tuple[int, ...]]) -> ComposeFile:
        """The same, once the ports of these images are known, by the names that the services have for them."""
        services = (replace(one, image_ports=declared.get(one.image, one.image_ports)) for one in self.services)
        return replace(self, services=tuple(services))

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.name == name), None)
