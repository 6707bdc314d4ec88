"""Pipelines: planned from their commit, then moved on whenever one of their jobs ends."""

from functools import partial

import sqlalchemy as sa

from cabestan.checks.check import plan
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Blueprint, Job, Pipeline, ready_jobs, unreachable_jobs
from cabestan.domain.status import RunStatus, merge_status
from cabestan.engine.building import crowding
from cabestan.engine.building.job_runs import stop_soon, workflow_id
from cabestan.engine.building.subjects import subject_of
from cabestan.engine.guard import guarded
from cabestan.engine.services import Services
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind
from cabestan.errors import CabestanError, Conflict
from cabestan.pipeline.first_job import with_lint
from cabestan.store import pipelines as store
from cabestan.store.transitions import transition

#: the image that build jobs run in, and the builders that they speak to
JOB_IMAGE = "cabestan/builder:1"


def register(services: Services) -> None:
    run = guarded(services, partial(prepare, services), partial(fail, services))
    services.durable.register("pipeline", lambda pipeline_id: run(pipeline_id), partial(turn, services, Kind.PLANNING))


def turn(services: Services, kind: Kind, pipeline_id: int) -> Turn:
    """Of older pipelines first, within a project."""
    with services.database.reading() as tx:
        return Turn(kind, store.get(tx, pipeline_id).project_id, pipeline_id)


def begin(services: Services, pipeline_id: int) -> None:
    """Once per attempt, however often it is called."""
    with services.database.reading() as tx:
        attempt = store.get(tx, pipeline_id).attempt
    services.durable.start("pipeline", f"pipeline-{pipeline_id}-{attempt}", pipeline_id)


def prepare(services: Services, pipeline_id: int) -> None:
    """The workflow: decide on the jobs, then start the first ones."""
    services.durable.step("pipeline.plan", lambda: _plan(services, pipeline_id))
    services.durable.step("pipeline.advance", lambda: advance(services, pipeline_id))


def advance(services: Services, pipeline_id: int) -> None:
    """Starts what can start, skips what cannot any more, and ends the pipeline when all its jobs have ended.

    May be called at any time and any number of times. It writes only where there is something to write: a flood of
    pipelines shall not keep others from writing.
    """
    with services.database.reading() as tx:
        pipeline, jobs = store.get(tx, pipeline_id), store.jobs_of(tx, pipeline_id)
    if unreachable_jobs(jobs) or _ends(pipeline, jobs):
        with services.database.writing() as tx:
            pipeline, jobs = _write_what_follows(services, tx, pipeline_id)
    if not pipeline.status.ended:
        for job in ready_jobs(jobs):
            services.durable.start("job", workflow_id(job), job.id, job.attempt)
        if _is_built(pipeline, jobs):
            services.durable.start("release", f"release-{pipeline_id}-{pipeline.attempt}", pipeline_id)


def _is_built(pipeline: Pipeline, jobs: tuple[Job, ...]) -> bool:
    """What there is to build has been built; there may be nothing."""
    succeeded = merge_status(job.status for job in jobs) is RunStatus.SUCCEEDED
    return succeeded if jobs else pipeline.status is RunStatus.RUNNING


def _ends(pipeline: Pipeline, jobs: tuple[Job, ...]) -> bool:
    """All its jobs have ended, and not well."""
    ended = bool(jobs) and merge_status(job.status for job in jobs).ended
    return ended and not pipeline.status.ended and not _is_built(pipeline, jobs)


def _write_what_follows(services: Services, tx: sa.Connection, pipeline_id: int) -> tuple[Pipeline, tuple[Job, ...]]:
    for job in unreachable_jobs(store.jobs_of(tx, pipeline_id)):
        reason = "Something that it needs did not succeed."
        transition(tx, Subject.JOB, job.id, RunStatus.SKIPPED, services.now(), reason=reason)
    pipeline, jobs = store.get(tx, pipeline_id), store.jobs_of(tx, pipeline_id)
    if _ends(pipeline, jobs):
        status = merge_status(job.status for job in jobs)
        reason = next((f"{job.name}: {job.reason}" for job in jobs if job.status is status), "")
        now = services.now()
        transition(tx, Subject.PIPELINE, pipeline_id, status, now, reason=reason, finished_at=now)
    return store.get(tx, pipeline_id), jobs


