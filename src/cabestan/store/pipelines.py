"""Pipelines and their jobs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import BuildJob, Job, JobSpec, Pipeline
from cabestan.domain.status import RunStatus
from cabestan.errors import NotFound
from cabestan.store.ids import numbered
from cabestan.store.rows import Rows, columns_of
from cabestan.store.schema import jobs, pipelines, projects
from cabestan.store.transitions import arrived

#: pipelines whose titles are searched
LOOKED_AT = 20_000
_OPEN = (RunStatus.CREATED, RunStatus.RUNNING)
_PIPELINES = Rows(Pipeline, pipelines, pipelines.join(projects), project=projects.c.name)
_JOBS = Rows(Job, jobs)


def create(tx: sa.Connection, pipeline: Pipeline, event_id: int) -> Pipeline:
    """Stores a new one; the id given is ignored, the one returned counts."""
    key = _PIPELINES.add(tx, event_id=event_id, **columns_of(pipelines, pipeline))
    arrived(tx, Subject.PIPELINE, key, pipeline.created_at)
    return pipeline.evolve(id=key)


def get(tx: sa.Connection, pipeline_id: int) -> Pipeline:
    return _PIPELINES.get(tx, pipeline_id, no_pipeline)


def no_pipeline(pipeline_id: int) -> NotFound:
    return NotFound(f"There is no pipeline {pipeline_id}.", "`cabestan pipeline list` shows those of a project.")


def page(
    tx: sa.Connection,
    project_id: int | None,
    *,
    before: int | None = None,
    limit: int = 50,
    branch: str = "",
    commit: str = "",
) -> tuple[Pipeline, ...]:
    """The newest first; `before` is the id of the last one on the page before, `commit` the beginning of one."""
    where = []
    if project_id is not None:
        where.append(pipelines.c.project_id == project_id)
    if commit:
        where += [pipelines.c.commit >= commit, pipelines.c.commit < commit + "g"]
    if branch:
        where.append(pipelines.c.branch == branch)
    return _PIPELINES.newest(tx, *where, before=before, limit=limit)


def since(tx: sa.Connection, project_id: int, after: int) -> tuple[Pipeline, ...]:
    """Those of a project that were made after the one with that id, the oldest first."""
    return _PIPELINES.all(tx, pipelines.c.project_id == project_id, pipelines.c.id > after, by=(pipelines.c.id,))


def newest_of(tx: sa.Connection, project_ids: Iterable[int]) -> tuple[Pipeline, ...]:
    """The newest one of each of these projects that has any."""
    others = pipelines.alias()  # a look into the index for each project, whose pipelines may be a hundred thousand
    newest = sa.select(sa.func.max(others.c.id)).where(others.c.project_id == projects.c.id).scalar_subquery()
    of_each = sa.select(newest).select_from(projects).where(projects.c.id.in_(list(project_ids)))
    found = tuple(key for key in tx.execute(of_each).scalars() if key is not None)
    return _PIPELINES.all(tx, pipelines.c.id.in_(found), by=(pipelines.c.id,))


def of_commit(tx: sa.Connection, beginning: str, project_ids: Iterable[int], limit: int = 20) -> tuple[Pipeline, ...]:
    """Those of commits that begin so (hexadecimal digits), in these projects, the newest first."""
    begins_so = (pipelines.c.commit >= beginning, pipelines.c.commit < beginning + "g")
    return _PIPELINES.newest(tx, *begins_so, pipelines.c.project_id.in_(list(project_ids)), limit=limit)


def open_ids(tx: sa.Connection) -> tuple[int, ...]:
    query = sa.select(pipelines.c.id).where(pipelines.c.status.in_(_OPEN)).order_by(pipelines.c.id)
    return tuple(tx.execute(query).scalars())


def count_open(tx: sa.Connection, project_id: int) -> int:
    """Of a project, those that have not ended."""
    query = sa.select(sa.func.count()).where(pipelines.c.project_id == project_id, pipelines.c.status.in_(_OPEN))
    return tx.execute(query).scalar_one()


def open_of_branch(tx: sa.Connection, project_id: int, branch: str) -> tuple[Pipeline, ...]:
    """Those that have not ended, the oldest first."""
    where = (pipelines.c.project_id == project_id, pipelines.c.status.in_(_OPEN), pipelines.c.branch == branch)
    return _PIPELINES.all(tx, *where, by=(pipelines.c.id,))


def update(tx: sa.Connection, pipeline_id: int, **values: Any) -> None:
    """All but its status: for that there is `transition`."""
    assert "status" not in values
    _PIPELINES.update(tx, pipeline_id, **values)


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
            "spec": spec,
            "status": RunStatus.CREATED,
            "created_at": now,
        }
        for position, spec in enumerate(specs)
        if spec.name not in there
    ]
    if rows:
        tx.execute(sa.insert(jobs), numbered(tx, jobs, rows))


def jobs_of(tx: sa.Connection, pipeline_id: int) -> tuple[Job, ...]:
    return _JOBS.all(tx, jobs.c.pipeline_id == pipeline_id, by=(jobs.c.position,))


def get_job(tx: sa.Connection, job_id: int) -> Job:
    return _JOBS.get(tx, job_id, no_job)


def no_job(job_id: int) -> NotFound:
    return NotFound(f"There is no job {job_id}.", "`cabestan pipeline show ID` lists the jobs of a pipeline.")


def find_job(tx: sa.Connection, job_id: int) -> Job | None:
    return _JOBS.find(tx, jobs.c.id == job_id)


def update_job(tx: sa.Connection, job_id: int, **values: Any) -> None:
    """All but its status, as above."""
    assert "status" not in values
    _JOBS.update(tx, job_id, **values)


def job_cancel_asked(tx: sa.Connection, job_id: int) -> bool:
    return bool(tx.execute(sa.select(jobs.c.cancel).where(jobs.c.id == job_id)).scalar_one())


def jobs_ended_between(tx: sa.Connection, start: datetime, end: datetime) -> tuple[int, ...]:
    query = sa.select(jobs.c.id).where(jobs.c.finished_at >= start, jobs.c.finished_at < end)
    return tuple(tx.execute(query.order_by(jobs.c.id)).scalars())


def building(tx: sa.Connection) -> dict[int, tuple[int, ...]]:
    """The running jobs that build on their project's builder, by project."""
    found: dict[int, tuple[int, ...]] = {}
    for job in _JOBS.all(tx, jobs.c.status == RunStatus.RUNNING):
        if isinstance(job.spec, BuildJob):
            found[job.project_id] = (*found.get(job.project_id, ()), job.id)
    return found


