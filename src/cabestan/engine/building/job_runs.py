"""An attempt at a job: what it is called, its token, its log and what that must not show."""

from cabestan.adapters.job_containers import JobRun
from cabestan.domain.pipeline import Job
from cabestan.domain.redaction import Redactor
from cabestan.engine.running import finishing
from cabestan.engine.services import Services
from cabestan.engine.variables.secrets import all_values
from cabestan.store import projects as project_store


def run_of(services: Services, job: Job, attempt: int) -> JobRun:
    """One attempt at the job, as its objects on the engine are named."""
    return JobRun(services.settings.instance, job, attempt)


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
    """In the background; where that fails, the job's own workflow tries again."""
    finishing.stop_soon(services.jobs, run_of(services, job, job.attempt))
