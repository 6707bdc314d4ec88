"""Deployments, their steps and the approvals on them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.deployment import Approval, Deployment, Plan, StepKind, StepRun
from cabestan.domain.outbox import Subject
from cabestan.domain.status import DeploymentStatus
from cabestan.errors import NotFound
from cabestan.store.schema import approvals, deployments, environments, projects, releases, steps
from cabestan.store.transitions import arrived
from cabestan.store.values import dump_plan, load_plan

_OPEN = (DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING)
_WITH_NAMES = (
    sa.select(
        deployments,
        projects.c.name.label("project"),
        environments.c.name.label("environment"),
        releases.c.number.label("release"),
        releases.c.commit.label("commit"),
    )
    .join_from(deployments, projects)
    .join(environments, environments.c.id == deployments.c.environment_id)
    .join(releases, releases.c.id == deployments.c.release_id)
)


def create(
    tx: sa.Connection,
    *,
    project_id: int,
    environment_id: int,
    release_id: int,
    status: DeploymentStatus,
    by: str,
    url: str,
    restores_id: int | None,
    now: datetime,
) -> Deployment:
    row = {
        "project_id": project_id,
        "environment_id": environment_id,
        "release_id": release_id,
        "status": status,
        "by": by,
        "url": url,
        "restores_id": restores_id,
        "created_at": now,
    }
    key = tx.execute(sa.insert(deployments).values(row).returning(deployments.c.id)).scalar_one()
    arrived(tx, Subject.DEPLOYMENT, key, now)
    return get(tx, key)


def get(tx: sa.Connection, deployment_id: int) -> Deployment:
    row = tx.execute(_WITH_NAMES.where(deployments.c.id == deployment_id)).one_or_none()
    if not row:
        raise no_deployment(deployment_id)
    return _value(row)


def no_deployment(deployment_id: int) -> NotFound:
    return NotFound(f"There is no deployment {deployment_id}.", "`cabestan deployment list` shows those of a project.")


def page(
    tx: sa.Connection,
    project_id: int | None = None,
    *,
    environment_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Deployment, ...]:
    """The newest first; `before` is the id of the last one on the page before."""
    query = _WITH_NAMES.order_by(deployments.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(deployments.c.project_id == project_id)
    if environment_id is not None:
        query = query.where(deployments.c.environment_id == environment_id)
    if before is not None:
        query = query.where(deployments.c.id < before)
    return tuple(_value(row) for row in tx.execute(query))


def open_in(tx: sa.Connection, environment_id: int) -> tuple[Deployment, ...]:
    """The oldest first. By way of all that are open, which are few: SQLite would walk the environment's history."""
    return tuple(deployment for deployment in all_open(tx) if deployment.environment_id == environment_id)


def all_open(tx: sa.Connection) -> tuple[Deployment, ...]:
    query = _WITH_NAMES.where(deployments.c.status.in_(_OPEN)).order_by(deployments.c.id)
    return tuple(_value(row) for row in tx.execute(query))


def of_release(tx: sa.Connection, release_id: int) -> tuple[Deployment, ...]:
    query = _WITH_NAMES.where(deployments.c.release_id == release_id).order_by(deployments.c.id)
    return tuple(_value(row) for row in tx.execute(query))


def succeeded_in(tx: sa.Connection, environment_id: int, limit: int = 100) -> tuple[Deployment, ...]:
    """Those that succeeded, the newest first: what can be rolled back to."""
    query = _WITH_NAMES.where(
        deployments.c.environment_id == environment_id, deployments.c.status == DeploymentStatus.SUCCEEDED
    )
    return tuple(_value(row) for row in tx.execute(query.order_by(deployments.c.id.desc()).limit(limit)))


