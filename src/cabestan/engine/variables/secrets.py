"""Secrets: sealed when they come in, opened only for what needs them."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from cabestan.adapters.secret_files import SwarmSecret, secret_name
from cabestan.adapters.vault import Vault
from cabestan.compose.sizes import SecretSize, size_of_secret
from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Plan
from cabestan.domain.project import Project
from cabestan.domain.redaction import Redactor
from cabestan.domain.variable import Variable, Variables
from cabestan.errors import StepFailed
from cabestan.store import managed as managed_store
from cabestan.store import variables as store


def context(project_id: int | None, group: str = "") -> str:
    """What a sealed value is bound to: one project's cannot be opened as another's, nor a group's."""
    return f"group {group}" if project_id is None else f"project {project_id}"


def values(tx: sa.Connection, vault: Vault, versions: Iterable[tuple[str, int]]) -> Mapping[str, str]:
    """Name to value, of those of the versions (name and id) that are secrets."""
    name_of = {key: name for name, key in versions}
    sealed = store.sealed(tx, name_of)
    settings = store.by_ids(tx, sealed)
    return {name_of[setting.id]: _opened(vault, setting, sealed[setting.id]) for setting in settings}


def all_values(tx: sa.Connection, vault: Vault, project: Project) -> tuple[str, ...]:
    """Every value that a secret, a masked variable or a database password has or had: none may show in a log."""
    opened = [_opened(vault, setting, sealed) for setting, sealed in store.sealed_of_project(tx, project)]
    opened += [vault.open(sealed, context(project.id)) for sealed in managed_store.sealed_of_project(tx, project.id)]
    masked = store.masked_of_project(tx, project)
    vault.known.add(*masked)
    return (*opened, *masked)


def redactor(tx: sa.Connection, vault: Vault, project: Project) -> Redactor:
    """For whatever others say about the project, before it is kept or shown."""
    return Redactor(all_values(tx, vault, project))


def file_names(
    tx: sa.Connection,
    vault: Vault,
    stack: str,
    configuration: Variables,
    passwords: Mapping[str, str],
    wanted: Iterable[str],
) -> dict[str, str]:
    """Secret to what Swarm calls it, for those that services of the stack want as files. Unknown ones are left out.

    `passwords` are of managed services, and hide secrets of the same name.
    """
    names = frozenset(wanted)
    own = names & configuration.secrets - passwords.keys()
    versions = ((name, key) for name, key in configuration.versions.items() if name in own)
    found = {**values(tx, vault, versions), **{name: passwords[name] for name in names & passwords.keys()}}
    return {name: _file_name(vault, stack, name, value) for name, value in found.items()}


def used_by(
    tx: sa.Connection, vault: Vault, stack_name: str, plan: Plan, passwords: Mapping[str, str]
) -> tuple[dict[str, str], tuple[SwarmSecret, ...]]:
    """What a plan's stack needs: values of variables by name, and files. `passwords` are of managed services.

    Raises StepFailed where a managed service has another password than when it was planned, having been made anew.
    """
    stack = Stack.from_yaml(plan.stack)
    found = {**values(tx, vault, plan.versions), **passwords}
    variables = {name: value for name, value in found.items() if name in stack.secrets_used}
    for name, secret in stack.secret_files.items():
        if secret in passwords and name != _file_name(vault, stack_name, secret, passwords[secret]):
            raise StepFailed(f"{secret} has changed since this deployment was planned.", "Deploy the release again.")
    files = (SwarmSecret(name, secret, found[secret]) for name, secret in stack.secret_files.items())
    return variables, tuple(files)


def sizes(tx: sa.Connection, vault: Vault, configuration: Variables, wanted: Iterable[str]) -> dict[str, SecretSize]:
    """Of the secrets that are wanted; those that the platform makes itself are short, and left out."""
    names = frozenset(wanted) & configuration.secrets
    found = values(tx, vault, ((name, key) for name, key in configuration.versions.items() if name in names))
    return {name: size_of_secret(value) for name, value in found.items()}


def _file_name(vault: Vault, stack: str, secret: str, value: str) -> str:
    return secret_name(stack, secret, vault.hash(value, f"{stack} {secret}"))


def _opened(vault: Vault, setting: Variable, sealed: bytes) -> str:
    return vault.open(sealed, context(setting.project_id, setting.group))
