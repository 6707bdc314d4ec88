"""Finds what was accepted and not begun, and goes on with it: at every start, and when a full disk has room again."""

import structlog

from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake, jobs, pipelines
from cabestan.engine.building.job_runs import run_of
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying import workflow as deploying
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

_LOST = "Its work was lost in a restart. Retry it."
_log = structlog.get_logger(__name__)


def begin(services: Services) -> None:
    """At the start of the server; again where it met a full disk."""
    services.durable.launch()
    reconcile(services)


def reconcile(services: Services) -> None:
    """Called after the workflows were taken up again. Every part may be done any number of times.

    Runs of schedules are the clock's: there may be a thousand of them, and nobody shall wait for the server meanwhile.
    """
    _end_what_is_stuck(services)
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
    _start_what_took_its_turn(services)
    _begin_operations(services)
    with services.database.reading() as tx:
        waiting = {deployment.environment_id for deployment in deployment_store.all_open(tx)}
    for environment_id in waiting:
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


def _start_what_took_its_turn(services: Services) -> tuple[int, ...]:
    """Deployments that had taken their turn when the process ended: those that were started already are left alone.

    Gives the ids of all that have their turn.
    """
    running = _running_deployments(services)
    for key in running:
        deployments.start_steps(services, key)
    return running


def _running_deployments(services: Services) -> tuple[int, ...]:
    with services.database.reading() as tx:
        return tuple(d.id for d in deployment_store.all_open(tx) if d.status is DeploymentStatus.RUNNING)


def _end_what_is_stuck(services: Services) -> None:
    """What counts as running although no workflow is at it any more: nothing would ever end it.

    Looked at twice: a workflow that ended in between has written its end. Deployments take their turn meanwhile, in
    workflows that were taken up again, a moment before they are started: here they are started first.
    """
    with services.database.reading() as tx:
        running_jobs = pipeline_store.running_job_ids(tx)
    running = _start_what_took_its_turn(services)
    alive = services.durable.alive()
    lost = [key for key in running_jobs if not any(workflow.startswith(f"job-{key}-") for workflow in alive)]
    with services.database.reading() as tx:
        stuck_jobs = [pipeline_store.get_job(tx, key) for key in lost if key in pipeline_store.running_job_ids(tx)]
    for job in stuck_jobs:
        jobs.fail(services, job.id, job.attempt, _LOST)
    still = _running_deployments(services)
    for key in running:
        if key in still and f"deployment-{key}" not in alive:
            deploying.fail(services, key, _LOST)


def _begin_operations(services: Services) -> None:
    """Operations that were accepted and not begun; those whose workflow ended without a word end too."""
    with services.database.reading() as tx:
        accepted = backup_store.open_operations(tx)
    for operation in accepted:
        wishes.start(services, operation)
    alive = services.durable.alive()
    with services.database.reading() as tx:
        still = {operation.id for operation in backup_store.open_operations(tx)}
    for operation in accepted:
        if operation.id in still and f"database-{operation.id}" not in alive:
            operations.fail(services, operation.id, _LOST)


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