def overview(tx: sa.Connection, environment_ids: Iterable[int]) -> tuple[Deployment, ...]:
    """Of each environment: the one that serves, the newest one, and all that have not ended.

    The ids come first, by themselves: together the database would go through all deployments there ever were.
    """
    wanted = frozenset(environment_ids)
    newest = sa.select(sa.func.max(deployments.c.id)).where(deployments.c.environment_id == environments.c.id)
    chosen = sa.select(newest.correlate(environments).scalar_subquery(), environments.c.current_deployment_id)
    pairs = tx.execute(chosen.where(environments.c.id.in_(wanted)))
    unfinished = tx.execute(
        sa.select(deployments.c.id, deployments.c.environment_id).where(deployments.c.status.in_(_OPEN))
    )
    ids = {key for pair in pairs for key in pair if key is not None}
    ids |= {row.id for row in unfinished if row.environment_id in wanted}
    rows = tx.execute(_WITH_NAMES.where(deployments.c.id.in_(ids)).order_by(deployments.c.id))
    return tuple(_value(row) for row in rows)


def update(tx: sa.Connection, deployment_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    tx.execute(sa.update(deployments).where(deployments.c.id == deployment_id).values(values))


def cancel_asked(tx: sa.Connection, deployment_id: int) -> bool:
    return bool(tx.execute(sa.select(deployments.c.cancel).where(deployments.c.id == deployment_id)).scalar_one())


def set_plan(tx: sa.Connection, deployment_id: int, plan: Plan) -> None:
    update(tx, deployment_id, plan=dump_plan(plan))


def plan_of(tx: sa.Connection, deployment_id: int) -> Plan | None:
    text = tx.execute(sa.select(deployments.c.plan).where(deployments.c.id == deployment_id)).scalar_one()
    return load_plan(text) if text else None


def set_step(
    tx: sa.Connection, deployment_id: int, kind: StepKind, position: int, text: str, status: str, now: datetime
) -> None:
    """Begins a step (again, after a restart)."""
    tx.execute(sa.delete(steps).where(steps.c.deployment_id == deployment_id, steps.c.position == position))
    row = {"deployment_id": deployment_id, "kind": kind, "position": position, "text": text, "status": status}
    tx.execute(sa.insert(steps).values(row | {"started_at": now}))


def note_step(tx: sa.Connection, deployment_id: int, position: int, detail: str) -> None:
    """What a running step is at."""
    query = sa.update(steps).where(steps.c.deployment_id == deployment_id, steps.c.position == position)
    tx.execute(query.values(detail=detail))


def end_step(tx: sa.Connection, deployment_id: int, position: int, status: str, detail: str, now: datetime) -> None:
    query = sa.update(steps).where(steps.c.deployment_id == deployment_id, steps.c.position == position)
    tx.execute(query.values(status=status, detail=detail, finished_at=now))


def steps_of(tx: sa.Connection, deployment_id: int) -> tuple[StepRun, ...]:
    query = sa.select(steps).where(steps.c.deployment_id == deployment_id).order_by(steps.c.position)
    return tuple(
        StepRun(row.position, StepKind(row.kind), row.text, row.status, row.detail, row.started_at, row.finished_at)
        for row in tx.execute(query)
    )


def add_approval(tx: sa.Connection, approval: Approval) -> None:
    row = {
        "deployment_id": approval.deployment_id,
        "by": approval.by,
        "approved": approval.approved,
        "comment": approval.comment,
        "fingerprint": approval.fingerprint,
        "created_at": approval.created_at,
    }
    tx.execute(sa.insert(approvals).values(row))


def void_approvals(tx: sa.Connection, deployment_id: int, why: str) -> None:
    query = sa.update(approvals).where(approvals.c.deployment_id == deployment_id, approvals.c.void == "")
    tx.execute(query.values(void=why))


def approvals_of(tx: sa.Connection, deployment_id: int) -> tuple[Approval, ...]:
    query = sa.select(approvals).where(approvals.c.deployment_id == deployment_id).order_by(approvals.c.id)
    return tuple(
        Approval(row.deployment_id, row.by, row.approved, row.comment, row.fingerprint, row.created_at, row.void)
        for row in tx.execute(query)
    )


def _value(row: sa.Row[tuple[object, ...]]) -> Deployment:
    return Deployment(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        environment_id=row.environment_id,
        environment=row.environment,
        release_id=row.release_id,
        release=row.release,
        commit=row.commit,
        status=DeploymentStatus(row.status),
        reason=row.reason,
        by=row.by,
        approved_by=row.approved_by,
        restores_id=row.restores_id,
        previous_id=row.previous_id,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        url=row.url,
    )
