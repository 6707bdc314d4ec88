"""Managed services: databases that the platform runs for an environment, beside its stack."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """The names of services in a Compose file that the platform takes over."""

    MYSQL = "mysql"
    POSTGRESQL = "postgresql"
    MONGODB = "mongodb"
    REDIS = "redis"

    @property
    def product(self) -> str:
        return _PRODUCT[self]


_PRODUCT = {
    Kind.MYSQL: "MariaDB",
    Kind.POSTGRESQL: "PostgreSQL",
    Kind.MONGODB: "MongoDB",
    Kind.REDIS: "Redis",
}


class InstanceStatus(StrEnum):
    #: decided on, but it has not answered yet
    NEW = "new"
    #: it answered, and what was deployed last uses it
    SERVING = "serving"
    #: what was deployed last does not name it any more; it runs on, with its data
    UNUSED = "unused"
    #: taken away at somebody's explicit wish; kept as a record, for its backups
    DELETED = "deleted"


@dataclass(frozen=True)
class Limits:
    """What an instance may take: MiB of memory, processors."""

    memory: int
    cpus: str


DEFAULT_LIMITS: Mapping[Kind, Limits] = {
    Kind.MYSQL: Limits(768, "1"),
    Kind.POSTGRESQL: Limits(512, "1"),
    Kind.MONGODB: Limits(1024, "1"),
    Kind.REDIS: Limits(256, "1"),
}
LEAST_MEMORY = 128
MOST_MEMORY = 1024 * 1024


@dataclass(frozen=True)
class Instance:
    """One managed service of one environment.

    `image` and `version` are what it was made with, or upgraded to; `stack` names its stack in Swarm.
    `kept_volumes` hold what a restore or an upgrade replaced.
    """

    id: int
    project_id: int
    project: str
    environment_id: int
    environment: str
    #: of the environment
    target: str
    kind: Kind
    version: str
    image: str
    database: str
    user: str
    stack: str
    network: str
    volume: str
    node: str
    limits: Limits
    status: InstanceStatus
    #: whether the environment's containers find it under its kind's name
    attached: bool
    kept_volumes: tuple[str, ...]
    #: counts the volumes that it has had, for their names
    generation: int
    created_at: datetime

    @property
    def name(self) -> str:
        """What a person types to confirm: `production/mysql`."""
        return f"{self.environment}/{self.kind}"

    @property
    def service(self) -> str:
        """Its service in its stack: by this name it is found too, so it is none that a Compose file would choose."""
        return f"managed-{self.kind}"

    @property
    def swarm_service(self) -> str:
        return f"{self.stack}_{self.service}"

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


#: names of environments for development, where a project's own images serve
_DEVELOPMENT = ("dev", "development")
_REVIEW = "review/"


def managed_by_default(environment: str) -> bool:
    """Everywhere but in development and in review environments."""
    return environment not in _DEVELOPMENT and not environment.startswith(_REVIEW)


def database_name(project: str) -> str:
    """Of the database and of its user: `shop/api` has `shop_api`."""
    return project.replace("/", "_").replace("-", "_")


def stack_name(environment_stack: str, kind: Kind) -> str:
    """The instance's own stack; with the service's name behind it at most 63 characters."""
    return f"{environment_stack[:32]}-{kind}"


def volume_name(environment_stack: str, kind: Kind, instance: int, generation: int) -> str:
    return f"{environment_stack}-{kind}-{instance}-{generation}"


#: prefix of the variables, name of the one with the database; Redis has none
_VARIABLES = {Kind.MYSQL: ("MYSQL", "DATABASE"), Kind.POSTGRESQL: ("POSTGRES", "DB"), Kind.MONGODB: ("MONGODB", "DB")}


def password_variable(kind: Kind) -> str | None:
    return f"{_VARIABLES[kind][0]}_PASSWORD" if kind in _VARIABLES else None


def plain_variables(kind: Kind, database: str, user: str) -> dict[str, str]:
    """What the Compose file may use to reach it, but for the password."""
    if kind not in _VARIABLES:
        return {}
    prefix, name = _VARIABLES[kind]
    return {f"{prefix}_{name}": database, f"{prefix}_USER": user, f"{prefix}_SSL": "false"}


def all_variables(kinds: Iterable[Kind], project: str) -> dict[str, str]:
    """Those of several kinds, for an environment of this project."""
    name = database_name(project)
    found: dict[str, str] = {}
    for kind in kinds:
        found |= plain_variables(kind, name, name)
    return found