def fail(services: Services, pipeline_id: int, reason: str) -> None:
    now = services.now()
    with services.database.writing() as tx:
        transition(tx, Subject.PIPELINE, pipeline_id, RunStatus.FAILED, now, reason=reason, finished_at=now)


def cancel(services: Services, pipeline_id: int) -> None:
    """Ends all that has not ended; what runs is stopped on the engine too."""
    now = services.now()
    with services.database.writing() as tx:
        pipeline = store.get(tx, pipeline_id)
        if pipeline.status.ended:
            raise Conflict(
                f"Pipeline {pipeline_id} has ended already ({pipeline.status}).", "Nothing is left to cancel."
            )
        store.update(tx, pipeline_id, cancel=True)
        jobs = store.jobs_of(tx, pipeline_id)
        for job in jobs:
            if job.status is RunStatus.CREATED:
                transition(tx, Subject.JOB, job.id, RunStatus.CANCELED, now, reason="Canceled.", finished_at=now)
            store.update_job(tx, job.id, cancel=True)
        if not jobs:
            transition(tx, Subject.PIPELINE, pipeline_id, RunStatus.CANCELED, now, finished_at=now)
    for job in jobs:
        if job.status is RunStatus.RUNNING:
            stop_soon(services, job)
    advance(services, pipeline_id)


def retry(services: Services, pipeline_id: int) -> None:
    """Runs again what did not succeed. A pipeline that failed before it had jobs is planned again."""
    with services.database.writing() as tx:
        pipeline = store.get(tx, pipeline_id)
        if pipeline.status not in (RunStatus.FAILED, RunStatus.CANCELED):
            raise Conflict(f"Pipeline {pipeline_id} is {pipeline.status}.", "Only a failed or canceled one runs again.")
        crowding.refuse_one_more(services, tx, pipeline.project_id, pipeline.project)
        jobs = store.jobs_of(tx, pipeline_id)
        for job in jobs:
            if job.status is not RunStatus.SUCCEEDED:
                _reset_job(services, tx, job)
        status = RunStatus.RUNNING if jobs else RunStatus.CREATED
        again = {"attempt": pipeline.attempt + 1, "reason": "", "cancel": False, "finished_at": None}
        transition(tx, Subject.PIPELINE, pipeline_id, status, services.now(), **again)
    begin(services, pipeline_id)


def _reset_job(services: Services, tx: sa.Connection, job: Job) -> None:
    again = {"attempt": job.attempt + 1, "reason": "", "cancel": False, "digest": "", "log_line": 0}
    again |= {"started_at": None, "finished_at": None}
    transition(tx, Subject.JOB, job.id, RunStatus.CREATED, services.now(), **again)


def _plan(services: Services, pipeline_id: int) -> None:
    with services.database.reading() as tx:
        pipeline = store.get(tx, pipeline_id)
        planned_before = any(not job.spec.kind.in_process for job in store.jobs_of(tx, pipeline_id))
        if planned_before or pipeline.status.ended:
            return
    try:
        planned, releasable = plan_jobs(services, pipeline)
    except CabestanError as error:
        fail(services, pipeline_id, str(error))
        return
    now = services.now()
    with services.database.writing() as tx:
        if store.get(tx, pipeline_id).status.ended:  # canceled meanwhile
            return
        store.add_jobs(tx, pipeline, planned.jobs, now)
        store.update(tx, pipeline_id, notes=planned.notes, finished_at=None if releasable else now)
        status = RunStatus.RUNNING if releasable else RunStatus.SKIPPED
        transition(tx, Subject.PIPELINE, pipeline_id, status, now, started_at=now)


def plan_jobs(services: Services, pipeline: Pipeline) -> tuple[Blueprint, bool]:
    """The jobs of a commit, from what stands in its tree, and whether there will be anything to release.

    Where they cannot be worked out, the checks alone: they fail, and say why.
    """
    subject = subject_of(services, pipeline)
    planned = plan(subject, JOB_IMAGE)
    if planned.blueprint is None:
        return with_lint(Blueprint(())), True
    releasable = bool(planned.blueprint.jobs or subject.sets)
    return with_lint(planned.blueprint) if releasable else planned.blueprint, releasable
