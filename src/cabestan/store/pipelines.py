"""Pipelines and their jobs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Job, JobSpec, Pipeline, Source
from cabestan.domain.status import RunStatus
from cabestan.errors import NotFound
from cabestan.store.schema import jobs, pipelines, projects
from cabestan.store.transitions import arrived
from cabestan.store.values import dump, dump_spec, load_list, load_map, load_spec

_OPEN = (RunStatus.CREATED, RunStatus.RUNNING)
_WITH_PROJECT = sa.select(pipelines, projects.c.name.label("project")).join_from(pipelines, projects)


def create(tx: sa.Connection, pipeline: Pipeline, event_id: int) -> Pipeline:
    """Stores a new one; the id given is ignored, the one returned counts."""
    row = {
        "project_id": pipeline.project_id,
        "event_id": event_id,
        "commit": pipeline.commit,
        "branch": pipeline.branch,
        "title": pipeline.title,
        "author": pipeline.author,
        "status": pipeline.status,
        "by": pipeline.by,
        "created_at": pipeline.created_at,
        "variables": dump(dict(pipeline.variables)),
        "author_email": pipeline.author_email,
        "committed_at": pipeline.committed_at,
        "message": pipeline.message,
        "before": pipeline.before,
        "source": pipeline.source,
    }
    key = tx.execute(sa.insert(pipelines).values(row).returning(pipelines.c.id)).scalar_one()
    arrived(tx, Subject.PIPELINE, key, pipeline.created_at)
    return pipeline.evolve(id=key)


def get(tx: sa.Connection, pipeline_id: int) -> Pipeline:
    row = tx.execute(_WITH_PROJECT.where(pipelines.c.id == pipeline_id)).one_or_none()
    if not row:
        raise no_pipeline(pipeline_id)
    return _pipeline(row)


def no_pipeline(pipeline_id: int) -> NotFound:
    return NotFound(f"There is no pipeline {pipeline_id}.", "`cabestan pipeline list` shows those of a project.")


def page(
    tx: sa.Connection, project_id: int | None, *, before: int | None = None, limit: int = 50, branch: str = ""
) -> tuple[Pipeline, ...]:
    """The newest first; `before` is the id of the last one on the page before."""
    query = _WITH_PROJECT.order_by(pipelines.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(pipelines.c.project_id == project_id)
    if before is not None:
        query = query.where(pipelines.c.id < before)
    if branch:
        query = query.where(pipelines.c.branch == branch)
    return tuple(_pipeline(row) for row in tx.execute(query))


def of_commit(tx: sa.Connection, beginning: str, project_ids: Iterable[int], limit: int = 20) -> tuple[Pipeline, ...]:
    """Those of commits that begin so (hexadecimal digits), in these projects, the newest first."""
    query = _WITH_PROJECT.where(
        pipelines.c.commit >= beginning,
        pipelines.c.commit < beginning + "g",
        pipelines.c.project_id.in_(list(project_ids)),
    )
    return tuple(_pipeline(row) for row in tx.execute(query.order_by(pipelines.c.id.desc()).limit(limit)))


def open_ids(tx: sa.Connection) -> tuple[int, ...]:
    query = sa.select(pipelines.c.id).where(pipelines.c.status.in_(_OPEN)).order_by(pipelines.c.id)
    return tuple(tx.execute(query).scalars())


def count_open(tx: sa.Connection, project_id: int) -> int:
    """Of a project, those that have not ended."""
    query = sa.select(sa.func.count()).where(pipelines.c.project_id == project_id, pipelines.c.status.in_(_OPEN))
    return tx.execute(query).scalar_one()


def open_of_branch(tx: sa.Connection, project_id: int, branch: str) -> tuple[Pipeline, ...]:
    """Those that have not ended, the oldest first."""
    open_ones = _WITH_PROJECT.where(pipelines.c.project_id == project_id, pipelines.c.status.in_(_OPEN))
    query = open_ones.where(pipelines.c.branch == branch)
    return tuple(_pipeline(row) for row in tx.execute(query.order_by(pipelines.c.id)))


def update(tx: sa.Connection, pipeline_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    if "notes" in values:
        values["notes"] = dump(values["notes"])
    tx.execute(sa.update(pipelines).where(pipelines.c.id == pipeline_id).values(values))


def cancel_asked(tx: sa.Connection, pipeline_id: int) -> bool:
    return bool(tx.execute(sa.select(pipelines.c.cancel).where(pipelines.c.id == pipeline_id)).scalar_one())


def add_jobs(tx: sa.Connection, pipeline: Pipeline, specs: tuple[JobSpec, ...], now: datetime) -> None:
    """Each once, by its name: those that are there already stay as they are."""
    there = {job.name for job in jobs_of(tx, pipeline.id)}
    rows = [
        {
            "pipeline_id": pipeline.id,
            "project_id": pipeline.project_id,
            "position": position,
            "name": spec.name,
            "spec": dump_spec(spec),
            "status": RunStatus.CREATED,
            "created_at": now,
        }
        for position, spec in enumerate(specs)
        if spec.name not in there
    ]
    if rows:
        tx.execute(sa.insert(jobs), rows)


def jobs_of(tx: sa.Connection, pipeline_id: int) -> tuple[Job, ...]:
    query = sa.select(jobs).where(jobs.c.pipeline_id == pipeline_id).order_by(jobs.c.position)
    return tuple(_job(row) for row in tx.execute(query))


def get_job(tx: sa.Connection, job_id: int) -> Job:
    found = find_job(tx, job_id)
    if not found:
        raise no_job(job_id)
    return found


def no_job(job_id: int) -> NotFound:
    return NotFound(f"There is no job {job_id}.", "`cabestan pipeline show ID` lists the jobs of a pipeline.")


def find_job(tx: sa.Connection, job_id: int) -> Job | None:
    row = tx.execute(sa.select(jobs).where(jobs.c.id == job_id)).one_or_none()
    return _job(row) if row else None


def update_job(tx: sa.Connection, job_id: int, **values: Any) -> None:
    """All but its status, as above."""
    assert "status" not in values
    tx.execute(sa.update(jobs).where(jobs.c.id == job_id).values(values))


def job_cancel_asked(tx: sa.Connection, job_id: int) -> bool:
    return bool(tx.execute(sa.select(jobs.c.cancel).where(jobs.c.id == job_id)).scalar_one())


def jobs_ended_between(tx: sa.Connection, start: datetime, end: datetime) -> tuple[int, ...]:
    query = sa.select(jobs.c.id).where(jobs.c.finished_at >= start, jobs.c.finished_at < end)
    return tuple(tx.execute(query.order_by(jobs.c.id)).scalars())


def building(tx: sa.Connection) -> dict[int, tuple[int, ...]]:
    """The running jobs that speak to their project's builder, by project."""
    found: dict[int, tuple[int, ...]] = {}
    for row in tx.execute(sa.select(jobs).where(jobs.c.status == RunStatus.RUNNING)):
        if load_spec(row.spec).builder:
            found[row.project_id] = (*found.get(row.project_id, ()), row.id)
    return found


