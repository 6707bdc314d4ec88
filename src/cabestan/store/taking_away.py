"""Rows of what is deleted: counted for people who are asked, and taken away."""

from collections.abc import Collection

import sqlalchemy as sa

from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.store.ids import note_used
from cabestan.store.schema import (
    alerts,
    deployments,
    environments,
    events,
    host_rules,
    jobs,
    memberships,
    observations,
    pipelines,
    projects,
    releases,
    runs,
    schedules,
    settings,
    tokens,
)


def count(tx: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return tx.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()


def history_of(tx: sa.Connection, project_id: int, environment_id: int | None = None) -> dict[str, int]:
    """How many there are of each: of one environment, or of the whole project."""
    if environment_id is not None:
        here = {table: (table.c.environment_id == environment_id,) for table in (deployments, runs)}
        return {"deployment": count(tx, deployments, *here[deployments]), "run": count(tx, runs, *here[runs])}
    tables = {"deployment": deployments, "run": runs, "release": releases, "pipeline": pipelines, "job": jobs}
    return {noun: count(tx, table, table.c.project_id == project_id) for noun, table in tables.items()}


def settings_of(tx: sa.Connection, project_id: int, environment: str | None = None) -> int:
    """Variables and secrets that hold: those of one environment alone, or of the whole project."""
    own = () if environment is None else (settings.c.environment == environment,)
    newest = sa.select(sa.func.max(settings.c.id)).where(settings.c.project_id == project_id, *own)
    keys = newest.group_by(settings.c.environment, settings.c.name)
    return count(tx, settings, settings.c.id.in_(keys), settings.c.removed.is_(False))


def runs_of(tx: sa.Connection, environment_id: int) -> tuple[int, ...]:
    """The ids of all of them."""
    return tuple(tx.execute(sa.select(runs.c.id).where(runs.c.environment_id == environment_id)).scalars())


def jobs_of(tx: sa.Connection, project_id: int) -> tuple[int, ...]:
    """The ids of all of them."""
    return tuple(tx.execute(sa.select(jobs.c.id).where(jobs.c.project_id == project_id)).scalars())


def nothing_serves(tx: sa.Connection, environment_ids: Collection[int]) -> None:
    """What is taken away serves no more, is seen no more, and nothing of it is due."""
    tx.execute(sa.update(environments).where(environments.c.id.in_(environment_ids)).values(current_deployment_id=None))
    tx.execute(sa.delete(observations).where(observations.c.environment_id.in_(environment_ids)))
    due = sa.update(schedules).where(schedules.c.environment_id.in_(environment_ids))
    tx.execute(due.values(next_due=None, removed=True))


def delete_environment(tx: sa.Connection, environment: Environment) -> None:
    """With all that refers to it, and what knows it by its name alone."""
    note_used(tx)
    key, place = environment.id, f"{environment.project} {environment.name}"
    for table in (runs, schedules, deployments):
        tx.execute(sa.delete(table).where(table.c.environment_id == key))
    own = (settings.c.project_id == environment.project_id, settings.c.environment == environment.name)
    tx.execute(sa.delete(settings).where(*own))
    begins_so = [alerts.c.subject.startswith(f"{place}{end}", autoescape=True) for end in (" ", "/")]
    about = sa.or_(alerts.c.subject == place, *begins_so)
    tx.execute(sa.delete(alerts).where(alerts.c.project_id == environment.project_id, about))
    tx.execute(sa.delete(environments).where(environments.c.id == key))


def delete_project(tx: sa.Connection, project: Project) -> None:
    """What its environments left: rows that many others refer to go after those."""
    note_used(tx)
    mine = sa.select(jobs.c.id).where(jobs.c.project_id == project.id)
    tx.execute(sa.delete(tokens).where(tokens.c.job_id.in_(mine)))
    for table in (runs, schedules, deployments, releases, jobs, pipelines, events):
        tx.execute(sa.delete(table).where(table.c.project_id == project.id))
    tx.execute(sa.delete(memberships).where(memberships.c.scope == project.name))
    tx.execute(sa.delete(host_rules).where(host_rules.c.owner == project.name))
    tx.execute(sa.delete(projects).where(projects.c.id == project.id))
