"""The workflow of a deployment: the steps of its plan, and the way back when one fails."""

from functools import partial

from cabestan.domain.action import ActionKind
from cabestan.domain.environment import Trigger
from cabestan.domain.outbox import Subject
from cabestan.domain.schedule import Schedule
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying.record import plan_in, plan_of
from cabestan.engine.deploying.steps import do
from cabestan.engine.deploying.way_back import outcome, put_back, touches
from cabestan.engine.guard import guarded
from cabestan.engine.managed import use
from cabestan.engine.running import cron, service_runs
from cabestan.engine.services import Services
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind
from cabestan.engine.variables import secrets
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store
from cabestan.store import projects as project_store
from cabestan.store import runs as run_store
from cabestan.store.transitions import transition


def register(services: Services) -> None:
    work = guarded(services, partial(run, services), partial(fail, services))
    services.durable.register("deployment", lambda deployment_id: work(deployment_id), partial(_turn, services))


def _turn(services: Services, deployment_id: int) -> Turn:
    """Those that a person brought about never wait for a place behind those that releases do: what was approved, takes
    another back, goes where nothing comes by itself, or is done to what is there.
    """
    with services.database.reading() as tx:
        deployment = store.get(tx, deployment_id)
        environment = environment_store.by_id(tx, deployment.environment_id)
    asked = deployment.approved_by or deployment.restores_id is not None or environment.trigger is Trigger.MANUAL
    asked = asked or deployment.kind is not ActionKind.DEPLOY
    return Turn(Kind.ASKED_DEPLOYMENT if asked else Kind.DEPLOYMENT, deployment.project_id, deployment_id)


def run(services: Services, deployment_id: int) -> None:
    """One at a time per environment; whatever happens, it ends in a clear state and the next one gets its turn."""
    step = services.durable.step
    if step("deployment.begin", lambda: _begin(services, deployment_id)):
        failure, begun = "", False
        for position, planned in enumerate(plan_of(services, deployment_id).steps):
            failure = step(f"deployment.{planned.kind}", partial(do, services, deployment_id, planned, position))
            begun = begun or touches(services, deployment_id, planned)
            if failure:
                break
        undone = begun and failure and step("deployment.put-back", lambda: put_back(services, deployment_id))
        step("deployment.record", lambda: _record(services, deployment_id, failure, undone or ""))
    step("deployment.go-on", lambda: _give_turn(services, deployment_id))


def fail(services: Services, deployment_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw; the next one gets its turn."""
    now = services.now()
    with services.database.writing() as tx:
        deployment = store.get(tx, deployment_id)
        project = project_store.by_id(tx, deployment.project_id)
        reason = secrets.redactor(tx, services.vault, project).text(reason)
        if not deployment.status.ended:
            ended = {"reason": reason, "finished_at": now}
            transition(tx, Subject.DEPLOYMENT, deployment_id, DeploymentStatus.FAILED, now, **ended)
    _end_runs(services, deployment_id, reason)
    deployments.give_turn(services, deployment.environment_id)


def _end_runs(services: Services, deployment_id: int, reason: str) -> None:
    """What the deployment began to run and nobody is at any more."""
    with services.database.reading() as tx:
        lost = [run for run in run_store.of_deployment(tx, deployment_id) if not run.status.ended]
    for run in lost:
        service_runs.end_lost(services, run, reason)


def _begin(services: Services, deployment_id: int) -> bool:
    """False where it was ended before its first step."""
    with services.database.reading() as tx:
        return store.get(tx, deployment_id).status is DeploymentStatus.RUNNING


def _record(services: Services, deployment_id: int, failure: str, undone: str) -> None:
    _end_runs(services, deployment_id, failure)
    gone: tuple[Schedule, ...] = ()
    with services.database.writing() as tx:
        deployment = store.get(tx, deployment_id)
        status, reason = outcome(failure, undone)
        now = services.now()
        transition(tx, Subject.DEPLOYMENT, deployment_id, status, now, reason=reason, finished_at=now)
        if status is DeploymentStatus.SUCCEEDED and deployment.kind is ActionKind.DEPLOY:
            environment_store.set_current(
                tx, environment_store.by_id(tx, deployment.environment_id), deployment_id, now
            )
            environment = environment_store.by_id(tx, deployment.environment_id)
            gone = cron.follow_release(services, tx, environment, deployment_id, plan_in(tx, deployment_id))
            managed_store.note_use(tx, deployment.environment_id, use.kinds_of(store.plan_of(tx, deployment_id)))
        deployments.refresh_waiting(services, tx, deployment.project_id)
    cron.followed(services, gone)


def _give_turn(services: Services, deployment_id: int) -> None:
    with services.database.reading() as tx:
        environment_id = store.get(tx, deployment_id).environment_id
    deployments.give_turn(services, environment_id)
