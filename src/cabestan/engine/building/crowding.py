"""How many pipelines a project has under way: beyond the setting, a newer push takes the place of what waits."""

from collections.abc import Sequence

import sqlalchemy as sa

from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import TOOK_ITS_PLACE, Pipeline
from cabestan.domain.status import RunStatus
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import pipelines as store
from cabestan.store.transitions import transition


def admit(services: Services, tx: sa.Connection, fresh: Sequence[Pipeline]) -> tuple[Pipeline, ...]:
    """The pipelines that a push has just made in a project: as they are, or canceled, with the reason.

    Where there are too many, the newest of a branch takes the place of those of the branch that have built nothing yet.
    """
    if not fresh:
        return ()
    most, admitted = services.settings.open_pipelines, []
    under_way = store.count_open(tx, fresh[0].project_id) - len(fresh)
    for pipeline in fresh:
        if under_way >= most:
            under_way -= _take_places(services, tx, pipeline)
        if under_way >= most:
            reason = f"{_crowded(pipeline.project, most)} Retry it when some of them have."
            admitted.append(_cancel(services, tx, pipeline, reason))
        else:
            admitted.append(pipeline)
            under_way += 1
    return tuple(admitted)


def refuse_one_more(services: Services, tx: sa.Connection, project_id: int, project: str) -> None:
    """For a pipeline that a person asks for. Raises Conflict."""
    most = services.settings.open_pipelines
    if store.count_open(tx, project_id) >= most:
        raise Conflict(_crowded(project, most), "Cancel some of them, or wait: `cabestan pipeline list` shows them.")


def _crowded(project: str, most: int) -> str:
    return f"{project} has {most} pipelines that have not ended, and may have no more (open_pipelines)."


def _take_places(services: Services, tx: sa.Connection, fresh: Pipeline) -> int:
    """How many gave way."""
    older = (
        pipeline for pipeline in store.open_of_branch(tx, fresh.project_id, fresh.branch) if pipeline.id < fresh.id
    )
    redundant = [pipeline for pipeline in older if _waits(tx, pipeline)]
    for pipeline in redundant:
        _cancel(services, tx, pipeline, f"Pipeline {fresh.id}, of a newer push to {fresh.branch}, {TOOK_ITS_PLACE}")
    return len(redundant)


def _waits(tx: sa.Connection, pipeline: Pipeline) -> bool:
    """Whether no container of its jobs has been started."""
    return all(job.spec.kind.in_process or job.started_at is None for job in store.jobs_of(tx, pipeline.id))


def _cancel(services: Services, tx: sa.Connection, pipeline: Pipeline, reason: str) -> Pipeline:
    """Nothing of it runs, so that there is nothing to stop."""
    now = services.now()
    ended = {"cancel": True, "reason": reason, "finished_at": now}
    for job in store.jobs_of(tx, pipeline.id):
        if job.status is RunStatus.CREATED:
            transition(tx, Subject.JOB, job.id, RunStatus.CANCELED, now, **ended)
        else:
            store.update_job(tx, job.id, cancel=True)
    transition(tx, Subject.PIPELINE, pipeline.id, RunStatus.CANCELED, now, **ended)
    return store.get(tx, pipeline.id)
