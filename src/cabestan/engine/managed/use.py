"""What a release uses of managed services: the variables, the step and the differences of its plan."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import sqlalchemy as sa

from cabestan.checks.managed import managed_names
from cabestan.config import Settings
from cabestan.domain.deployment import Plan, PlannedChange, Step, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance, Kind, password_variable
from cabestan.domain.variable import Variables
from cabestan.engine.managed.images import next_version
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.store import managed as store

#: hexadecimal ones: 192 bits
_PASSWORD_DIGITS = 48


def with_managed(
    settings: Settings,
    tx: sa.Connection,
    environment: Environment,
    plan: Plan,
    kinds: tuple[Kind, ...],
    configuration: Variables,
) -> Plan:
    """The plan with the step that starts them, and with what they change; fails closed where it comes too late."""
    present = {instance.kind: instance for instance in store.in_environment(tx, environment.id)}
    steps = plan.steps
    if kinds:
        own = Step(StepKind.MANAGED, tuple(kinds), settings.managed_seconds)
        before = next(i for i, step in enumerate(steps) if step.kind is not StepKind.PULL)
        steps = (*steps[:before], own, *steps[before:])
    changes = (*_changes(settings, kinds, present), *plan.changes)
    hidden = managed_names(kinds, environment.project) & configuration.versions.keys()
    warnings = (*plan.warnings, *map(_hidden, sorted(hidden)))
    return replace(plan, steps=steps, changes=changes, warnings=warnings)


def kinds_of(plan: Plan | None) -> tuple[Kind, ...]:
    """The managed services of a stored plan."""
    steps = plan.steps if plan else ()
    return tuple(Kind(subject) for step in steps if step.kind is StepKind.MANAGED for subject in step.subjects)


def passwords(services: Services, tx: sa.Connection, environment: Environment, plan: Plan) -> dict[str, str]:
    """The variable with the password of each managed service that the plan uses.

    Not of others that there are: the same variable may be the project's own secret, for a container of its own.
    """
    used = kinds_of(plan)
    found = {}
    for instance in store.in_environment(tx, environment.id):
        name = password_variable(instance.kind)
        if name and instance.kind in used:
            found[name] = password(services, tx, instance)
    return found


def coming_passwords(
    services: Services, tx: sa.Connection, environment: Environment, kinds: Iterable[Kind]
) -> dict[str, str]:
    """The same for a release that is being planned: what is not made yet has its coming one."""
    present = {instance.kind: instance for instance in store.in_environment(tx, environment.id)}
    return {
        name: password(services, tx, present[kind])
        if kind in present
        else first_password(services, tx, environment, kind)
        for kind in kinds
        if (name := password_variable(kind))
    }


def first_password(services: Services, tx: sa.Connection, environment: Environment, kind: Kind) -> str:
    """Of the next instance of the kind: derived, so that a plan can name its Swarm secret before the instance is made.

    Each instance has another one, for those that were deleted count too.
    """
    made = store.made_in(tx, environment.id, kind)
    return services.vault.hash(str(made), f"password of {kind} in environment {environment.id}")[:_PASSWORD_DIGITS]


def password(services: Services, tx: sa.Connection, instance: Instance) -> str:
    return services.vault.open(store.sealed_password(tx, instance.id), secrets.context(instance.project_id))


def _changes(settings: Settings, kinds: Iterable[Kind], present: dict[Kind, Instance]) -> Iterator[PlannedChange]:
    for kind in kinds:
        if kind not in present:
            made = f"{kind} is made: {kind.product} {next_version(settings, kind)}, empty, with a volume of its own"
            yield PlannedChange("managed service added", kind, made)
    for kind, instance in present.items():
        if kind not in kinds:
            kept = f"{kind} is no longer used: it keeps its data in the volume {instance.volume}"
            yield PlannedChange("managed service unused", kind, kept)


def _hidden(name: str) -> str:
    return f"{name} is set in the project, but the managed service has its own, which is used."
