"""Environments, variables and secrets as people set them. What waits for approval is planned again each time."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from cabestan.compose.commit_files import path_within
from cabestan.domain import names
from cabestan.domain.access import Permission, User, may, may_set_approval
from cabestan.domain.backup import parse_policy
from cabestan.domain.environment import DEFAULT_BRANCH, Environment, EnvironmentDraft, Trigger
from cabestan.domain.project import Project
from cabestan.domain.variable import ENVIRONMENT_SECRET, check_maskable
from cabestan.engine.deploying import deployments, environments
from cabestan.engine.managed.backup_clock import next_due
from cabestan.engine.running import cron
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import Forbidden, Invalid
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store
from cabestan.store import outbox
from cabestan.store import projects as project_store
from cabestan.store import users as user_store
from cabestan.store import variables as store
from cabestan.store.managed import ManagedSettings
from cabestan.store.variables import Scope

_LONGEST_WATCH = 3600
_MOST_FILES = 10
#: what uptime may ask for, percent-encoded where it must be
_PATH, _LONGEST_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*"), 200
_STATUSES = range(200, 600)
_MOST_PIPELINE_VARIABLES = 100
#: what decides who approves and what, in the words of the refusal
_OF_APPROVAL = {
    "trigger": "whether releases come at once",
    "branches": "the branches that they come from",
    "approvers": "who approves",
    "compose_files": "the Compose files",
}
#: instead of a setting of the environment's own
_AS_INSTALLED = "default"
_AS_SECRET = "Set it with `cabestan secret set`."  # noqa: S105 (a remedy)


def set_environment(
    services: Services,
    project: Project,
    name: str,
    user: User,
    *,
    domain: str | None = None,
    trigger: Trigger | None = None,
    branches: tuple[str, ...] | None = None,
    approvers: tuple[str, ...] | None = None,
    target: str | None = None,
    watch_seconds: int | None = None,
    plain_http: bool | None = None,
    time_zone: str | None = None,
    compose_files: tuple[str, ...] | None = None,
    uptime: bool | None = None,
    uptime_path: str | None = None,
    uptime_status: int | None = None,
) -> Environment:
    """Changes what is given; makes the environment where there is none. Raises Forbidden for what is its approvers'."""
    with services.database.writing() as tx:
        environment = environment_store.find(tx, project.id, names.environment_name(name))
        if not environment:
            draft = EnvironmentDraft(name, trigger or Trigger.MANUAL)
            environments.create(services, tx, project, draft)
            environment = environment_store.get(tx, project.id, name)
        changes = {
            "domain": names.host_name(domain) if domain else domain,
            "trigger": trigger,
            "branches": _branches(branches),
            "approvers": _approvers(tx, approvers),
            "target": _target(services, target),
            "watch_seconds": _watch_seconds(watch_seconds),
            "plain_http": plain_http,
            "time_zone": _time_zone(time_zone),
            "compose_files": _compose_files(compose_files),
            "uptime": uptime,
            "uptime_path": _uptime_path(uptime_path),
            "uptime_status": _uptime_status(uptime_status),
        }
        given = {key: value for key, value in changes.items() if value is not None}
        _check_approval(tx, user, environment, given)
        if given:
            environment_store.update(tx, environment.id, **given)
        changed = environment_store.by_id(tx, environment.id)
        if changed.time_zone != environment.time_zone:
            cron.change_zone(services, tx, changed)
        outbox.tell(tx, project.id, services.now())
    services.alarm.ring()
    deployments.configuration_changed(services, project.id)
    return changed


def set_managed(
    services: Services,
    environment: Environment,
    *,
    managed: str | None = None,
    schedule: str | None = None,
    keep: str | None = None,
) -> ManagedSettings:
    """Changes what is given; `default` takes the installation's again. What waits is planned anew."""
    with services.database.writing() as tx:
        said = managed_store.settings_of(tx, environment.id)
        wanted = ManagedSettings(
            said.managed if managed is None else _managed(managed),
            said.schedule if schedule is None else _schedule(schedule),
            said.keep if keep is None else _keep(keep),
        )
        managed_store.put_settings(tx, environment.id, wanted)
        outbox.tell(tx, environment.project_id, services.now())
    deployments.configuration_changed(services, environment.project_id)
    return wanted


def put(
    services: Services,
    scope: Scope,
    name: str,
    value: str,
    by: str,
    *,
    secret: bool,
    protected: bool | None = None,
    masked: bool | None = None,
) -> None:
    """A new version of a variable or secret. What is not said of `protected` and `masked` stays as it was."""
    _check_name(names.variable_name(name), scope, secret=secret)
    if secret and not value:
        raise Invalid(f"The secret {name} is empty.", "Give a value, or unset it.")
    kept = names.variable_value(value)
    sealed = services.vault.seal(kept, secrets.context(scope.project_id, scope.group)) if secret else None
    with services.database.writing() as tx:
        _check_scope(tx, scope)
        former = store.find(tx, scope, name)
        is_protected = protected if protected is not None else bool(former and former.protected)
        is_masked = masked if masked is not None else bool(former and former.masked)
        if is_masked:
            check_maskable(name, kept)
            services.vault.known.add(kept)
        flags = {"protected": is_protected, "masked": is_masked}
        shown = "" if secret else kept
        store.add(tx, scope, name, value=shown, sealed=sealed, **flags, by=by, now=services.now())
        projects = _tell(services, tx, scope)
    _plan_again(services, projects)


def remove(services: Services, scope: Scope, name: str, *, secret: bool, by: str) -> None:
    """The next deployments have it no more; its versions stay, for those that used them."""
    with services.database.writing() as tx:
        store.remove(tx, scope, name, secret=secret, by=by, now=services.now())
        projects = _tell(services, tx, scope)
    _plan_again(services, projects)


