"""How far a pipeline has come, with the deployments that it leads to, as it stands in the database now."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from cabestan.domain.deployment import Deployment, StepRun
from cabestan.domain.pipeline import BuildJob, Job
from cabestan.domain.plain_text import plain_line
from cabestan.domain.progress import DeploymentProgress, JobProgress, Progress, StepProgress
from cabestan.domain.status import RunStatus
from cabestan.domain.why import Why, headline
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.services import Services
from cabestan.errors import NotFound
from cabestan.store import deployments as deployment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases as release_store

#: of the end of a log that is looked at, in bytes; lines of it that are told, and characters of each
_LOOKED_AT, _LINES, _WIDTH = 16 << 10, 12, 300


def progress_of(services: Services, pipeline_id: int) -> Progress:
    """Raises NotFound."""
    with services.database.reading() as tx:
        pipeline = pipeline_store.get(tx, pipeline_id)
        jobs = pipeline_store.jobs_of(tx, pipeline_id)
        release = release_store.of_pipeline(tx, pipeline_id)
        newer = release_store.newer(tx, pipeline) if release else None
        deployments = _newest(deployment_store.of_release(tx, release.id)) if release else ()
        steps = {each.id: deployment_store.steps_of(tx, each.id) for each in deployments}
    return Progress(
        id=pipeline.id,
        branch=pipeline.branch,
        commit=pipeline.commit,
        url=f"{services.settings.public_url}/{pipeline.project}/pipelines/{pipeline.id}",
        status=pipeline.status,
        reason=pipeline.reason,
        notes=pipeline.notes,
        jobs=tuple(_job(services, job) for job in jobs),
        release=release.number if release else None,
        newer_release=newer.number if newer else None,
        deployments=tuple(_deployment(each, steps[each.id]) for each in deployments),
    )


def _newest(deployments: Iterable[Deployment]) -> tuple[Deployment, ...]:
    """Of each environment, in the order in which they were made."""
    return tuple(sorted({each.environment_id: each for each in deployments}.values(), key=lambda each: each.id))


def _job(services: Services, job: Job) -> JobProgress:
    return JobProgress(
        id=job.id,
        name=job.name,
        status=job.status,
        reason=headline(job.reason),
        attempt=job.attempt,
        seconds=_seconds(job.started_at, job.finished_at),
        image=job.spec.build.reference if isinstance(job.spec, BuildJob) and job.digest else "",
        last_lines=_last_lines(services, job) if job.status is RunStatus.FAILED else (),
    )


def _last_lines(services: Services, job: Job) -> tuple[str, ...]:
    """Those of its reason, else what it said last; the reason, which its log ends with, is told anyway."""
    if said := Why.of(job.reason).lines:
        return tuple(_telling(said, headline(job.reason))[-_LINES:])
    reader, text = services.logs.reader(log_id(job.id)), ""
    with suppress(NotFound), reader:
        size = reader.size()
        start = max(0, size - _LOOKED_AT)
        text = reader.read(start, _LOOKED_AT).decode(errors="replace")
        text = text.partition("\n")[2] if start else text
    return tuple(_telling(text.split("\n"), job.reason)[-_LINES:])


def _telling(written: Iterable[str], reason: str) -> list[str]:
    """Without rules that part lines, and at the end without what the reason says."""
    lines = [shown for line in written if (shown := plain_line(line, _WIDTH)).strip("-=_* ")]
    said = [plain_line(line, _WIDTH) for line in reason.split("\n")]
    while lines and any(f": {each}".endswith(f": {lines[-1]}") for each in said):
        lines.pop()
    return lines


def _deployment(deployment: Deployment, steps: Iterable[StepRun]) -> DeploymentProgress:
    return DeploymentProgress(
        id=deployment.id,
        environment=deployment.environment,
        status=deployment.status,
        reason=headline(deployment.reason),
        url=deployment.url,
        steps=tuple(StepProgress(s.text, s.status, _seconds(s.started_at, s.finished_at)) for s in steps),
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
