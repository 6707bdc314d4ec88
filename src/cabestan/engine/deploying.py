"""The workflow of a deployment: the steps of its plan, and the way back when one fails."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog

from cabestan.adapters.tasks import Failure, StackState
from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Deployment, Plan, Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.redaction import Redactor
from cabestan.domain.schedule import Schedule
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine import certificates, cron, deployments, secrets, service_runs, space
from cabestan.engine.guard import guarded
from cabestan.engine.managed import instances, use
from cabestan.engine.planning import network_of
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, DeadlineExceeded, StepFailed, StorageFull
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store
from cabestan.store import projects as project_store
from cabestan.store import runs as run_store
from cabestan.store.fullness import is_full

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 0.2
_PROBE_AGAIN_SECONDS = 0.2
#: task times are the engine's clock's, which may be behind ours
_CLOCK_SKEW = timedelta(seconds=2)
_CANCELED = "Canceled."


def register(services: Services) -> None:
    work = guarded(services, partial(run, services), partial(fail, services))
    services.durable.register("deployment", lambda deployment_id: work(deployment_id))


def run(services: Services, deployment_id: int) -> None:
    """One at a time per environment; whatever happens, it ends in a clear state and the next one gets its turn."""
    step = services.durable.step
    if step("deployment.begin", lambda: _begin(services, deployment_id)):
        failure, touched = "", False
        for position, planned in enumerate(_plan(services, deployment_id).steps):
            failure = step(f"deployment.{planned.kind}", partial(_do, services, deployment_id, planned, position))
            touched = touched or _touches(services, deployment_id, planned)
            if failure:
                break
        undone = touched and failure and step("deployment.put-back", lambda: _put_back(services, deployment_id))
        step("deployment.record", lambda: _record(services, deployment_id, failure, undone or ""))
    step("deployment.go-on", lambda: _go_on(services, deployment_id))


def fail(services: Services, deployment_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw; the next one gets its turn."""
    with services.database.writing() as tx:
        deployment = store.get(tx, deployment_id)
        if not deployment.status.ended:
            ended = {"status": DeploymentStatus.FAILED, "reason": reason, "finished_at": services.now()}
            store.update(tx, deployment_id, **ended)
    _end_runs(services, deployment_id, reason)
    deployments.publish(services, deployment)
    deployments.go_on(services, deployment.environment_id)


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


def _touches(services: Services, deployment_id: int, planned: Step) -> bool:
    """Whether there is something to put back, or to take away, after this step.

    What runs once leaves the services as they are; but the first deployment made their network for it. A managed
    service leaves them too, unless it took the name of one of them.
    """
    if planned.kind not in (StepKind.RUN, StepKind.MANAGED):
        return planned.kind is not StepKind.PULL
    with services.database.reading() as tx:
        previous = store.get(tx, deployment_id).previous_id
        former = store.plan_of(tx, previous) if previous is not None else None
    if planned.kind is StepKind.RUN:
        return previous is None
    return bool(former and not frozenset(former.services).isdisjoint(planned.subjects))


def _do(services: Services, deployment_id: int, planned: Step, position: int) -> str:
    """Does one step, on record; empty, or why it failed."""
    deployment, environment, plan = _load(services, deployment_id)
    if _cancel_asked(services, deployment_id):
        return _CANCELED
    work = {
        StepKind.PULL: lambda: _pull(services, deployment, planned),
        StepKind.START: lambda: _start_first(services, deployment, environment, plan, planned),
        StepKind.RUN: lambda: _run_once(services, deployment, environment, planned),
        StepKind.MANAGED: lambda: _start_managed(services, deployment, environment, planned, position),
        StepKind.APPLY: lambda: _apply(services, environment, plan, planned.deadline_seconds),
        StepKind.WATCH: lambda: _watch(services, deployment, environment, planned.deadline_seconds),
        StepKind.ROUTES: lambda: _check_routes(services, deployment, plan, planned.deadline_seconds),
    }[planned.kind]
    return _on_record(services, deployment, planned.kind, position, planned.text, work)


