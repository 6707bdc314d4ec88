"""The steps of a plan. Each may be done again after a kill at any point."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from cabestan.adapters.tasks import StackState
from cabestan.compose.stack import Stack, StackNetwork, networks_in, routes_in
from cabestan.compose.volumes import filled_already, volumes_of
from cabestan.domain import docker_names
from cabestan.domain.action import ActionKind
from cabestan.domain.deployment import Deployment, Plan, Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.route import Probe
from cabestan.domain.status import RunStatus
from cabestan.domain.why import Why, shortened
from cabestan.engine import disk
from cabestan.engine.cluster import Cluster
from cabestan.engine.deploying import actions
from cabestan.engine.deploying.explaining import why_not_routed
from cabestan.engine.deploying.record import CANCELED, cancel_asked, load, on_record
from cabestan.engine.deploying.watching import engine_time, look, watch_stack
from cabestan.engine.managed import instances, use
from cabestan.engine.names import certificates
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import StepFailed
from cabestan.store import deployments as store
from cabestan.store import projects as project_store
from cabestan.store.transitions import touched

_PROBE_AGAIN_SECONDS = 0.2
_TELL_SECONDS = 3.0


@dataclass(frozen=True)
class Doing:
    """A step of a deployment that is being done; `position` is its place in the plan."""

    services: Services
    deployment: Deployment
    environment: Environment
    plan: Plan
    step: Step
    position: int

    @property
    def cluster(self) -> Cluster:
        return self.services.cluster_of(self.environment)

    @property
    def since(self) -> str:
        """When the deployment began, in the engine's form."""
        return engine_time(self.deployment.started_at or self.services.now())

    def canceled(self) -> bool:
        return cancel_asked(self.services, self.deployment.id)

    def tell(self, detail: str) -> None:
        """How far it is, for who looks."""
        with self.services.database.writing() as tx:
            project = project_store.by_id(tx, self.deployment.project_id)
            shown = shortened(secrets.redactor(tx, self.services.vault, project).text(detail))
            store.note_step(tx, self.deployment.id, self.position, shown)
            touched(tx, Subject.DEPLOYMENT, self.deployment.id, self.services.now())


def do(services: Services, deployment_id: int, planned: Step, position: int) -> str:
    """Does one step, on record; empty, or why it failed."""
    doing = Doing(services, *load(services, deployment_id), planned, position)
    if doing.canceled():
        return CANCELED
    work = partial(_HOW[planned.kind], doing)
    return on_record(services, doing.deployment, planned.kind, position, planned.text, work)


def _pull(doing: Doing) -> str:
    """First it is looked whether the router runs, before anything is touched: without it no route would answer."""
    disk.check(doing.services.settings)
    cluster, images = doing.cluster, doing.step.subjects
    if not cluster.patiently(lambda: cluster.platform.running(cluster.router)):
        raise StepFailed(f"The router {cluster.router} does not run.", "`cabestan up` starts it; then deploy again.")
    deadline = time.monotonic() + doing.step.deadline_seconds
    pulled = 0
    for image in images:
        if doing.canceled():
            raise StepFailed(CANCELED)
        pulled += cluster.patiently(partial(cluster.stacks.pull, image, deadline - time.monotonic()))
    return f"{pulled} pulled, {len(images) - pulled} already here"


def _start_managed(doing: Doing) -> str:
    step = doing.step
    given = doing.services, doing.environment, step.subjects, step.deadline_seconds
    return instances.start(*given, doing.tell, doing.canceled)


def _start_first(doing: Doing) -> str:
    """Services that nothing runs yet and that something which runs once needs; the others stay as they are."""
    services, step = doing.services, doing.step
    apply(services, doing.environment, doing.plan, services.settings.apply_seconds, first=step.subjects)
    now_healthy = doing.environment.evolve(watch_seconds=0)
    given = services, now_healthy, doing.since, step.deadline_seconds
    return f"healthy: {watch_stack(*given, doing.canceled, only=step.subjects, tell=doing.tell).progress}"


def _run_once(doing: Doing) -> str:
    """A migration: once in this deployment, whatever is killed meanwhile."""
    cluster, networks = doing.cluster, networks_in(doing.plan.stack)
    cluster.patiently(lambda: _ensure_networks(doing.services, doing.environment, networks))
    (service,) = doing.step.subjects
    run = service_runs.one_shot(doing.services, doing.deployment.id, service)
    if run.status is RunStatus.SUCCEEDED:
        return f"run {run.id} succeeded"
    if run.status is RunStatus.CANCELED:
        raise StepFailed(CANCELED)
    remedy = f"`cabestan deployment log {doing.deployment.id} {service}` shows all that it said."
    raise StepFailed(f"{service} failed: {run.reason}", remedy)


def _apply(doing: Doing) -> str:
    return apply(doing.services, doing.environment, doing.plan, doing.step.deadline_seconds)


def apply(services: Services, environment: Environment, plan: Plan, seconds: int, first: tuple[str, ...] = ()) -> str:
    """The networks, with the router in them, then the stack, or the services of it that come first.

    With what people have stopped and scaled, whatever it was when the plan was made. All of it may be done again.
    """
    stack, cluster = environment.stack_name(services.settings.instance), services.cluster_of(environment)
    with services.database.reading() as tx:
        used, files = secrets.used_by(tx, services.vault, stack, plan, use.passwords(services, tx, environment, plan))
    whole = Stack.from_yaml(plan.stack).keeping(environment.kept)
    volumes = volumes_of(whole)
    document = filled_already(whole.only(first) if first else whole).to_yaml()

    def hand_over() -> None:
        certificates.ensure(services, plan.hosts)
        for network in _ensure_networks(services, environment, whole.networks):
            cluster.platform.join(cluster.router, network)
        cluster.stacks.ensure_configs(stack, whole.files)
        instances.align(services, environment, plan)
        cluster.stacks.ensure_volumes(stack, volumes, seconds)
        cluster.stacks.deploy(stack, document, used, seconds, files, prune=not first)

    cluster.patiently(hand_over)
    return ""


