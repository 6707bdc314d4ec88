"""Instances: made once, started, waited for. Everything may be done again after a kill."""

import time
from collections.abc import Callable, Iterable

from cabestan.compose.managed_stack import render_instance
from cabestan.domain import docker_names
from cabestan.domain.backup import OperationKind
from cabestan.domain.deployment import Plan
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance, InstanceStatus, Kind
from cabestan.engine.managed import images, use
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import DeadlineExceeded, StepFailed
from cabestan.store import backups as backup_store
from cabestan.store import managed as store

_LOOK_SECONDS = 0.3
_TELL_SECONDS = 1.0


def start(
    services: Services,
    environment: Environment,
    kinds: Iterable[str],
    seconds: float,
    tell: Callable[[str], None],
    stopped: Callable[[], bool],
) -> str:
    """Makes what is missing, and waits until all of them answer. Raises StepFailed and DeadlineExceeded."""
    told = _seldom(tell)
    wanted = [_existing_or_new(services, environment, Kind(kind), told) for kind in kinds]
    deadline = time.monotonic() + seconds
    for instance in wanted:
        _wait_for_operation(services, instance, deadline, stopped, told)
        with services.database.writing() as tx:
            store.update(
                tx,
                instance.id,
                attached=True,
                network=docker_names.network(environment.stack_name(services.settings.instance)),
            )
            present = store.get(tx, instance.id)
        patiently_apply(services, present)
    for instance in wanted:
        told(f"waiting until {instance.kind} answers")
        wait(services, instance, deadline, stopped)
    made = [f"{i.kind} is new" for i in wanted if i.status is InstanceStatus.NEW]
    return ", ".join([*made, *(f"{i.kind} answers" for i in wanted if i.status is not InstanceStatus.NEW)])


def apply(services: Services, instance: Instance, *, replicas: int = 1) -> None:
    """Gives its stack to Swarm, with what it needs made before."""
    with services.database.reading() as tx:
        word = use.password(services, tx, instance)
    cluster = services.cluster_of(instance)
    cluster.stacks.ensure_network(instance.network, instance.environment_id)
    cluster.databases.ensure_secret(instance, word)
    document = render_instance(instance, services.settings.instance, replicas=replicas)
    cluster.stacks.deploy(instance.stack, document, {}, services.settings.apply_seconds)


def patiently_apply(services: Services, instance: Instance, *, replicas: int = 1) -> None:
    """The same, waiting for an engine that restarts."""
    services.cluster_of(instance).patiently(lambda: apply(services, instance, replicas=replicas))


def wait(services: Services, instance: Instance, deadline: float, stopped: Callable[[], bool] = lambda: False) -> None:
    """Until it runs and its health check is content. `deadline` is of the monotonic clock."""
    cluster = services.cluster_of(instance)
    while True:
        state = cluster.patiently(lambda: cluster.stacks.state(instance.stack))
        if state.services and state.settled:
            return
        words = next((task.error for service in state.services for task in service.tasks if task.error), "")
        if stopped():
            raise StepFailed("Canceled.")
        if time.monotonic() > deadline:
            said = f" Its last task's words: {words}." if words else ""
            raise DeadlineExceeded(
                f"{instance.name} does not answer.{said}",
                "`cabestan database show` and `docker service logs` tell more; managed_seconds sets the time.",
            )
        time.sleep(_LOOK_SECONDS)


def wait_until_stopped(services: Services, instance: Instance, deadline: float) -> None:
    """Until no container of it writes to its volume any more. `deadline` is of the monotonic clock."""
    cluster = services.cluster_of(instance)
    while not cluster.patiently(lambda: cluster.stacks.state(instance.stack)).stopped:
        if time.monotonic() > deadline:
            raise DeadlineExceeded(f"{instance.name} does not stop.", "`docker service ps` tells more.")
        time.sleep(_LOOK_SECONDS)


def align(services: Services, environment: Environment, plan: Plan) -> None:
    """Before a stack is applied: a name belongs to the managed service or to a service of the stack, never to both."""
    with services.database.reading() as tx:
        present = store.in_environment(tx, environment.id)
    managed = use.kinds_of(plan)
    for instance in present:
        attached = instance.kind in managed or (instance.attached and instance.kind not in plan.services)
        if attached != instance.attached:
            apply(services, instance.evolve(attached=attached), replicas=0 if _is_upgraded(services, instance) else 1)
            with services.database.writing() as tx:
                store.update(tx, instance.id, attached=attached)


def _is_upgraded(services: Services, instance: Instance) -> bool:
    """It stands still then, while a scratch instance has its volume."""
    with services.database.reading() as tx:
        running = backup_store.open_of(tx, instance.id)
    return running is not None and running.kind is OperationKind.UPGRADE


def _wait_for_operation(
    services: Services,
    instance: Instance,
    deadline: float,
    stopped: Callable[[], bool],
    tell: Callable[[str], None],
) -> None:
    """What stops the service or changes its volume must end first; a backup does not matter."""
    while True:
        with services.database.reading() as tx:
            running = backup_store.open_of(tx, instance.id)
        if not running or running.kind in (OperationKind.BACKUP, OperationKind.VERIFY):
            return
        if stopped():
            raise StepFailed("Canceled.")
        if time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"A {running.kind} of {instance.name} is still under way.", "Deploy again when it has ended."
            )
        tell(f"waiting for the {running.kind} of {instance.kind}")
        time.sleep(_LOOK_SECONDS)


def _existing_or_new(services: Services, environment: Environment, kind: Kind, tell: Callable[[str], None]) -> Instance:
    with services.database.reading() as tx:
        present = store.find(tx, environment.id, kind)
    if present:
        return present
    cluster = services.cluster_of(environment)
    image, version = services.home.patiently(lambda: images.pinned(services, kind, tell))
    node = cluster.patiently(cluster.databases.node)
    stack = environment.stack_name(services.settings.instance)
    with services.database.writing() as tx:
        word = use.first_password(services, tx, environment, kind)
        return store.find(tx, environment.id, kind) or store.create(
            tx,
            environment,
            kind,
            environment_stack=stack,
            network=docker_names.network(stack),
            image=image,
            version=version,
            password=services.vault.seal(word, secrets.context(environment.project_id)),
            node=node,
            now=services.now(),
        )


def _seldom(tell: Callable[[str], None]) -> Callable[[str], None]:
    """At most once a second: each word is a write to the database."""
    last = float("-inf")

    def told(words: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_SECONDS:
            last = time.monotonic()
            tell(words)

    return told
