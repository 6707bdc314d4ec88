"""What people wish to have deleted: accepted where the name was typed, and done by the workflow."""

from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from cabestan.domain.deletion import Deletion, DeletionKind, check_confirmed
from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine.building import pipelines
from cabestan.engine.deploying import environments
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.errors import Conflict, NotFound
from cabestan.store import deletions as store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import outbox
from cabestan.store import pipelines as pipeline_store
from cabestan.store import runs as run_store
from cabestan.store import schedules as schedule_store
from cabestan.store.transitions import transition

_WORKFLOW = "deletion"


def delete_environment(
    services: Services, environment: Environment, by: str, confirm: str, *, saving: bool = True
) -> Deletion:
    """What waits there ends, what runs is waited for. Raises Invalid where another name was typed."""
    check_confirmed(confirm, environment.name, "environment")
    with services.database.writing() as tx:
        deletion = store.begin(
            tx,
            DeletionKind.ENVIRONMENT,
            project_id=environment.project_id,
            project=environment.project,
            environment_id=environment.id,
            environment=environment.name,
            by=by,
            saving=saving,
            now=services.now(),
        )
        _end_what_waits(services, tx, environment, by)
        outbox.tell(tx, environment.project_id, services.now())
    _stop_runs(services, environment)
    start(services, deletion)
    return deletion


def delete_project(services: Services, project: Project, by: str, confirm: str, *, saving: bool = True) -> Deletion:
    """With all its environments; its pipelines are canceled."""
    check_confirmed(confirm, project.name, "project")
    with services.database.writing() as tx:
        deletion = store.begin(
            tx,
            DeletionKind.PROJECT,
            project_id=project.id,
            project=project.name,
            by=by,
            saving=saving,
            now=services.now(),
        )
        found = environment_store.of_project(tx, project.id)
        for environment in found:
            _end_what_waits(services, tx, environment, by)
        outbox.tell(tx, project.id, services.now())
    for environment in found:
        _stop_runs(services, environment)
    cancel_pipelines(services, project.id)
    start(services, deletion)
    return deletion


def delete_volume(
    services: Services, environment: Environment, volume: str, by: str, confirm: str, *, saving: bool = True
) -> Deletion:
    """One that nothing has which is deployed there. Raises NotFound, Conflict, Invalid."""
    there = services.cluster_of(environment).volumes.of_stack(environment.stack_name(services.settings.instance))
    if volume not in there.values():
        raise NotFound(
            f"{environment.name} of {environment.project} has no volume {volume}.",
            f"`cabestan volume list -p {environment.project} -e {environment.name}` shows which it has.",
        )
    check_confirmed(confirm, volume, "volume")
    with services.database.writing() as tx:
        if volume in environments.deployed_volumes(tx, environment):
            raise Conflict(
                f"What serves on {environment.name}, or is being deployed, has the volume {volume}.",
                "Take it out of the Compose file and deploy that, then delete it.",
            )
        deletion = store.begin(
            tx,
            DeletionKind.VOLUME,
            project_id=environment.project_id,
            project=environment.project,
            environment_id=environment.id,
            environment=environment.name,
            volume=volume,
            by=by,
            saving=saving,
            now=services.now(),
        )
        outbox.tell(tx, environment.project_id, services.now())
    start(services, deletion)
    return deletion


@dataclass(frozen=True)
class PlacedVolume:
    """`volume` is what the Compose file calls it, `name` what Docker does; `used`: what is deployed has it."""

    name: str
    volume: str
    environment: str
    used: bool


def volumes_of(services: Services, environment: Environment) -> tuple[PlacedVolume, ...]:
    """Of the application; those of databases are theirs."""
    there = services.cluster_of(environment).volumes.of_stack(environment.stack_name(services.settings.instance))
    with services.database.reading() as tx:
        used = environments.deployed_volumes(tx, environment)
    return tuple(PlacedVolume(name, called, environment.name, called in used) for name, called in there.items())


def start(services: Services, deletion: Deletion) -> None:
    """Once, however often it is called."""
    services.durable.start(_WORKFLOW, f"{_WORKFLOW}-{deletion.id}", deletion.id)


def waits_for(tx: sa.Connection, deletion: Deletion) -> tuple[str, ...]:
    """What is under way and must end first, in words: `deployment 40`."""
    every = deployment_store.all_open(tx)
    here = [d for d in every if d.project_id == deletion.project_id]
    if deletion.environment_id:
        here = [d for d in here if d.environment_id == deletion.environment_id]
    return tuple(f"deployment {d.id}" for d in here if d.status is DeploymentStatus.RUNNING)


def cancel_pipelines(services: Services, project_id: int) -> tuple[int, ...]:
    """Gives the ids of those that have not ended yet."""
    with services.database.reading() as tx:
        every = [pipeline_store.get(tx, key) for key in pipeline_store.open_ids(tx)]
    for pipeline in (one for one in every if one.project_id == project_id):
        try:
            pipelines.cancel(services, pipeline.id)
        except Conflict:  # it has ended meanwhile
            continue
    with services.database.reading() as tx:
        left = [pipeline_store.get(tx, key) for key in pipeline_store.open_ids(tx)]
    return tuple(pipeline.id for pipeline in left if pipeline.project_id == project_id)


def _end_what_waits(services: Services, tx: sa.Connection, environment: Environment, by: str) -> None:
    """Deployments that wait or are queued, and runs that have not begun; nothing more is due."""
    now, reason = services.now(), f"{environment.name} is being deleted by {by}."
    end = partial(transition, tx, now=now, reason=reason, finished_at=now)
    for deployment in deployment_store.open_in(tx, environment.id):
        if deployment.status is not DeploymentStatus.RUNNING:
            end(Subject.DEPLOYMENT, deployment.id, DeploymentStatus.CANCELED)
    for schedule in schedule_store.of_environment(tx, environment.id):
        schedule_store.update(tx, schedule.id, next_due=None)
    for run in run_store.open_in(tx, environment.id):
        if run.status is RunStatus.CREATED and run.schedule_id is not None:
            end(Subject.RUN, run.id, RunStatus.CANCELED)
        else:
            run_store.update(tx, run.id, cancel=reason)


def _stop_runs(services: Services, environment: Environment) -> None:
    """Of schedules; what a deployment runs once ends with it."""
    with services.database.reading() as tx:
        going = [run for run in run_store.open_in(tx, environment.id) if run.schedule_id is not None]
    for run in going:
        service_runs.stop_soon(services, run)
