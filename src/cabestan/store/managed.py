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
    Limits,
    database_name,
    managed_by_default,
    stack_name,
    volume_name,
)
from cabestan.errors import NotFound
from cabestan.store.schema import environments, managed_services, managed_settings, projects
from cabestan.store.values import dump, load_list

_WITH_NAMES = (
    sa.select(
        managed_services,
        projects.c.name.label("project"),
        environments.c.name.label("environment"),
        environments.c.target,
    )
    .join_from(managed_services, projects, projects.c.id == managed_services.c.project_id)
    .join(environments, environments.c.id == managed_services.c.environment_id)
)


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
    row = {
        "environment_id": environment_id,
        "managed": managed,
        "schedule": wanted.schedule,
        "keep": wanted.keep,
    }
    tx.execute(sa.insert(managed_settings).values(row))


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
    limits = DEFAULT_LIMITS[kind]
    name = database_name(environment.project)
    row = {
        "project_id": environment.project_id,
        "environment_id": environment.id,
        "kind": kind,
        "version": version,
        "image": image,
        "database": name,
        "user": name,
        "password": password,
        "stack": stack_name(environment_stack, kind),
        "network": network,
        "node": node,
        "memory": limits.memory,
        "cpus": limits.cpus,
        "status": InstanceStatus.NEW,
        "created_at": now,
    }
    key = tx.execute(sa.insert(managed_services).values(row).returning(managed_services.c.id)).scalar_one()
    update(tx, key, volume=volume_name(environment_stack, kind, key, 1))
    return get(tx, key)


def get(tx: sa.Connection, instance_id: int) -> Instance:
    row = tx.execute(_WITH_NAMES.where(managed_services.c.id == instance_id)).one_or_none()
    if not row:
        raise no_instance(instance_id)
    return _value(row)


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


def of_project(tx: sa.Connection, project_id: int, environment_id: int | None = None) -> tuple[Instance, ...]:
    """By environment, in the order in which a release travels."""
    here = () if environment_id is None else (managed_services.c.environment_id == environment_id,)
    return _all(tx, managed_services.c.project_id == project_id, *here)


def present(tx: sa.Connection) -> tuple[Instance, ...]:
    """All of the installation."""
    return _all(tx)


def _all(tx: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[Instance, ...]:
    query = _WITH_NAMES.where(managed_services.c.status != InstanceStatus.DELETED, *conditions)
    return tuple(_value(row) for row in tx.execute(query.order_by(environments.c.position, managed_services.c.kind)))


def update(tx: sa.Connection, instance_id: int, **values: Any) -> None:
    if "kept_volumes" in values:
        values["kept_volumes"] = dump(values["kept_volumes"])
    tx.execute(sa.update(managed_services).where(managed_services.c.id == instance_id).values(values))


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


def _value(row: sa.Row[tuple[object, ...]]) -> Instance:
    return Instance(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        environment_id=row.environment_id,
        environment=row.environment,
        target=row.target,
        kind=Kind(row.kind),
        version=row.version,
        image=row.image,
        database=row.database,
        user=row.user,
        stack=row.stack,
        network=row.network,
        volume=row.volume,
        node=row.node,
        limits=Limits(row.memory, row.cpus),
        status=InstanceStatus(row.status),
        attached=row.attached,
        kept_volumes=load_list(row.kept_volumes),
        generation=row.generation,
        created_at=row.created_at,
    )
