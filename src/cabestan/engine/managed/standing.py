"""How managed services stand, and what people may set about them."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from cabestan.adapters.databases import Vitals
from cabestan.adapters.tasks import StackState
from cabestan.domain.backup import Backup, BackupStatus, Operation, OperationKind
from cabestan.domain.managed import LEAST_MEMORY, MOST_MEMORY, Instance, Limits
from cabestan.engine.managed import instances
from cabestan.engine.managed.backup_clock import next_due, schedule_of
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError, Conflict, Invalid
from cabestan.store import backups as backup_store
from cabestan.store import managed as store
from cabestan.store import outbox
from cabestan.store import projects as project_store

_CPUS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_ASKED_AT_ONCE = 6


@dataclass(frozen=True)
class Standing:
    """`health` is `healthy`, `starting`, `down` or `unknown`; `trouble` says why there are no vitals."""

    instance: Instance
    health: str
    trouble: str
    vitals: Vitals | None
    latest: Backup | None
    good: Backup | None
    next_due: datetime | None
    operation: Operation | None


def standing(services: Services, instance: Instance) -> Standing:
    """With a look at the engine, and a question to the instance itself."""
    health, trouble, vitals = "unknown", "", None
    cluster = services.cluster_of(instance)
    try:
        state = cluster.stacks.state(instance.stack)
        health, trouble = health_of(state)
        vitals = cluster.databases.vitals(instance) if health == "healthy" else None
    except CabestanError as error:
        trouble = str(error)
    with services.database.reading() as tx:
        project = project_store.by_id(tx, instance.project_id)
        trouble = secrets.redactor(tx, services.vault, project).text(trouble) if trouble else ""
        latest = backup_store.page(tx, instance, limit=1)
        scheduled = backup_store.newest_scheduled(tx, instance.id)
        good = backup_store.newest(tx, instance.id, BackupStatus.VERIFIED)
        operation = backup_store.latest_operation(tx, instance.id)
    since = scheduled.created_at if scheduled else instance.created_at
    return Standing(
        instance=instance,
        health=health,
        trouble=trouble,
        vitals=vitals,
        latest=latest[0] if latest else None,
        good=good,
        next_due=next_due(schedule_of(services, instance), since),
        operation=operation,
    )


def standings(services: Services, found: Iterable[Instance]) -> tuple[Standing, ...]:
    """Several, asked at the same time."""
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return tuple(pool.map(partial(standing, services), found))


def health_of(state: StackState) -> tuple[str, str]:
    """Health, and the words of the last task that ended badly."""
    words = next((task.error for service in state.services for task in service.tasks if task.error), "")
    if not state.services:
        return "down", "It is not in Swarm: deploy again, or look at what is being done to it."
    if state.settled:
        return "healthy", ""
    return ("down" if words else "starting"), words


def set_limits(services: Services, instance: Instance, memory: int | None, cpus: str | None) -> Instance:
    """MiB of memory, processors; the service starts anew with them. Raises Conflict while its volume is changed."""
    if memory is not None and not LEAST_MEMORY <= memory <= MOST_MEMORY:
        raise Invalid(f"{memory} MiB of memory are out of bounds.", f"Choose {LEAST_MEMORY} to {MOST_MEMORY}.")
    if cpus is not None and (not _CPUS.fullmatch(cpus) or float(cpus) < 0.05):
        raise Invalid(f"“{cpus[:20]}” is no number of processors.", "Write one such as 0.5 or 2.")
    wanted = Limits(memory or instance.limits.memory, cpus or instance.limits.cpus)
    with services.database.writing() as tx:
        _refuse_while_it_stands_still(tx, instance)
        store.update(tx, instance.id, memory=wanted.memory, cpus=wanted.cpus)
        changed = store.get(tx, instance.id)
        outbox.tell(tx, instance.project_id, services.now())
    instances.patiently_apply(services, changed)
    return changed


def _refuse_while_it_stands_still(tx: sa.Connection, instance: Instance) -> None:
    """Starting it would put two on one volume."""
    running = backup_store.open_of(tx, instance.id)
    if running and running.kind not in (OperationKind.BACKUP, OperationKind.VERIFY):
        raise Conflict(
            f"The {running.kind} of {instance.name} is under way.", "Wait until it has ended: `cabestan database show`."
        )
