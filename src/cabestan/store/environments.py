"""Environments."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.environment import Environment, EnvironmentDraft, Trigger
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.errors import NotFound
from cabestan.store import outbox
from cabestan.store import projects as project_store
from cabestan.store.schema import environments, projects
from cabestan.store.values import dump, load_list

_WITH_PROJECT = sa.select(environments, projects.c.name.label("project")).join_from(environments, projects)


def create(
    tx: sa.Connection, project: Project, draft: EnvironmentDraft, target: str, watch_seconds: int, label: str
) -> None:
    highest = sa.select(sa.func.max(environments.c.position)).where(environments.c.project_id == project.id)
    row = {
        "project_id": project.id,
        "name": draft.name,
        "position": (tx.execute(highest).scalar() or 0) + 1,
        "target": target,
        "domain": "",
        "label": label,
        "trigger": draft.trigger,
        "branches": dump(draft.branches),
        "approvers": "[]",
        "watch_seconds": watch_seconds,
        "compose_files": "[]",
    }
    tx.execute(sa.insert(environments).values(row))


def get(tx: sa.Connection, project_id: int, name: str) -> Environment:
    found = find(tx, project_id, name)
    if not found:
        project = project_store.by_id(tx, project_id).name
        raise NotFound(
            f"There is no environment {name} in {project}.", f"`cabestan environment list -p {project}` shows them."
        )
    return found


def find(tx: sa.Connection, project_id: int, name: str) -> Environment | None:
    query = _WITH_PROJECT.where(environments.c.project_id == project_id, environments.c.name == name)
    row = tx.execute(query).one_or_none()
    return _value(row) if row else None


def by_id(tx: sa.Connection, environment_id: int) -> Environment:
    return _value(tx.execute(_WITH_PROJECT.where(environments.c.id == environment_id)).one())


def of_project(tx: sa.Connection, project_id: int) -> tuple[Environment, ...]:
    """In the order in which a release travels."""
    query = _WITH_PROJECT.where(environments.c.project_id == project_id).order_by(environments.c.position)
    return tuple(_value(row) for row in tx.execute(query))


def all_environments(tx: sa.Connection) -> tuple[Environment, ...]:
    return tuple(_value(row) for row in tx.execute(_WITH_PROJECT.order_by(environments.c.position)))


def update(tx: sa.Connection, environment_id: int, **values: Any) -> None:
    for name in ("branches", "approvers", "compose_files"):
        if name in values:
            values[name] = dump(values[name])
    tx.execute(sa.update(environments).where(environments.c.id == environment_id).values(values))


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


def _value(row: sa.Row[tuple[object, ...]]) -> Environment:
    return Environment(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        name=row.name,
        position=row.position,
        target=row.target,
        domain=row.domain,
        label=row.label,
        trigger=Trigger(row.trigger),
        branches=load_list(row.branches),
        approvers=load_list(row.approvers),
        watch_seconds=row.watch_seconds,
        plain_http=row.plain_http,
        time_zone=row.time_zone,
        compose_files=load_list(row.compose_files),
        current_deployment_id=row.current_deployment_id,
    )