def protect_branches(services: Services, project: Project, patterns: Iterable[str]) -> Project:
    """Only what comes from these branches gets protected variables and secrets, and only maintainers push to them."""
    chosen = _branches(tuple(patterns)) or ()
    with services.database.writing() as tx:
        project_store.set_protected_branches(tx, project.id, chosen)
        changed = project_store.by_id(tx, project.id)
        outbox.tell(tx, project.id, services.now())
    _plan_again(services, (changed,))
    return changed


def pipeline_variables(given: Mapping[str, str]) -> dict[str, str]:
    """What a pipeline may be given, checked. Raises Invalid."""
    if len(given) > _MOST_PIPELINE_VARIABLES:
        raise Invalid(f"{len(given)} variables are given.", f"Give at most {_MOST_PIPELINE_VARIABLES}.")
    for name in given:
        if names.variable_name(name).startswith(ENVIRONMENT_SECRET):
            raise Invalid(f"{name} would be a secret, and what a pipeline is given is shown.", _AS_SECRET)
    return {name: names.variable_value(value) for name, value in sorted(given.items())}


def _tell(services: Services, tx: sa.Connection, scope: Scope) -> tuple[Project, ...]:
    """All projects that the scope is of."""
    if scope.project_id is None:
        projects = project_store.of_group(tx, scope.group)
    else:
        projects = (project_store.by_id(tx, scope.project_id),)
    for project in projects:
        outbox.tell(tx, project.id, services.now())
    return projects


def _plan_again(services: Services, projects: Iterable[Project]) -> None:
    for project in projects:
        deployments.configuration_changed(services, project.id)


def _check_name(name: str, scope: Scope, *, secret: bool) -> None:
    if not name.startswith(ENVIRONMENT_SECRET):
        return
    if not secret:
        raise Invalid(f"{name} is the name of a secret.", _AS_SECRET)
    if scope.environment:
        remedy = f"Set it for the project, or the part after the environment's name for {scope.environment}."
        raise Invalid(f"{name} names its environment itself.", remedy)


def _check_scope(tx: sa.Connection, scope: Scope) -> None:
    if scope.environment and scope.project_id is not None:
        environment_store.get(tx, scope.project_id, scope.environment)


def _check_approval(tx: sa.Connection, user: User, environment: Environment, given: Mapping[str, Any]) -> None:
    """Where there are approvers, they say what they approve: what changes, for a page sends the rest along."""
    changed = [what for key, what in _OF_APPROVAL.items() if key in given and given[key] != getattr(environment, key)]
    if changed and not may_set_approval(user, environment.project, environment.approvers):
        who = [*_who_set(tx, environment), "an administrator"]
        raise Forbidden(
            f"{environment.name} of {environment.project} has approvers, so you may not change {', '.join(changed)}.",
            f"Ask {' or '.join(who)}.",
        )


def _who_set(tx: sa.Connection, environment: Environment) -> list[str]:
    """Not each approver may change settings."""
    users = [user_store.find(tx, name) for name in environment.approvers]
    return [user.name for user in users if user and may(user, Permission.CONFIGURE, environment.project)]


def _branches(given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    chosen = (branch if branch == DEFAULT_BRANCH else names.branch_pattern(branch) for branch in given)
    return tuple(dict.fromkeys(chosen))


def _approvers(tx: sa.Connection, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """They must exist: a name that is mistyped would leave nobody to approve."""
    return None if given is None else tuple(dict.fromkeys(user_store.get(tx, name).name for name in given))


def _target(services: Services, given: str | None) -> str | None:
    if given is not None and given not in services.clusters:
        raise Invalid(f"There is no target “{given}”.", f"Use {', '.join(services.clusters)}.")
    return given


def _compose_files(given: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Whether a commit has them is known when there is one."""
    if given is None:
        return None
    if len(given) > _MOST_FILES:
        raise Invalid(f"{len(given)} Compose files are too many.", f"Name at most {_MOST_FILES}.")
    for path in given:
        if path_within(".", path) != path or not path.endswith((".yml", ".yaml")):
            message = f"{path[:80]!r} cannot be a Compose file."
            raise Invalid(message, "Write its path in the repository, such as deploy/compose.yml.")
    return tuple(dict.fromkeys(given))


def _watch_seconds(given: int | None) -> int | None:
    if given is not None and not 0 <= given <= _LONGEST_WATCH:
        raise Invalid(f"A watch time of {given} s is out of bounds.", f"Choose 0 to {_LONGEST_WATCH} seconds.")
    return given


def _uptime_path(given: str | None) -> str | None:
    """Empty for the routes' own paths."""
    if given and (not _PATH.fullmatch(given) or len(given) > _LONGEST_PATH):
        remedy = f"Write one such as /health, of at most {_LONGEST_PATH} characters; a query may follow, no fragment."
        raise Invalid(f"“{given[:80]}” is not a path that can be asked for.", remedy)
    return given


def _uptime_status(given: int | None) -> int | None:
    if given and given not in _STATUSES:
        raise Invalid(
            f"{given} is not a status that an answer has.", "Write one from 200 to 599, or 0 for any below 500."
        )
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


def _managed(given: str) -> bool | None:
    if given not in ("yes", "no", _AS_INSTALLED):
        raise Invalid(f"“{given[:40]}” does not say whether databases are managed.", "Write yes, no or default.")
    return {"yes": True, "no": False}.get(given)


def _schedule(given: str) -> str:
    if given == _AS_INSTALLED:
        return ""
    next_due(given, datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    return given


def _keep(given: str) -> str:
    return "" if given == _AS_INSTALLED else str(parse_policy(given))
