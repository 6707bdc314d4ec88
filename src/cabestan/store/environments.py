"""Environments."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import Environment, EnvironmentDraft
from cabestan.domain.names import meant
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.errors import NotFound
from cabestan.store import outbox
from cabestan.store import projects as project_store
from cabestan.store.rows import Rows, columns_of
from cabestan.store.schema import environments, projects

_ENVIRONMENTS = Rows(Environment, environments, environments.join(projects), project=projects.c.name)


def create(
    tx: sa.Connection, project: Project, draft: EnvironmentDraft, target: str, watch_seconds: int, label: str
) -> None:
    highest = sa.select(sa.func.max(environments.c.position)).where(environments.c.project_id == project.id)
    _ENVIRONMENTS.add(
        tx,
        project_id=project.id,
        position=(tx.execute(highest).scalar() or 0) + 1,
        target=target,
        label=label,
        approvers=(),
        watch_seconds=watch_seconds,
        **columns_of(environments, draft),
    )


def get(tx: sa.Connection, project_id: int, name: str) -> Environment:
    found = find(tx, project_id, name)
    if not found:
        project = project_store.by_id(tx, project_id).name
        like = meant(name, (one.name for one in of_project(tx, project_id)))
        raise NotFound(
            f"There is no environment {name} in {project}.",
            f"{like}`cabestan environment list -p {project}` shows them.",
        )
    return found


def find(tx: sa.Connection, project_id: int, name: str) -> Environment | None:
    return _ENVIRONMENTS.find(tx, environments.c.project_id == project_id, environments.c.name == name)


def by_id(tx: sa.Connection, environment_id: int) -> Environment:
    return _ENVIRONMENTS.one(tx, environment_id)


def find_by_id(tx: sa.Connection, environment_id: int) -> Environment | None:
    """None where it has gone meanwhile."""
    return _ENVIRONMENTS.find(tx, environments.c.id == environment_id)


def of_project(tx: sa.Connection, project_id: int) -> tuple[Environment, ...]:
    """In the order in which a release travels."""
    return _ENVIRONMENTS.all(tx, environments.c.project_id == project_id, by=(environments.c.position,))


def of_projects(tx: sa.Connection, project_ids: Iterable[int]) -> tuple[Environment, ...]:
    """Of all of them, in the order in which releases travel."""
    of_one = environments.c.project_id.in_(list(project_ids))
    return _ENVIRONMENTS.all(tx, of_one, by=(environments.c.position, environments.c.id))


def all_environments(tx: sa.Connection) -> tuple[Environment, ...]:
    return _ENVIRONMENTS.all(tx, by=(environments.c.position,))


def update(tx: sa.Connection, environment_id: int, **values: Any) -> None:
    _ENVIRONMENTS.update(tx, environment_id, **values)


def set_current(tx: sa.Connection, environment: Environment, deployment_id: int, now: datetime) -> None:
    """What serves there from now on."""
    update(tx, environment.id, current_deployment_id=deployment_id)
    outbox.tell(
        tx,
        environment.project_id,
        now,
        subject=Subject.ENVIRONMENT,
        key=environment.id,
        former=str(environment.current_deployment_id or ""),
        status=str(deployment_id),
    )


def named(tx: sa.Connection, part: str, project_ids: Iterable[int], limit: int) -> tuple[Environment, ...]:
    """Those with the part in their name, in these projects."""
    like = environments.c.name.icontains(part, autoescape=True)
    query = _ENVIRONMENTS.query.where(environments.c.project_id.in_(list(project_ids)), like)
    return _ENVIRONMENTS.read(tx, query.order_by(projects.c.name, environments.c.position).limit(limit))
