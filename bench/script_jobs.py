"""Jobs that run a script, on a platform whose convention only builds images so far.

A pipeline with such a job is stored as one that has failed, through the store's own functions; then the API is asked
to retry it, and the server runs it like every other job.
"""

from datetime import UTC, datetime

from bench.api import Api
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Pipeline, ScriptJob
from cabestan.domain.project import RefChange
from cabestan.domain.status import RunStatus
from cabestan.engine.building.pipelines import JOB_IMAGE
from cabestan.store import pipelines, projects
from cabestan.store.database import Database
from cabestan.store.transitions import transition


def start(database_url: str, api: Api, project: str, script: str) -> tuple[int, int]:
    """Starts it; gives the ids of pipeline and job."""
    pipeline_id = _store_failed(database_url, project, script)
    api.post(f"/pipelines/{pipeline_id}/retry")
    return pipeline_id, api.first_job(pipeline_id)


def _store_failed(database_url: str, project_name: str, script: str) -> int:
    database = Database(database_url)
    now = datetime.now(UTC)
    spec = ScriptJob("script", "test", image=JOB_IMAGE, script=script)
    try:
        with database.writing() as tx:
            project = projects.get(tx, project_name)
            newest = pipelines.page(tx, project.id, limit=1)[0]
            change = RefChange(f"refs/heads/{newest.branch}", newest.commit, newest.commit)
            event = projects.add_event(tx, project.id, "request", change, "bench", now)
            made = pipelines.create(tx, _failed(newest, now), event)
            pipelines.add_jobs(tx, made, (spec,), now)
            for job in pipelines.jobs_of(tx, made.id):
                transition(tx, Subject.JOB, job.id, RunStatus.FAILED, datetime.now(UTC))
    finally:
        database.close()
    return made.id


def _failed(like: Pipeline, now: datetime) -> Pipeline:
    return like.evolve(id=0, status=RunStatus.FAILED, title="Measure", created_at=now)
