"""The steps of a plan. Each may be done again after a kill at any point."""

import time
from functools import partial

from cabestan.compose.stack import Stack, networks_in
from cabestan.compose.volumes import filled_already, volumes_of
from cabestan.domain import docker_names
from cabestan.domain.deployment import Deployment, Plan, Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.status import RunStatus
from cabestan.engine import disk
from cabestan.engine.cluster import Cluster
from cabestan.engine.deploying.record import CANCELED, cancel_asked, load, on_record
from cabestan.engine.deploying.watching import engine_time, look, watch_stack
from cabestan.engine.managed import instances, use
from cabestan.engine.names import certificates
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import StepFailed
from cabestan.store import deployments as store
from cabestan.store.transitions import touched

_PROBE_AGAIN_SECONDS = 0.2


def do(services: Services, deployment_id: int, planned: Step, position: int) -> str:
    """Does one step, on record; empty, or why it failed."""
    deployment, environment, plan = load(services, deployment_id)
    if cancel_asked(services, deployment_id):
        return CANCELED
    work = {
        StepKind.PULL: lambda: _pull(services, deployment, environment, planned),
        StepKind.START: lambda: _start_first(services, deployment, environment, plan, planned),
        StepKind.RUN: lambda: _run_once(services, deployment, environment, plan, planned),
        StepKind.MANAGED: lambda: _start_managed(services, deployment, environment, planned, position),
        StepKind.APPLY: lambda: apply(services, environment, plan, planned.deadline_seconds),
        StepKind.WATCH: lambda: _watch(services, deployment, environment, planned.deadline_seconds),
        StepKind.ROUTES: lambda: _check_routes(services, deployment, environment, plan, planned.deadline_seconds),
    }[planned.kind]
    return on_record(services, deployment, planned.kind, position, planned.text, work)


def _pull(services: Services, deployment: Deployment, environment: Environment, planned: Step) -> str:
    disk.check(services.settings)
    cluster = services.cluster_of(environment)
    _check_router(cluster)
    deadline = time.monotonic() + planned.deadline_seconds
    pulled = 0
    for image in planned.subjects:
        if cancel_asked(services, deployment.id):
            raise StepFailed(CANCELED)
        pulled += cluster.patiently(partial(cluster.stacks.pull, image, deadline - time.monotonic()))
    return f"{pulled} pulled, {len(planned.subjects) - pulled} already here"


def _check_router(cluster: Cluster) -> None:
    """Before anything is touched: without it no route would answer."""
    if not cluster.patiently(lambda: cluster.platform.running(cluster.router)):
        raise StepFailed(f"The router {cluster.router} does not run.", "`cabestan up` starts it; then deploy again.")


def _start_managed(
    services: Services, deployment: Deployment, environment: Environment, planned: Step, position: int
) -> str:
    def tell(detail: str) -> None:
        with services.database.writing() as tx:
            store.note_step(tx, deployment.id, position, detail)
            touched(tx, Subject.DEPLOYMENT, deployment.id, services.now())

    stopped = lambda: cancel_asked(services, deployment.id)  # noqa: E731
    return instances.start(services, environment, planned.subjects, planned.deadline_seconds, tell, stopped)


def _start_first(
    services: Services, deployment: Deployment, environment: Environment, plan: Plan, planned: Step
) -> str:
    """Services that nothing runs yet and that something which runs once needs; the others stay as they are."""
    apply(services, environment, plan, services.settings.apply_seconds, first=planned.subjects)
    since = engine_time(deployment.started_at or services.now())
    stopped = lambda: cancel_asked(services, deployment.id)  # noqa: E731
    now_healthy = environment.evolve(watch_seconds=0)
    state = watch_stack(services, now_healthy, since, planned.deadline_seconds, stopped, only=planned.subjects)
    return f"healthy: {state.progress}"


def _run_once(services: Services, deployment: Deployment, environment: Environment, plan: Plan, planned: Step) -> str:
    """A migration: once in this deployment, whatever is killed meanwhile."""
    network = docker_names.network(environment.stack_name(services.settings.instance))
    cluster, own = services.cluster_of(environment), networks_in(plan.stack)

    def ensure() -> None:
        cluster.stacks.ensure_network(network, environment.id)
        for one in own:
            cluster.stacks.ensure_network(one.name, environment.id, internal=one.internal)

    cluster.patiently(ensure)
    (service,) = planned.subjects
    run = service_runs.one_shot(services, deployment.id, service)
    if run.status is RunStatus.SUCCEEDED:
        return f"run {run.id} succeeded"
    if run.status is RunStatus.CANCELED:
        raise StepFailed(CANCELED)
    remedy = f"`cabestan deployment log {deployment.id} {service}` shows all that it said."
    raise StepFailed(f"{service} failed: {run.reason}", remedy)


def apply(services: Services, environment: Environment, plan: Plan, seconds: int, first: tuple[str, ...] = ()) -> str:
    """The network, with the router in it, then the stack, or the services of it that come first.

    All of it may be done again.
    """
    stack, cluster = environment.stack_name(services.settings.instance), services.cluster_of(environment)
    network = docker_names.network(stack)
    with services.database.reading() as tx:
        used, files = secrets.used_by(tx, services.vault, stack, plan, use.passwords(services, tx, environment, plan))
    whole = Stack.from_yaml(plan.stack)
    volumes = volumes_of(whole)
    document = filled_already(whole.only(first) if first else whole).to_yaml()

    def hand_over() -> None:
        certificates.ensure(services, plan.hosts)
        cluster.stacks.ensure_network(network, environment.id)
        cluster.platform.join(cluster.router, network)
        for one in whole.networks:
            cluster.stacks.ensure_network(one.name, environment.id, internal=one.internal)
            if one.routed:
                cluster.platform.join(cluster.router, one.name)
        cluster.stacks.ensure_configs(stack, whole.files)
        instances.align(services, environment, plan)
        cluster.stacks.ensure_volumes(stack, volumes, seconds)
        cluster.stacks.deploy(stack, document, used, seconds, files, prune=not first)

    cluster.patiently(hand_over)
    return ""


def _watch(services: Services, deployment: Deployment, environment: Environment, seconds: int) -> str:
    """Until all tasks have been healthy for the watch time. Raises StepFailed with the words of the task."""
    since = engine_time(deployment.started_at or services.now())
    stopped = lambda: cancel_asked(services, deployment.id)  # noqa: E731
    state = watch_stack(services, environment, since, seconds, stopped)
    return f"healthy for {environment.watch_seconds} s: {state.progress}"


def _check_routes(
    services: Services, deployment: Deployment, environment: Environment, plan: Plan, seconds: int
) -> str:
    """Each route must answer through the router; what died after the watch time answers nobody, and is told as such."""
    since = engine_time(deployment.started_at or services.now())
    deadline = time.monotonic() + seconds
    for probe in plan.probes:
        while wrong := services.cluster_of(environment).probe(probe):
            if cancel_asked(services, deployment.id):
                raise StepFailed(CANCELED)
            look(services, environment, since)
            if time.monotonic() > deadline:
                remedy = "Check traefik.port and what the service listens on; `cabestan route match` tells who answers."
                raise StepFailed(f"Not routed after {seconds} s: {wrong}.", remedy)
            time.sleep(_PROBE_AGAIN_SECONDS)
    return f"{len(plan.probes)} answered"
