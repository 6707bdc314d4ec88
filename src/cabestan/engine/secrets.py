"""Secrets: sealed when they come in, opened only for what needs them."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from cabestan.adapters.vault import Vault
from cabestan.store import configuration as store
from cabestan.store import managed as managed_store


def context(project_id: int) -> str:
    """What a sealed value is bound to: one project's cannot be opened as another's."""
    return f"project {project_id}"


def values(tx: sa.Connection, vault: Vault, project_id: int, ids: Iterable[int]) -> Mapping[str, str]:
    """Name to value, of the versions with these ids that are secrets."""
    return {name: vault.open(sealed, context(project_id)) for name, sealed in store.sealed(tx, ids).items()}


def all_values(tx: sa.Connection, vault: Vault, project_id: int) -> tuple[str, ...]:
    """Every value that any secret or database password of the project has or had: none may show in a log."""
    kept = (*store.sealed_of_project(tx, project_id), *managed_store.sealed_of_project(tx, project_id))
    return tuple(vault.open(sealed, context(project_id)) for sealed in kept)