def last_built(tx: sa.Connection) -> dict[int, datetime]:
    """When the last job of each project ended."""
    query = sa.select(jobs.c.project_id, sa.func.max(jobs.c.finished_at)).group_by(jobs.c.project_id)
    return {project_id: ended for project_id, ended in tx.execute(query) if ended is not None}


def running_job_ids(tx: sa.Connection) -> frozenset[int]:
    return frozenset(tx.execute(sa.select(jobs.c.id).where(jobs.c.status == RunStatus.RUNNING)).scalars())


def _pipeline(row: sa.Row[tuple[object, ...]]) -> Pipeline:
    return Pipeline(
        id=row.id,
        project_id=row.project_id,
        project=row.project,
        commit=row.commit,
        branch=row.branch,
        title=row.title,
        author=row.author,
        status=RunStatus(row.status),
        reason=row.reason,
        by=row.by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        notes=load_list(row.notes),
        attempt=row.attempt,
        variables=load_map(row.variables),
        author_email=row.author_email,
        committed_at=row.committed_at,
        message=row.message,
        before=row.before,
        source=Source(row.source),
    )


def _job(row: sa.Row[tuple[object, ...]]) -> Job:
    return Job(
        id=row.id,
        pipeline_id=row.pipeline_id,
        project_id=row.project_id,
        position=row.position,
        spec=load_spec(row.spec),
        status=RunStatus(row.status),
        reason=row.reason,
        attempt=row.attempt,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        digest=row.digest,
    )
