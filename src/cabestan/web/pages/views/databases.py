"""Managed services: how each stands, its backups, and what may be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cabestan.domain.backup import Backup, BackupStatus, Operation, OperationStatus
from cabestan.domain.managed import InstanceStatus
from cabestan.engine.managed.standing import Standing
from cabestan.web.pages.views.moments import When, when
from cabestan.web.pages.views.states import State

_HEALTH = {
    "healthy": State("healthy", "good", "check"),
    "starting": State("starting", "busy", "spin"),
    "down": State("down", "bad", "cross"),
    "unknown": State("unknown", "quiet", "dashed"),
}
_BACKUP = {
    BackupStatus.RUNNING: State("running", "busy", "spin"),
    BackupStatus.UNVERIFIED: State("not verified", "wait", "pause"),
    BackupStatus.VERIFIED: State("verified", "good", "check"),
    BackupStatus.FAILED: State("failed", "bad", "cross"),
    BackupStatus.EXPIRED: State("expired", "quiet", "skip"),
}
_OPERATION = {
    OperationStatus.RUNNING: State("running", "busy", "spin"),
    OperationStatus.SUCCEEDED: State("succeeded", "good", "check"),
    OperationStatus.FAILED: State("failed", "bad", "cross"),
}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class DatabaseView:
    """`used` is False for one that the environment's release does not name any more."""

    id: int
    name: str
    href: str
    environment: str
    environment_href: str
    kind: str
    product: str
    used: bool
    health: State
    trouble: str
    size: str
    connections: str
    limits: str
    memory: int
    cpus: str
    database: str
    user: str
    volume: str
    kept_volumes: tuple[str, ...]
    last_good: When | None
    next_due: str
    operation: "OperationView | None"


@dataclass(frozen=True)
class OperationView:
    state: State
    text: str
    detail: str
    when: When
    running: bool


@dataclass(frozen=True)
class BackupView:
    id: int
    state: State
    reason: str
    detail: str
    size: str
    contents: str
    where: str
    taken: When
    sha256: str
    usable: bool


@dataclass(frozen=True)
class Rights:
    deploy: bool
    configure: bool


def database_view(value: Standing, now: datetime) -> DatabaseView:
    instance, vitals = value.instance, value.vitals
    version = vitals.version if vitals else instance.version
    return DatabaseView(
        id=instance.id,
        name=instance.name,
        href=f"/{instance.project}/databases/{instance.id}",
        environment=instance.environment,
        environment_href=f"/{instance.project}/environments/{instance.environment}",
        kind=instance.kind,
        product=f"{instance.kind.product} {version}",
        used=instance.status is not InstanceStatus.UNUSED,
        health=_HEALTH[value.health],
        trouble=value.trouble,
        size=size_words(vitals.size) if vitals else "",
        connections=str(vitals.connections) if vitals else "",
        limits=f"{instance.limits.memory} MiB, {instance.limits.cpus} CPU",
        memory=instance.limits.memory,
        cpus=instance.limits.cpus,
        database=instance.database,
        user=instance.user,
        volume=instance.volume,
        kept_volumes=instance.kept_volumes,
        last_good=when(value.good.created_at, now) if value.good else None,
        next_due=value.next_due.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value.next_due else "",
        operation=_operation_view(value.operation, now) if value.operation else None,
    )


def backup_views(backups: Iterable[Backup], now: datetime) -> tuple[BackupView, ...]:
    return tuple(_backup_view(backup, now) for backup in backups)


def _backup_view(backup: Backup, now: datetime) -> BackupView:
    places = [place for place, there in (("here", backup.here), ("elsewhere", backup.remote)) if there]
    contents = f"{backup.tables:,} tables, {backup.rows:,} rows" if backup.manifest else ""
    return BackupView(
        id=backup.id,
        state=_BACKUP[backup.status],
        reason=backup.reason,
        detail=backup.detail,
        size=size_words(backup.bytes) if backup.bytes else "",
        contents=contents,
        where=" and ".join(places),
        taken=when(backup.created_at, now),
        sha256=backup.sha256,
        usable=bool(places) and backup.status is not BackupStatus.RUNNING,
    )


def _operation_view(operation: Operation, now: datetime) -> OperationView:
    about = f" of backup {operation.backup_id}" if operation.backup_id is not None else ""
    to = f" to {operation.version}" if operation.version else ""
    return OperationView(
        state=_OPERATION[operation.status],
        text=f"{operation.kind}{about}{to} by {operation.by}",
        detail=operation.detail,
        when=when(operation.created_at, now),
        running=operation.status is OperationStatus.RUNNING,
    )


def size_words(value: int) -> str:
    """`1.5 MiB`."""
    amount, unit = float(value), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
