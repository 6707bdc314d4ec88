"""Managed services, and what environments say about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.managed import (
    DEFAULT_LIMITS,
    Instance,
    InstanceStatus,
    Kind,
    database_name,
    managed_by_default,
    stack_name,
    volume_name,
)
from cabestan.errors import NotFound
from cabestan.store.rows import PLACE, Rows, columns_of, placed
from cabestan.store.schema import environments, managed_services, managed_settings

_INSTANCES = Rows(Instance, managed_services, placed(managed_services), **PLACE)


@dataclass(frozen=True)
class ManagedSettings:
    """Of one environment. `managed` None, `schedule` and `keep` empty: the installation's defaults."""

    managed: bool | None
    schedule: str
    keep: str


def settings_of(tx: sa.Connection, environment_id: int) -> ManagedSettings:
    row = tx.execute(
        sa.select(managed_settings).where(managed_settings.c.environment_id == environment_id)
    ).one_or_none()
    if not row:
        return ManagedSettings(None, "", "")
    return ManagedSettings({"yes": True, "no": False}.get(row.managed), row.schedule, row.keep)


def put_settings(tx: sa.Connection, environment_id: int, wanted: ManagedSettings) -> None:
    tx.execute(sa.delete(managed_settings).where(managed_settings.c.environment_id == environment_id))
    managed = {None: "", True: "yes", False: "no"}[wanted.managed]
    row = {"managed": managed, "schedule": wanted.schedule, "keep": wanted.keep}
    tx.execute(sa.insert(managed_settings).values(environment_id=environment_id, **row))


def is_managed(tx: sa.Connection, environment: Environment) -> bool:
    """Whether the platform serves the databases of this environment."""
    said = settings_of(tx, environment.id).managed
    return managed_by_default(environment.name) if said is None else said


def create(
    tx: sa.Connection,
    environment: Environment,
    kind: Kind,
    *,
    environment_stack: str,
    network: str,
    image: str,
    version: str,
    password: bytes,
    node: str,
    now: datetime,
) -> Instance:
    """One of the kind in the environment; its names follow from the id. `password` is sealed."""
    name = database_name(environment.project)
    key = _INSTANCES.add(
        tx,
        project_id=environment.project_id,
        environment_id=environment.id,
        kind=kind,
        version=version,
        image=image,
        database=name,
        user=name,
        password=password,
        stack=stack_name(environment_stack, kind),
        network=network,
        node=node,
        status=InstanceStatus.NEW,
        created_at=now,
        **columns_of(managed_services, DEFAULT_LIMITS[kind]),
    )
    update(tx, key, volume=volume_name(environment_stack, kind, key, 1))
    return get(tx, key)


def get(tx: sa.Connection, instance_id: int) -> Instance:
    return _INSTANCES.get(tx, instance_id, no_instance)


def no_instance(instance_id: int) -> NotFound:
    return NotFound(f"There is no managed service {instance_id}.", "`cabestan database list` shows those of a project.")


def find(tx: sa.Connection, environment_id: int, kind: Kind) -> Instance | None:
    return next((i for i in in_environment(tx, environment_id) if i.kind is kind), None)


def made_in(tx: sa.Connection, environment_id: int, kind: Kind) -> int:
    """How many of the kind the environment has had, deleted ones included."""
    mine = (managed_services.c.environment_id == environment_id, managed_services.c.kind == kind)
    return tx.execute(sa.select(sa.func.count()).select_from(managed_services).where(*mine)).scalar_one()


def in_environment(tx: sa.Connection, environment_id: int) -> tuple[Instance, ...]:
    """Those that were not deleted."""
    return _all(tx, managed_services.c.environment_id == environment_id)


def ever_in(tx: sa.Connection, environment_id: int) -> tuple[Instance, ...]:
    """Those that were deleted as well."""
    return _INSTANCES.all(tx, managed_services.c.environment_id == environment_id, by=(managed_services.c.id,))


def of_project(tx: sa.Connection, project_id: int, environment_id: int | None = None) -> tuple[Instance, ...]:
    """By environment, in the order in which a release travels."""
    here = () if environment_id is None else (managed_services.c.environment_id == environment_id,)
    return _all(tx, managed_services.c.project_id == project_id, *here)


def present(tx: sa.Connection) -> tuple[Instance, ...]:
    """All of the installation."""
    return _all(tx)


def _all(tx: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[Instance, ...]:
    there = managed_services.c.status != InstanceStatus.DELETED
    return _INSTANCES.all(tx, there, *conditions, by=(environments.c.position, managed_services.c.kind))


def update(tx: sa.Connection, instance_id: int, **values: Any) -> None:
    _INSTANCES.update(tx, instance_id, **values)


def note_use(tx: sa.Connection, environment_id: int, kinds: Iterable[Kind]) -> None:
    """After a deployment: those that it names serve, the others are unused; their data stays."""
    used = frozenset(kinds)
    for instance in in_environment(tx, environment_id):
        status = InstanceStatus.SERVING if instance.kind in used else InstanceStatus.UNUSED
        update(tx, instance.id, status=status)


def sealed_password(tx: sa.Connection, instance_id: int) -> bytes:
    query = sa.select(managed_services.c.password).where(managed_services.c.id == instance_id)
    sealed: bytes = tx.execute(query).scalar_one()
    return sealed


def sealed_of_project(tx: sa.Connection, project_id: int) -> tuple[bytes, ...]:
    """All passwords that there are or were, for what must not show them."""
    query = sa.select(managed_services.c.password).where(managed_services.c.project_id == project_id)
    return tuple(tx.execute(query).scalars())
