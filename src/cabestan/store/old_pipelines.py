"""Pipelines that are kept no longer, with their jobs, and releases that were never deployed."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from cabestan.domain.status import RunStatus
from cabestan.store.schema import deployments, jobs, pipelines, refs, releases

_ENDED = tuple(status for status in RunStatus if status.ended)


def superfluous(tx: sa.Connection, project_id: int, kept: int, before: datetime, limit: int) -> tuple[int, ...]:
    """Of a project the oldest ones, at most `limit`, that are not among its newest `kept` and ended before a time.

    Not those whose release stays: one that was ever deployed, the newest of a branch that there is, and of the project.
    Nor the one with the newest job, for what was done is known by the job's number, which must not be given again.
    """
    own = pipelines.c.project_id == project_id
    newest = sa.select(pipelines.c.id).where(own).order_by(pipelines.c.id.desc())
    newest_job = sa.select(jobs.c.pipeline_id).order_by(jobs.c.id.desc()).limit(1).scalar_subquery()
    query = sa.select(pipelines.c.id).where(
        own,
        pipelines.c.id <= newest.offset(kept).limit(1).scalar_subquery(),
        pipelines.c.status.in_(_ENDED),
        pipelines.c.finished_at < before,
        pipelines.c.id != sa.func.coalesce(newest_job, 0),
        ~sa.exists().where(releases.c.pipeline_id == pipelines.c.id, _stays(project_id)),
    )
    return tuple(tx.execute(query.order_by(pipelines.c.id).limit(limit)).scalars())


def _stays(project_id: int) -> sa.ColumnElement[bool]:
    """Whether a release does."""
    others = releases.alias()
    newest = sa.select(sa.func.max(others.c.id)).where(others.c.project_id == project_id)
    there = sa.select(refs.c.ref).where(refs.c.project_id == project_id)
    of_branches = newest.where(("refs/heads/" + others.c.branch).in_(there)).group_by(others.c.branch)
    deployed = sa.exists().where(deployments.c.release_id == releases.c.id)
    return sa.or_(deployed, releases.c.id.in_(of_branches), releases.c.id == newest.scalar_subquery())


def jobs_of(tx: sa.Connection, pipeline_ids: Collection[int]) -> tuple[int, ...]:
    """The ids of their jobs."""
    return tuple(tx.execute(sa.select(jobs.c.id).where(jobs.c.pipeline_id.in_(pipeline_ids))).scalars())


def delete(tx: sa.Connection, pipeline_ids: Collection[int]) -> None:
    """With their jobs and releases."""
    tx.execute(sa.delete(pipelines).where(pipelines.c.id.in_(pipeline_ids)))
