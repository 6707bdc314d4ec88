"""The way back from a deployment that failed: the whole former release, or nothing where nothing ran before."""

from dataclasses import replace

from cabestan.domain import docker_names
from cabestan.domain.action import ActionKind
from cabestan.domain.deployment import Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.why import Why, headline
from cabestan.engine.deploying.record import CANCELED, load, on_record
from cabestan.engine.deploying.steps import apply
from cabestan.engine.deploying.watching import engine_time, watch_stack
from cabestan.engine.services import Services
from cabestan.store import deployments as store
from cabestan.store import managed as managed_store


def touches(services: Services, deployment_id: int, planned: Step) -> bool:
    """Whether there is something to put back, or to take away, after this step.

    What runs once leaves the services as they are; but the first deployment made their network for it. A managed
    service leaves them too, unless it took the name of one of them. What people do to a release stays as it is.
    """
    with services.database.reading() as tx:
        deployment = store.get(tx, deployment_id)
    if deployment.kind is not ActionKind.DEPLOY:
        return False
    if planned.kind not in (StepKind.RUN, StepKind.MANAGED):
        return planned.kind is not StepKind.PULL
    with services.database.reading() as tx:
        previous = deployment.previous_id
        former = store.plan_of(tx, previous) if previous is not None else None
    if planned.kind is StepKind.RUN:
        return previous is None
    return bool(former and not frozenset(former.services).isdisjoint(planned.subjects))


def put_back(services: Services, deployment_id: int) -> str:
    """The whole previous release again, as it was; where there was none, nothing is left of this one.

    Gives `put back`, `removed`, or why neither went well.
    """
    deployment, environment, plan = load(services, deployment_id)
    if deployment.previous_id is None:
        text, done = "Remove what was begun: nothing ran here before", "removed"
        failure = on_record(
            services, deployment, StepKind.PUT_BACK, len(plan.steps), text, lambda: _remove(services, environment)
        )
        return failure or done
    previous, _, earlier = load(services, deployment.previous_id)
    text = f"Put release {previous.release} back"

    def again() -> str:
        since = engine_time(services.now())
        apply(services, environment, earlier, services.settings.apply_seconds)
        state = watch_stack(services, environment, since, services.settings.healthy_seconds, lambda: False)
        return f"release {previous.release} serves again: {state.progress}"

    failure = on_record(services, deployment, StepKind.PUT_BACK, len(plan.steps), text, again)
    return failure or "put back"


def _remove(services: Services, environment: Environment) -> str:
    stack = environment.stack_name(services.settings.instance)
    network = docker_names.network(stack)
    with services.database.reading() as tx:
        databases = managed_store.in_environment(tx, environment.id)

    cluster = services.cluster_of(environment)

    def remove() -> None:
        own = cluster.stacks.networks_of(environment.id) - {network}
        for name in (network, *sorted(own)):
            cluster.platform.leave(cluster.router, name)
        cluster.stacks.remove(stack, own if databases else {network, *own})

    cluster.patiently(remove)
    return "removed, but for its volumes"


def outcome(failure: str, undone: str) -> tuple[DeploymentStatus, str]:
    """What the end of the steps means. `undone` is what `put_back` gave; empty where nothing had been touched."""
    if not failure:
        return DeploymentStatus.SUCCEEDED, ""
    if undone == "put back" and failure != CANCELED:
        return DeploymentStatus.ROLLED_BACK, failure
    if undone in ("", "put back", "removed"):
        return (DeploymentStatus.CANCELED if failure == CANCELED else DeploymentStatus.FAILED), failure
    why = Why.of(failure)
    both = f"{why.headline.removesuffix('.')}. The way back failed too: {headline(undone)}"
    return DeploymentStatus.FAILED, replace(why, headline=both).text