def _ensure_networks(services: Services, environment: Environment, networks: Iterable[StackNetwork]) -> tuple[str, ...]:
    """The environment's own and these; gives the names of those that the router belongs in."""
    stacks = services.cluster_of(environment).stacks
    own = StackNetwork(docker_names.network(environment.stack_name(services.settings.instance)), False, True)
    wanted = (own, *networks)
    for network in wanted:
        stacks.ensure_network(network.name, environment.id, internal=network.internal)
    return tuple(network.name for network in wanted if network.routed)


def _watch(doing: Doing) -> str:
    """Until all tasks have been healthy for the watch time. Raises StepFailed with the words of the task."""
    environment = doing.environment
    given = doing.services, environment, doing.since, doing.step.deadline_seconds
    progress = watch_stack(*given, doing.canceled, _judged(doing), doing.tell).progress
    return f"healthy for {environment.watch_seconds} s: {progress}"


def _judged(doing: Doing) -> tuple[str, ...]:
    """The services whose failures count: all of a release, those that were meant of anything else."""
    if doing.deployment.kind is ActionKind.DEPLOY:
        return ()
    return next((step.subjects for step in doing.plan.steps if step.kind is StepKind.WATCH), ())


def _check_routes(doing: Doing) -> str:
    """Each route must answer through the router; what died after the watch time answers nobody, and is told as such."""
    seconds, cluster = doing.step.deadline_seconds, doing.cluster
    deadline, tell_at = time.monotonic() + seconds, time.monotonic() + _TELL_SECONDS
    for probe in doing.plan.probes:
        while wrong := cluster.probe(probe):
            if doing.canceled():
                raise StepFailed(CANCELED)
            state = look(doing.services, doing.environment, doing.since, _judged(doing))
            late = time.monotonic() > deadline
            if late or time.monotonic() > tell_at:
                why = _why_not_routed(doing, probe, wrong, state, seconds)
                if late:
                    raise StepFailed(why.headline, why.remedy, why.lines)
                doing.tell(f"{wrong}: {why.headline}" if why.lines else wrong)
                tell_at = time.monotonic() + _TELL_SECONDS
            time.sleep(_PROBE_AGAIN_SECONDS)
    return f"{len(doing.plan.probes)} answered"


def _why_not_routed(doing: Doing, probe: Probe, wrong: str, state: StackState, seconds: float) -> Why:
    """With what the container that the route leads to listens on."""
    stack = doing.environment.stack_name(doing.services.settings.instance)
    route = next((one for one in routes_in(doing.plan.stack) if one.mark(stack) in probe.marks), None)
    services = (service for service in state.services if route and service.name == route.service)
    task = next((task for service in services for task in service.tasks if task.live), None)
    listeners = doing.cluster.patiently(lambda: doing.cluster.stacks.listeners(task)) if task else None
    return why_not_routed(wrong, route, listeners, seconds)


def _restart(doing: Doing) -> str:
    """The mark of this deployment has Swarm replace the containers once, however often it is given."""
    cluster, stack = doing.cluster, doing.environment.stack_name(doing.services.settings.instance)
    for name in doing.step.subjects:
        cluster.patiently(partial(cluster.stacks.restart, stack, name, doing.deployment.id))
    return ""


def _scale(doing: Doing) -> str:
    """What is wanted is kept first: from then on each deployment keeps it."""
    numbers = actions.keep(doing.services, doing.deployment)
    cluster, stack = doing.cluster, doing.environment.stack_name(doing.services.settings.instance)
    names = actions.names_in(doing.step)
    for name in names:
        cluster.patiently(partial(cluster.stacks.scale, stack, name, numbers[name]))
    return ", ".join(f"{name} to {numbers[name]}" for name in names)


def _stop(doing: Doing) -> str:
    """Until no container of it is left, each with the time that it is given to end."""
    _scale(doing)
    stack, deadline = doing.environment.stack_name(doing.services.settings.instance), doing.step.deadline_seconds
    until, stacks = time.monotonic() + deadline, doing.cluster.stacks
    while not (state := doing.cluster.patiently(lambda: stacks.state(stack)).only(doing.step.subjects)).stopped:
        if time.monotonic() > until:
            left = ", ".join(service.name for service in state.services if service.live) or "a container"
            raise StepFailed(f"Not ended after {deadline} s: {left}.", "Give it a shorter stop_grace_period.")
        time.sleep(_PROBE_AGAIN_SECONDS)
    return "no container is left"


_HOW: dict[StepKind, Callable[[Doing], str]] = {
    StepKind.PULL: _pull,
    StepKind.MANAGED: _start_managed,
    StepKind.START: _start_first,
    StepKind.RUN: _run_once,
    StepKind.APPLY: _apply,
    StepKind.WATCH: _watch,
    StepKind.ROUTES: _check_routes,
    StepKind.RESTART: _restart,
    StepKind.SCALE: _scale,
    StepKind.STOP: _stop,
}