def _on_record(
    services: Services, deployment: Deployment, kind: StepKind, position: int, text: str, work: Callable[[], str]
) -> str:
    """Empty, or why it failed. What meets a full disk is no failure: it goes on when there is room."""
    with services.database.writing() as tx:
        store.set_step(tx, deployment.id, kind, position, text, "running", services.now())
    deployments.publish(services, deployment)
    failure = detail = ""
    try:
        detail = work()
    except StorageFull:
        raise
    except CabestanError as error:
        failure = str(error)
    except Exception as error:  # whatever it is, the deployment has to end, and the previous release to serve
        if services.durable.closing or is_full(error):
            raise
        _log.exception("a step of a deployment failed unexpectedly", deployment=deployment.id, step=kind)
        failure = f"Something unexpected went wrong: {type(error).__name__}: {error}. The server's log tells more."
    with services.database.writing() as tx:
        status = "failed" if failure else "succeeded"
        store.end_step(tx, deployment.id, position, status, failure or detail, services.now())
    deployments.publish(services, deployment)
    return failure


def _pull(services: Services, deployment: Deployment, planned: Step) -> str:
    space.check(services.settings)
    _check_router(services)
    deadline = time.monotonic() + planned.deadline_seconds
    pulled = 0
    for image in planned.subjects:
        if _cancel_asked(services, deployment.id):
            raise StepFailed(_CANCELED)
        left = deadline - time.monotonic()
        pull = partial(services.stacks.pull, image, left)
        pulled += services.engine.patiently(services.settings.engine_seconds, pull)
    return f"{pulled} pulled, {len(planned.subjects) - pulled} already here"


def _check_router(services: Services) -> None:
    """Before anything is touched: without it no route would answer."""
    name = services.router_name
    if not services.engine.patiently(services.settings.engine_seconds, lambda: services.platform.running(name)):
        raise StepFailed(f"The router {name} does not run.", "`cabestan up` starts it; then deploy again.")


def _start_managed(
    services: Services, deployment: Deployment, environment: Environment, planned: Step, position: int
) -> str:
    def tell(detail: str) -> None:
        with services.database.writing() as tx:
            store.note_step(tx, deployment.id, position, detail)
        deployments.publish(services, deployment)

    stopped = lambda: _cancel_asked(services, deployment.id)  # noqa: E731
    return instances.start(services, environment, planned.subjects, planned.deadline_seconds, tell, stopped)


def _start_first(
    services: Services, deployment: Deployment, environment: Environment, plan: Plan, planned: Step
) -> str:
    """Services that nothing runs yet and that something which runs once needs; the others stay as they are."""
    _apply(services, environment, plan, services.settings.apply_seconds, first=planned.subjects)
    since = _engine_time(deployment.started_at or services.now())
    stopped = lambda: _cancel_asked(services, deployment.id)  # noqa: E731
    now_healthy = environment.evolve(watch_seconds=0)
    state = _watch_stack(services, now_healthy, since, planned.deadline_seconds, stopped, only=planned.subjects)
    return f"healthy: {state.progress}"


def _run_once(services: Services, deployment: Deployment, environment: Environment, planned: Step) -> str:
    """A migration: once in this deployment, whatever is killed meanwhile."""
    network = network_of(environment.stack_name(services.settings.instance))
    patience = services.settings.engine_seconds
    services.engine.patiently(patience, lambda: services.stacks.ensure_network(network, environment.id))
    (service,) = planned.subjects
    run = service_runs.one_shot(services, deployment.id, service)
    if run.status is RunStatus.SUCCEEDED:
        return f"run {run.id} succeeded"
    if run.status is RunStatus.CANCELED:
        raise StepFailed(_CANCELED)
    remedy = f"`cabestan deployment log {deployment.id} {service}` shows all that it said."
    raise StepFailed(f"{service} failed: {run.reason}", remedy)


