"""A job as it is run on the Swarm: its environment, its token, what its log must not show."""

import os
import threading
from contextlib import suppress

from cabestan.adapters.builders import RUN_FOLDER
from cabestan.adapters.images.builder import proxies
from cabestan.adapters.job_containers import TOKEN_FILE, JobRun
from cabestan.domain import docker_names
from cabestan.domain.pipeline import Job, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.redaction import Redactor
from cabestan.engine.services import Services
from cabestan.engine.variables import levels, predefined
from cabestan.engine.variables.secrets import all_values
from cabestan.errors import CabestanError
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store


def run_of(services: Services, job: Job, attempt: int) -> JobRun:
    """What one attempt at the job runs as."""
    with services.database.reading() as tx:
        pipeline = store.get(tx, job.pipeline_id)
        project = project_store.by_id(tx, job.project_id)
        given = levels.job_variables(tx, project, pipeline, job)
    environment = {
        **given,
        **dict(job.spec.environment),
        **predefined.of_job(services.settings, project, pipeline, job),
        "TOKEN_FILE": TOKEN_FILE,
    }
    instance = services.settings.instance
    if not job.spec.builder:
        return JobRun(instance, job, attempt, environment)
    environment |= _of_build(services, project, pipeline, attempt)
    return JobRun(instance, job, attempt, environment, {docker_names.builder_socket(instance, project.id): RUN_FOLDER})


def _of_build(services: Services, project: Project, pipeline: Pipeline, attempt: int) -> dict[str, str]:
    """What the build script asks for. What `RUN --mount=type=cache` keeps is not shared between branches that anybody
    pushes to and protected ones.
    """
    proxied = proxies(os.environ)
    return {
        **proxied,
        "PROXY_ARGUMENTS": " ".join(proxied),
        "SERVER": services.settings.internal_url,
        "ATTEMPT": str(attempt),
        "CACHE": "protected" if project.protects(pipeline.branch) else "others",
    }


def token_of(services: Services, job_id: int, attempt: int) -> str:
    """The token of one attempt alone: made from the key, so that a restarted server knows it too."""
    return services.vault.derive(f"job {job_id} attempt {attempt}")


def redactor_of(services: Services, job: Job, attempt: int) -> Redactor:
    """Masks the job's token, and every secret and masked variable of the project or its group.

    Former values too.
    """
    with services.database.reading() as tx:
        values = all_values(tx, services.vault, project_store.by_id(tx, job.project_id))
    return Redactor((token_of(services, job.id, attempt), *values))


def log_id(job_id: int) -> str:
    return f"job-{job_id}"


def workflow_id(job: Job) -> str:
    """What a pipeline begins of it, as it stands."""
    return f"job-{job.id}-{job.attempt}"


def stop_soon(services: Services, job: Job) -> None:
    """Stops its container in the background; where that fails, the job's own workflow tries again."""

    def stop() -> None:
        with suppress(CabestanError):
            services.jobs.stop(run_of(services, job, job.attempt))

    threading.Thread(target=stop, name=f"stop-job-{job.id}", daemon=True).start()
