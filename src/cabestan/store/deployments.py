"""Deployments, their steps and the approvals on them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.action import ActionKind, Numbers
from cabestan.domain.deployment import Approval, Deployment, Plan, StepKind, StepRun
from cabestan.domain.outbox import Subject
from cabestan.domain.status import DeploymentStatus
from cabestan.errors import NotFound
from cabestan.store.rows import PLACE, Rows, columns_of, placed
from cabestan.store.schema import approvals, deployments, environments, releases, steps
from cabestan.store.transitions import arrived

_OPEN = (DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING)
_DEPLOYMENTS = Rows(
    Deployment,
    deployments,
    placed(deployments).join(releases, releases.c.id == deployments.c.release_id),
    **PLACE,
    release=releases.c.number,
    commit=releases.c.commit,
)
#: those that put a release there
_OF_RELEASES = deployments.c.kind == ActionKind.DEPLOY
_STEPS = Rows(StepRun, steps)
_APPROVALS = Rows(Approval, approvals)


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
    kind: ActionKind = ActionKind.DEPLOY,
    services: tuple[str, ...] = (),
    replicas: Numbers = (),
) -> Deployment:
    key = _DEPLOYMENTS.add(
        tx,
        project_id=project_id,
        environment_id=environment_id,
        release_id=release_id,
        status=status,
        by=by,
        url=url,
        restores_id=restores_id,
        created_at=now,
        kind=kind,
        services=services,
        replicas=replicas,
    )
    arrived(tx, Subject.DEPLOYMENT, key, now)
    return get(tx, key)


def get(tx: sa.Connection, deployment_id: int) -> Deployment:
    return _DEPLOYMENTS.get(tx, deployment_id, no_deployment)


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
    where = []
    if project_id is not None:
        where.append(deployments.c.project_id == project_id)
    if environment_id is not None:
        where.append(deployments.c.environment_id == environment_id)
    return _DEPLOYMENTS.newest(tx, *where, before=before, limit=limit)


def latest(tx: sa.Connection, environment_id: int) -> Deployment | None:
    """The newest one of a release."""
    return _DEPLOYMENTS.latest(tx, deployments.c.environment_id == environment_id, _OF_RELEASES)


def open_in(tx: sa.Connection, environment_id: int) -> tuple[Deployment, ...]:
    """The oldest first. By way of all that are open, which are few: SQLite would walk the environment's history."""
    return tuple(deployment for deployment in all_open(tx) if deployment.environment_id == environment_id)


def all_open(tx: sa.Connection) -> tuple[Deployment, ...]:
    return _DEPLOYMENTS.all(tx, deployments.c.status.in_(_OPEN), by=(deployments.c.id,))


def of_release(tx: sa.Connection, release_id: int) -> tuple[Deployment, ...]:
    return _DEPLOYMENTS.all(tx, deployments.c.release_id == release_id, _OF_RELEASES, by=(deployments.c.id,))


def succeeded_in(tx: sa.Connection, environment_id: int, limit: int = 100) -> tuple[Deployment, ...]:
    """Those that succeeded, the newest first: what can be rolled back to."""
    where = (deployments.c.environment_id == environment_id, deployments.c.status == DeploymentStatus.SUCCEEDED)
    return _DEPLOYMENTS.newest(tx, *where, _OF_RELEASES, limit=limit)


def overview(tx: sa.Connection, environment_ids: Iterable[int]) -> tuple[Deployment, ...]:
    """Of each environment: the one that serves, the newest one, and all that have not ended, each of a release.

    The ids come first, by themselves: together the database would go through all deployments there ever were.
    """
    wanted = frozenset(environment_ids)
    here = (deployments.c.environment_id == environments.c.id, _OF_RELEASES)
    newest = sa.select(sa.func.max(deployments.c.id)).where(*here)
    chosen = sa.select(newest.correlate(environments).scalar_subquery(), environments.c.current_deployment_id)
    pairs = tx.execute(chosen.where(environments.c.id.in_(wanted)))
    is_open = (deployments.c.status.in_(_OPEN), _OF_RELEASES)
    unfinished = tx.execute(sa.select(deployments.c.id, deployments.c.environment_id).where(*is_open))
    ids = {key for pair in pairs for key in pair if key is not None}
    ids |= {row.id for row in unfinished if row.environment_id in wanted}
    return _DEPLOYMENTS.all(tx, deployments.c.id.in_(ids), by=(deployments.c.id,))


def update(tx: sa.Connection, deployment_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    _DEPLOYMENTS.update(tx, deployment_id, **values)


def cancel_asked(tx: sa.Connection, deployment_id: int) -> bool:
    return bool(tx.execute(sa.select(deployments.c.cancel).where(deployments.c.id == deployment_id)).scalar_one())


def set_plan(tx: sa.Connection, deployment_id: int, plan: Plan) -> None:
    update(tx, deployment_id, plan=plan)


def plan_of(tx: sa.Connection, deployment_id: int) -> Plan | None:
    plan: Plan | None = tx.execute(sa.select(deployments.c.plan).where(deployments.c.id == deployment_id)).scalar_one()
    return plan


def set_step(
    tx: sa.Connection, deployment_id: int, kind: StepKind, position: int, text: str, status: str, now: datetime
) -> None:
    """Begins a step (again, after a restart)."""
    tx.execute(sa.delete(steps).where(*_step(deployment_id, position)))
    row = {"deployment_id": deployment_id, "kind": kind, "position": position, "text": text, "status": status}
    tx.execute(sa.insert(steps).values(row | {"started_at": now}))


def note_step(tx: sa.Connection, deployment_id: int, position: int, detail: str) -> None:
    """What a running step is at."""
    tx.execute(sa.update(steps).where(*_step(deployment_id, position)).values(detail=detail))


def end_step(tx: sa.Connection, deployment_id: int, position: int, status: str, detail: str, now: datetime) -> None:
    ended = {"status": status, "detail": detail, "finished_at": now}
    tx.execute(sa.update(steps).where(*_step(deployment_id, position)).values(ended))


def _step(deployment_id: int, position: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (steps.c.deployment_id == deployment_id, steps.c.position == position)


def steps_of(tx: sa.Connection, deployment_id: int) -> tuple[StepRun, ...]:
    return _STEPS.all(tx, steps.c.deployment_id == deployment_id, by=(steps.c.position,))


def add_approval(tx: sa.Connection, approval: Approval) -> None:
    _APPROVALS.add(tx, **columns_of(approvals, approval))


def void_approvals(tx: sa.Connection, deployment_id: int, why: str) -> None:
    query = sa.update(approvals).where(approvals.c.deployment_id == deployment_id, approvals.c.void == "")
    tx.execute(query.values(void=why))


def approvals_of(tx: sa.Connection, deployment_id: int) -> tuple[Approval, ...]:
    return _APPROVALS.all(tx, approvals.c.deployment_id == deployment_id, by=(approvals.c.id,))


def of_id(tx: sa.Connection, deployment_id: int, project_ids: Iterable[int]) -> tuple[Deployment, ...]:
    """The one, where it is in one of these projects."""
    of_these = deployments.c.project_id.in_(list(project_ids))
    return _DEPLOYMENTS.all(tx, deployments.c.id == deployment_id, of_these)