def _apply(services: Services, environment: Environment, plan: Plan, seconds: int, first: tuple[str, ...] = ()) -> str:
    """The network, with the router in it, then the stack, or the services of it that come first.

    All of it may be done again.
    """
    stack = environment.stack_name(services.settings.instance)
    network = network_of(stack)
    with services.database.reading() as tx:
        used, files = secrets.used_by(tx, services.vault, stack, plan, use.passwords(services, tx, environment, plan))
    document = Stack.from_yaml(plan.stack).only(first).to_yaml() if first else plan.stack

    def apply() -> None:
        certificates.ensure(services, plan.hosts)
        services.stacks.ensure_network(network, environment.id)
        services.platform.join(services.router_name, network)
        instances.align(services, environment, plan)
        services.stacks.deploy(stack, document, used, seconds, files, prune=not first)

    services.engine.patiently(services.settings.engine_seconds, apply)
    return ""


def _watch(services: Services, deployment: Deployment, environment: Environment, seconds: int) -> str:
    """Until all tasks have been healthy for the watch time. Raises StepFailed with the words of the task."""
    since = _engine_time(deployment.started_at or services.now())
    stopped = lambda: _cancel_asked(services, deployment.id)  # noqa: E731
    state = _watch_stack(services, environment, since, seconds, stopped)
    return f"healthy for {environment.watch_seconds} s: {state.progress}"


def _watch_stack(
    services: Services,
    environment: Environment,
    since: str,
    seconds: float,
    stopped: Callable[[], bool],
    only: tuple[str, ...] = (),
) -> StackState:
    """`only` are the services that count, all where there are none."""
    stack = environment.stack_name(services.settings.instance)
    deadline = time.monotonic() + seconds
    healthy_since: float | None = None
    while True:
        state = services.engine.patiently(services.settings.engine_seconds, lambda: services.stacks.state(stack))
        state = state.only(only) if only else state
        now = time.monotonic()
        if failure := state.failure(since):
            raise StepFailed(_words(services, environment, failure))
        healthy_since = (healthy_since or now) if state.settled else None
        if healthy_since is not None and now - healthy_since >= environment.watch_seconds:
            return state
        if stopped():
            raise StepFailed(_CANCELED)
        if now > deadline:
            raise DeadlineExceeded(
                _unhealthy(state, seconds), "`docker service ps` tells more; healthy_seconds sets the time."
            )
        time.sleep(_LOOK_SECONDS)


def _words(services: Services, environment: Environment, failure: Failure) -> str:
    """Why a service does not come up, in the words of Swarm and of the container itself, without any secret."""
    own = services.stacks.last_words(failure.task) if failure.task else ""
    told = f"{failure.service}: {failure.words}" + (f"; {own}" if own else "")
    with services.database.reading() as tx:
        project = project_store.by_id(tx, environment.project_id)
        redactor = Redactor(secrets.all_values(tx, services.vault, project))
    return redactor.redact(told.encode()).decode(errors="replace")


def _unhealthy(state: StackState, seconds: float) -> str:
    words = next((task.error for service in state.services for task in service.tasks if task.error), "")
    said = f" The last task's words: {words}." if words else ""
    return f"Not healthy after {seconds:.0f} s: {state.progress}.{said}"


def _check_routes(services: Services, deployment: Deployment, plan: Plan, seconds: int) -> str:
    """Each route must answer through the router."""
    deadline = time.monotonic() + seconds
    for probe in plan.probes:
        while wrong := services.probe(probe):
            if _cancel_asked(services, deployment.id):
                raise StepFailed(_CANCELED)
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"Not routed after {seconds} s: {wrong}.", "Check traefik.port and what the service listens on."
                )
            time.sleep(_PROBE_AGAIN_SECONDS)
    return f"{len(plan.probes)} answered"


