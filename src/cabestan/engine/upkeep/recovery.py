"""Finds what was accepted and not begun, and goes on with it: at every start, and when a full disk has room again."""

import structlog

from cabestan.domain.backup import Operation
from cabestan.domain.deployment import Deployment
from cabestan.domain.pipeline import Job
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake, jobs, pipelines
from cabestan.engine.building.job_runs import run_of
from cabestan.engine.deleting import workflow as deleting
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying import workflow as deploying
from cabestan.engine.lost import LOST, take_up
from cabestan.engine.managed import operations, wishes
from cabestan.engine.names import certificates
from cabestan.engine.running import cron_runs, service_runs
from cabestan.engine.services import Services
from cabestan.engine.upkeep import platform
from cabestan.errors import CabestanError
from cabestan.store import backups as backup_store
from cabestan.store import deployments as deployment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import users as user_store

_RETRY = f"{LOST} Retry it."
_log = structlog.get_logger(__name__)


def begin(services: Services) -> None:
    """At the start of the server; again where it met a full disk."""
    services.durable.launch()
    reconcile(services)


def reconcile(services: Services) -> None:
    """Called after the workflows were taken up again. Every part may be done any number of times.

    Runs of schedules are the clock's: there may be a thousand of them, and nobody shall wait for the server meanwhile.
    """
    _end_lost_jobs(services)
    _begin_accepted(services)
    for tidy in (remove_left_over_jobs, service_runs.remove_left_over, rejoin_router, certificates.renew):
        try:
            tidy(services)
        except CabestanError as error:
            _log.warning("tidying up has to wait", what=tidy.__name__, error=str(error))


def begin_accepted(services: Services) -> None:
    """Begins what was accepted while it could not be begun. May be done at any time, any number of times."""
    _begin_accepted(services)
    cron_runs.reconcile(services)


def _begin_accepted(services: Services) -> None:
    """First what people wait for: there may be thousands of pipelines."""
    _take_up_deployments(services)
    _take_up_operations(services)
    deleting.take_up_open(services)
    for environment_id in {deployment.environment_id for deployment in _open_deployments(services)}:
        deployments.give_turn(services, environment_id)
    _find_pushes(services)
    with services.database.reading() as tx:
        open_pipelines = pipeline_store.open_ids(tx)
    for pipeline_id in open_pipelines:
        pipelines.begin(services, pipeline_id)
        pipelines.advance(services, pipeline_id)
    with services.database.writing() as tx:
        user_store.drop_expired_tokens(tx, services.now())


def _find_pushes(services: Services) -> None:
    """Pushes that reached the repositories while nobody could take note."""
    with services.database.reading() as tx:
        projects = project_store.all_projects(tx)
    for project in projects:
        intake.take_pushes(services, project, by="")


def _take_up_deployments(services: Services) -> None:
    """Those that had taken their turn when the process ended: those that were started already are left alone."""
    take_up(
        services.durable,
        lambda: _open_deployments(services, DeploymentStatus.RUNNING),
        lambda deployment: f"deployment-{deployment.id}",
        lambda deployment: deploying.fail(services, deployment.id, _RETRY),
        lambda deployment: deployments.start_steps(services, deployment.id),
    )


def _open_deployments(services: Services, *status: DeploymentStatus) -> tuple[Deployment, ...]:
    with services.database.reading() as tx:
        return tuple(d for d in deployment_store.all_open(tx) if not status or d.status in status)


def _end_lost_jobs(services: Services) -> None:
    def running() -> tuple[Job, ...]:
        with services.database.reading() as tx:
            return tuple(pipeline_store.get_job(tx, key) for key in pipeline_store.running_job_ids(tx))

    take_up(
        services.durable,
        running,
        lambda job: f"job-{job.id}",
        lambda job: jobs.fail(services, job.id, job.attempt, _RETRY),
    )


def _take_up_operations(services: Services) -> None:
    def accepted() -> tuple[Operation, ...]:
        with services.database.reading() as tx:
            return backup_store.open_operations(tx)

    take_up(
        services.durable,
        accepted,
        lambda operation: f"database-{operation.id}",
        lambda operation: operations.fail(services, operation.id, _RETRY),
        lambda operation: wishes.start(services, operation),
    )


def remove_left_over_jobs(services: Services) -> None:
    """Services, containers and secrets of jobs that do not run (any more)."""
    for job_id, attempt in services.jobs.left_over():
        with services.database.reading() as tx:
            running = job_id in pipeline_store.running_job_ids(tx)
            job = pipeline_store.find_job(tx, job_id)
        if job and not (running and job.attempt == attempt):
            services.jobs.remove(run_of(services, job, attempt))


def rejoin_router(services: Services) -> None:
    for cluster in services.clusters.values():
        platform.rejoin_router(services.settings, services.database, cluster)
