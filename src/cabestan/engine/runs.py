"""A job as it is run on the Swarm: its environment, its token, what its log must not show."""

import threading
from contextlib import suppress

from cabestan.adapters.job_containers import TOKEN_FILE, JobRun
from cabestan.domain.pipeline import Job
from cabestan.domain.redaction import Redactor
from cabestan.engine.secrets import all_values
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import pipelines as store


def run_of(services: Services, job: Job, attempt: int) -> JobRun:
    """What one attempt at the job runs as."""
    with services.database.reading() as tx:
        project = store.get(tx, job.pipeline_id).project
    environment = {
        **dict(job.spec.environment),
        "CI": "true",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_PIPELINE_ID": str(job.pipeline_id),
        "CI_REPOSITORY_URL": f"{services.settings.internal_url}/{project}.git",
        "TOKEN_FILE": TOKEN_FILE,
    }
    return JobRun(services.settings.instance, job, attempt, environment)


def token_of(services: Services, job_id: int, attempt: int) -> str:
    """The token of one attempt alone: made from the key, so that a restarted server knows it too."""
    return services.vault.derive(f"job {job_id} attempt {attempt}")


def redactor_of(services: Services, job: Job, attempt: int) -> Redactor:
    """Masks the job's token and every secret that the project has or had."""
    with services.database.reading() as tx:
        values = all_values(tx, services.vault, job.project_id)
    return Redactor((token_of(services, job.id, attempt), *values))


def log_id(job_id: int) -> str:
    return f"job-{job_id}"


def stop_soon(services: Services, job: Job) -> None:
    """Stops its container in the background; where that fails, the job's own workflow tries again."""

    def stop() -> None:
        with suppress(CabestanError):
            services.jobs.stop(run_of(services, job, job.attempt))

    threading.Thread(target=stop, name=f"stop-job-{job.id}", daemon=True).start()