def last_built(tx: sa.Connection) -> dict[int, datetime]:
    """When the last job of each project ended."""
    query = sa.select(jobs.c.project_id, sa.func.max(jobs.c.finished_at)).group_by(jobs.c.project_id)
    return {project_id: ended for project_id, ended in tx.execute(query) if ended is not None}


def running_job_ids(tx: sa.Connection) -> frozenset[int]:
    return frozenset(tx.execute(sa.select(jobs.c.id).where(jobs.c.status == RunStatus.RUNNING)).scalars())


def of_id(tx: sa.Connection, pipeline_id: int, project_ids: Iterable[int]) -> tuple[Pipeline, ...]:
    """The one, where it is in one of these projects."""
    return _PIPELINES.all(tx, pipelines.c.id == pipeline_id, pipelines.c.project_id.in_(list(project_ids)))


def titled(tx: sa.Connection, part: str, project_ids: Iterable[int], limit: int = 20) -> tuple[Pipeline, ...]:
    """Those with the part in their title, in whichever case, the newest first; of the last `LOOKED_AT` there are.

    No database has an index for parts of texts: this looks at each, from the newest on.
    """
    oldest = sa.select(sa.func.max(pipelines.c.id) - LOOKED_AT).scalar_subquery()
    where = (pipelines.c.id > oldest, pipelines.c.project_id.in_(list(project_ids)))
    return _PIPELINES.newest(tx, *where, pipelines.c.title.icontains(part, autoescape=True), limit=limit)