def _put_back(services: Services, deployment_id: int) -> str:
    """The whole previous release again, as it was; where there was none, nothing is left of this one.

    Gives `put back`, `removed`, or why neither went well.
    """
    deployment, environment, plan = _load(services, deployment_id)
    if deployment.previous_id is None:
        text, done = "Remove what was begun: nothing ran here before", "removed"
        failure = _on_record(
            services, deployment, StepKind.PUT_BACK, len(plan.steps), text, lambda: _remove(services, environment)
        )
        return failure or done
    previous, _, earlier = _load(services, deployment.previous_id)
    text = f"Put release {previous.release} back"

    def again() -> str:
        since = _engine_time(services.now())
        _apply(services, environment, earlier, services.settings.apply_seconds)
        state = _watch_stack(services, environment, since, services.settings.healthy_seconds, lambda: False)
        return f"release {previous.release} serves again: {state.progress}"

    failure = _on_record(services, deployment, StepKind.PUT_BACK, len(plan.steps), text, again)
    return failure or "put back"


def _remove(services: Services, environment: Environment) -> str:
    stack = environment.stack_name(services.settings.instance)
    network = network_of(stack)
    with services.database.reading() as tx:
        databases = managed_store.in_environment(tx, environment.id)

    def remove() -> None:
        services.platform.leave(services.router_name, network)
        services.stacks.remove(stack, None if databases else network)

    services.engine.patiently(services.settings.engine_seconds, remove)
    return "removed, but for its volumes"


def _record(services: Services, deployment_id: int, failure: str, undone: str) -> None:
    _end_runs(services, deployment_id, failure)
    gone: tuple[Schedule, ...] = ()
    with services.database.writing() as tx:
        deployment = store.get(tx, deployment_id)
        status, reason = outcome(failure, undone)
        store.update(tx, deployment_id, status=status, reason=reason, finished_at=services.now())
        if status is DeploymentStatus.SUCCEEDED:
            environment_store.update(tx, deployment.environment_id, current_deployment_id=deployment_id)
            environment = environment_store.by_id(tx, deployment.environment_id)
            gone = cron.follow_release(services, tx, environment, deployment_id, _plan_in(tx, deployment_id))
            managed_store.note_use(tx, deployment.environment_id, use.kinds_of(store.plan_of(tx, deployment_id)))
        deployments.refresh_waiting(services, tx, deployment.project_id)
    cron.followed(services, gone)
    deployments.publish(services, deployment)


def outcome(failure: str, undone: str) -> tuple[DeploymentStatus, str]:
    """What the end of the steps means. `undone` is what `_put_back` gave; empty where nothing had been touched."""
    if not failure:
        return DeploymentStatus.SUCCEEDED, ""
    if undone == "put back" and failure != _CANCELED:
        return DeploymentStatus.ROLLED_BACK, failure
    if undone in ("", "put back", "removed"):
        return (DeploymentStatus.CANCELED if failure == _CANCELED else DeploymentStatus.FAILED), failure
    return DeploymentStatus.FAILED, f"{failure.removesuffix('.')}. The way back failed too: {undone}"


def _go_on(services: Services, deployment_id: int) -> None:
    with services.database.reading() as tx:
        environment_id = store.get(tx, deployment_id).environment_id
    deployments.go_on(services, environment_id)


def _load(services: Services, deployment_id: int) -> tuple[Deployment, Environment, Plan]:
    with services.database.reading() as tx:
        deployment = store.get(tx, deployment_id)
        environment = environment_store.by_id(tx, deployment.environment_id)
    return deployment, environment, _plan(services, deployment_id)


def _plan(services: Services, deployment_id: int) -> Plan:
    with services.database.reading() as tx:
        return _plan_in(tx, deployment_id)


def _plan_in(tx: sa.Connection, deployment_id: int) -> Plan:
    plan = store.plan_of(tx, deployment_id)
    if not plan:
        raise StepFailed(f"Deployment {deployment_id} has no plan.", "Deploy the release again.")
    return plan


def _cancel_asked(services: Services, deployment_id: int) -> bool:
    with services.database.reading() as tx:
        return store.cancel_asked(tx, deployment_id)


def _engine_time(moment: datetime) -> str:
    """As the engine writes times, so that the two compare as text."""
    return (moment - _CLOCK_SKEW).strftime("%Y-%m-%dT%H:%M:%S.%f")
