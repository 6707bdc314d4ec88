"""Environments, variables and secrets as people set them. What waits for approval is planned again each time."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from cabestan.domain import names
from cabestan.domain.environment import DEFAULT_BRANCH, Environment, EnvironmentDraft, Trigger
from cabestan.domain.project import Project
from cabestan.engine import cron, deployments, secrets
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.store import configuration as store
from cabestan.store import environments as environment_store
from cabestan.store import users as user_store

_LONGEST_WATCH = 3600
_TARGETS = ("local",)


def set_environment(
    services: Services,
    project: Project,
    name: str,
    *,
    domain: str | None = None,
    trigger: Trigger | None = None,
    branches: tuple[str, ...] | None = None,
    approvers: tuple[str, ...] | None = None,
    target: str | None = None,
    watch_seconds: int | None = None,
    time_zone: str | None = None,
) -> Environment:
    """Changes what is given; makes the environment where there is none."""
    with services.database.writing() as tx:
        environment = environment_store.find(tx, project.id, names.environment_name(name))
        if not environment:
            draft = EnvironmentDraft(name, trigger or Trigger.MANUAL)
            environment_store.create(tx, project, draft, "local", services.settings.watch_seconds)
            environment = environment_store.get(tx, project.id, name)
        changes = {
            "domain": names.host_name(domain) if domain else domain,
            "trigger": trigger,
            "branches": _branches(branches),
            "approvers": _approvers(tx, approvers),
            "target": _target(target),
            "watch_seconds": _watch_seconds(watch_seconds),
            "time_zone": _time_zone(time_zone),
        }
        given = {key: value for key, value in changes.items() if value is not None}
        if given:
            environment_store.update(tx, environment.id, **given)
        changed = environment_store.by_id(tx, environment.id)
        if changed.time_zone != environment.time_zone:
            cron.change_zone(services, tx, changed)
    services.alarm.ring()
    deployments.configuration_changed(services, project.id)
    services.changes.publish(project.name)
    return changed


def set_variable(services: Services, project: Project, environment: str, name: str, value: str, by: str) -> None:
    """A new version; the project's own where `environment` is empty."""
    with services.database.writing() as tx:
        _check_scope(tx, project, environment)
        store.add(
            tx,
            project.id,
            environment,
            names.variable_name(name),
            value=names.variable_value(value),
            by=by,
            now=services.now(),
        )
    _changed(services, project)


def set_secret(services: Services, project: Project, environment: str, name: str, value: str, by: str) -> None:
    """A new version, sealed."""
    if not value:
        raise Invalid(f"The secret {name} is empty.", "Give a value, or unset it.")
    sealed = services.vault.seal(names.variable_value(value), secrets.context(project.id))
    with services.database.writing() as tx:
        _check_scope(tx, project, environment)
        store.add(tx, project.id, environment, names.variable_name(name), sealed=sealed, by=by, now=services.now())
    _changed(services, project)


def unset(services: Services, project: Project, environment: str, name: str, *, secret: bool, by: str) -> None:
    with services.database.writing() as tx:
        store.remove(tx, project.id, environment, name, secret=secret, by=by, now=services.now())
    _changed(services, project)


def _changed(services: Services, project: Project) -> None:
    deployments.configuration_changed(services, project.id)
    services.changes.publish(project.name)


def _check_scope(tx: sa.Connection, project: Project, environment: str) -> None:
    if environment:
        environment_store.get(tx, project.id, environment)


def _branches(given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return tuple(branch if branch == DEFAULT_BRANCH else names.branch_pattern(branch) for branch in given)


def _approvers(tx: sa.Connection, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """They must exist: a name that is mistyped would leave nobody to approve."""
    return None if given is None else tuple(user_store.get(tx, name).name for name in given)


def _target(given: str | None) -> str | None:
    if given is not None and given not in _TARGETS:
        raise Invalid(f"There is no target “{given}”.", f"Use {', '.join(_TARGETS)}.")
    return given


def _watch_seconds(given: int | None) -> int | None:
    if given is not None and not 0 <= given <= _LONGEST_WATCH:
        raise Invalid(f"A watch time of {given} s is out of bounds.", f"Choose 0 to {_LONGEST_WATCH} seconds.")
    return given


def _time_zone(given: str | None) -> str | None:
    """Empty for the installation's own."""
    if given:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            remedy = "Write one of the tz database, such as Europe/Paris or UTC."
            raise Invalid(f"There is no time zone “{given[:80]}”.", remedy) from error
    return given
