"""Managed services of the site, with backups in each state: rows alone, for there is no engine."""

from datetime import timedelta

from tests.samples import set_status

from cabestan.domain.backup import BackupStatus, OperationKind, OperationStatus, Reason
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance, InstanceStatus, Kind
from cabestan.domain.outbox import Subject
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.store import backups, managed

_MANIFEST = {"public.items": (1204, "17"), "public.people": (31, "-4"), "(sequences)": (2, "9")}


def fill(services: Services, environment: Environment) -> Instance:
    """A PostgreSQL whose latest wish failed, and a Redis that nothing uses any more."""
    redis = _instance(services, environment, Kind.REDIS)
    made = _instance(services, environment, Kind.POSTGRESQL)
    now = services.now()
    with services.database.writing() as tx:
        managed.update(tx, redis.id, status=InstanceStatus.UNUSED)
        managed.update(tx, made.id, status=InstanceStatus.SERVING, kept_volumes=(f"{made.volume}-before",))
        for days, status in enumerate((BackupStatus.FAILED, BackupStatus.UNVERIFIED, BackupStatus.VERIFIED)):
            backup = backups.create(tx, made.id, Reason.SCHEDULED, "15", now - timedelta(days=3 - days))
            stored = status is not BackupStatus.FAILED
            detail = "" if status is BackupStatus.UNVERIFIED else "Something about it, <b>told</b> at length."
            manifest = {"manifest": _MANIFEST} if stored else {}
            backups.update(
                tx,
                backup.id,
                status=status,
                detail=detail,
                file=f"{days}.gz" * stored,
                here=stored,
                bytes=4_500_000 * stored,
                **manifest,
            )
        operation = backups.begin(tx, made.id, OperationKind.RESTORE, "admin", now, backup_id=2)
        why = "Restored, it is not the same: public.items is missing."
        set_status(tx, Subject.OPERATION, operation.id, OperationStatus.FAILED, detail=why, finished_at=now)
    return made


def _instance(services: Services, environment: Environment, kind: Kind) -> Instance:
    stack = environment.stack_name(services.settings.instance)
    sealed = services.vault.seal("canary-secret-5678", secrets.context(environment.project_id))
    with services.database.writing() as tx:
        return managed.create(
            tx,
            environment,
            kind,
            environment_stack=stack,
            network=f"{stack}-net",
            image=f"127.0.0.1:5600/library/{kind}@sha256:{'7' * 64}",
            version="15",
            password=sealed,
            node="here",
            now=services.now(),
        )
