"""Restart, stop, start, scale: what people do to what is deployed, planned from what serves.

Each is a row among the deployments, of the release that serves: so it has their queue, their record and their watching.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace

import sqlalchemy as sa

from cabestan.compose.routing.trying import probes as probes_of
from cabestan.compose.stack import Stack
from cabestan.domain.access import Permission, User, may, may_approve
from cabestan.domain.action import MOST_REPLICAS, ActionKind, Kept, Numbers, keeping, replicas_words
from cabestan.domain.deployment import Deployment, Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.names import meant
from cabestan.domain.route import Probe
from cabestan.domain.variable import fingerprint
from cabestan.engine.names import hosts
from cabestan.engine.services import Services
from cabestan.errors import Conflict, Forbidden, Invalid, NotFound
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store


def may_act(user: User, environment: Environment) -> bool:
    """Who could put a release there at once: who may deploy, and where releases wait for an approval, may give it."""
    if not may(user, Permission.DEPLOY, environment.project):
        return False
    free = environment.trigger is not Trigger.MANUAL
    return free or may_approve(user, environment.project, environment.approvers)


def require_rights(user: User, environment: Environment, kind: ActionKind) -> None:
    """Raises Forbidden."""
    if not may_act(user, environment):
        who = ", ".join(environment.approvers) or f"the maintainers of {environment.project}"
        raise Forbidden(f"You may not {kind} what runs on {environment.name}.", f"Ask {who}.")


def make_plan(services: Services, tx: sa.Connection, environment: Environment, deployment: Deployment) -> Plan:
    """From what serves now. Raises Conflict and NotFound where it cannot be done."""
    base = serving(tx, environment)
    own = Stack.from_yaml(base.stack)
    check(environment, own, deployment.kind, deployment.services, deployment.replicas)
    before, kept = own.keeping(environment.kept), kept_after(environment, own, deployment)
    after = own.keeping(kept)
    names = _meant(deployment, own, environment.kept)
    shared = {other.pattern for other in hosts.routed_elsewhere(tx, environment, base.hosts)}
    probes = _probes(after, environment.stack_name(services.settings.instance), names, shared)
    plan = replace(
        base,
        steps=_steps(services, environment, deployment, names, after, tuple(map(str, probes))),
        changes=tuple(_changes(before, after, names, restart=deployment.kind is ActionKind.RESTART)),
        warnings=(),
        stack=after.to_yaml(),
        probes=probes,
        fingerprint="",
    )
    key = environment.current_deployment_id or 0
    return replace(plan, fingerprint=fingerprint(deployment.release_id, key, asdict(plan)))


def _probes(after: Stack, stack: str, names: Collection[str], shared: Collection[str]) -> tuple[Probe, ...]:
    """Of routes that lead to these services, and to nothing else that might answer."""
    marks = {route.mark(stack) for route in after.awake if route.service in names}
    found = probes_of(after.awake, stack, shared)
    return tuple(probe for probe in found if marks.intersection(probe.marks))


def serving(tx: sa.Connection, environment: Environment) -> Plan:
    """The plan of what serves. Raises Conflict where nothing does."""
    key = environment.current_deployment_id
    plan = store.plan_of(tx, key) if key is not None else None
    if not plan:
        raise Conflict(f"Nothing is deployed on {environment.name}.", f"`cabestan deploy -e {environment.name}`")
    return plan


def check(
    environment: Environment, stack: Stack, kind: ActionKind, services: Collection[str], numbers: Numbers
) -> None:
    """Raises NotFound for a service that is not there, Conflict and Invalid for what cannot be done to one."""
    for name in (*services, *(name for name, _ in numbers)):
        _check_name(environment, stack, name, kind)
    if kind is ActionKind.SCALE and not numbers:
        raise Invalid("Scale what?", "Name services with their numbers: web=3.")
    for name, number in numbers:
        if number is not None and not 0 <= number <= MOST_REPLICAS:
            raise Invalid(f"{name} cannot have {number} replicas.", f"Give a number from 0 to {MOST_REPLICAS}.")
    if kind is ActionKind.RESTART:
        _check_running(environment, stack, services)


def _check_name(environment: Environment, stack: Stack, name: str, kind: ActionKind) -> None:
    if name in stack.services:
        return
    if name in stack.once:
        raise Conflict(f"{name} runs once in each deployment, so you cannot {kind} it.", "Deploy the release again.")
    if name in stack.cron:
        remedy = f"`cabestan cron pause {name} -e {environment.name}` keeps it from running."
        raise Conflict(f"{name} runs by the clock, so you cannot {kind} it.", remedy)
    there = ", ".join(stack.services) or "none"
    words = f"{meant(name[:80], stack.services)}There is: {there}. Databases are seen to by `cabestan database`."
    raise NotFound(f"There is no service {name[:80]} in what serves on {environment.name}.", words)


def _check_running(environment: Environment, stack: Stack, services: Collection[str]) -> None:
    own, kept = stack.numbers, environment.kept
    asked = services or own
    still = [name for name in asked if not kept.wanted(name, own[name])]
    if still and (services or len(still) == len(own)):
        start = " ".join(still if services else ())
        remedy = f"`cabestan start -e {environment.name} {start}".rstrip() + "`"
        raise Conflict(f"{', '.join(still)} of {environment.name} is stopped, so nothing can be restarted.", remedy)


def kept_after(environment: Environment, stack: Stack, deployment: Deployment) -> Kept:
    return keeping(environment.kept, deployment.kind, deployment.services, deployment.replicas, stack.services)


def keep(services: Services, deployment: Deployment) -> Mapping[str, int]:
    """On record, so that each deployment from now on does the same; gives the number of each service."""
    with services.database.writing() as tx:
        environment = environment_store.by_id(tx, deployment.environment_id)
        stack = Stack.from_yaml(serving(tx, environment).stack)
        kept = kept_after(environment, stack, deployment)
        environment_store.update(tx, environment.id, kept=kept)
    return {name: kept.wanted(name, own) for name, own in stack.numbers.items()}


def _meant(deployment: Deployment, stack: Stack, kept: Kept) -> tuple[str, ...]:
    """The services that something is done to."""
    if deployment.kind is ActionKind.SCALE:
        return tuple(name for name, _ in deployment.replicas)
    if deployment.kind is ActionKind.RESTART and not deployment.services:
        return tuple(name for name, own in stack.numbers.items() if kept.wanted(name, own))
    return deployment.services or stack.services


def _steps(
    services: Services,
    environment: Environment,
    deployment: Deployment,
    names: tuple[str, ...],
    after: Stack,
    probes: tuple[str, ...],
) -> tuple[Step, ...]:
    settings = services.settings
    running = {name for name in names if after.replicas_of(name)}
    stopping = tuple(name for name in names if name not in running)
    steps: list[Step] = []
    if stopping:
        steps.append(Step(StepKind.STOP, stopping, settings.healthy_seconds))
    if some := tuple(name for name in names if name in running):
        healthy = settings.healthy_seconds + environment.watch_seconds
        kind = StepKind.RESTART if deployment.kind is ActionKind.RESTART else StepKind.SCALE
        shown = some if kind is StepKind.RESTART else tuple(f"{name}={after.replicas_of(name)}" for name in some)
        steps += [Step(kind, shown, settings.apply_seconds), Step(StepKind.WATCH, some, healthy)]
        steps += [Step(StepKind.ROUTES, probes, settings.routes_seconds)] if probes else []
    return tuple(steps)


def names_in(step: Step) -> tuple[str, ...]:
    """The services of a step, which may have numbers."""
    return tuple(subject.partition("=")[0] for subject in step.subjects)


def _changes(before: Stack, after: Stack, names: Collection[str], *, restart: bool) -> list[PlannedChange]:
    if restart:
        return [PlannedChange("restart", name, f"service {name} is restarted") for name in names]
    found = []
    for name in names:
        old, new = before.replicas_of(name), after.replicas_of(name)
        if old != new:
            text = f"replicas {name}: {old} → {new}" if new else f"service {name}: {replicas_words(old)} → stopped"
            found.append(PlannedChange("replicas", name, text))
    return found
