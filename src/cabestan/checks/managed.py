"""Services that the platform will serve itself: a check sees the file as a deployment does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cabestan.checks.subject import Place
from cabestan.compose.library import SourceFile
from cabestan.compose.managed import managed_kinds
from cabestan.compose.placeholder import secret_placeholder
from cabestan.domain.managed import Kind, all_variables, managed_by_default, password_variable

#: for a password where nobody knows the place's secrets
_SOMETHING = "value"


def managed_names(kinds: Iterable[Kind], project: str) -> frozenset[str]:
    """The variables and secrets that the platform sets for its services."""
    return frozenset(all_variables(kinds, project)) | _passwords(kinds)


def _passwords(kinds: Iterable[Kind]) -> frozenset[str]:
    return frozenset(name for kind in kinds if (name := password_variable(kind)))


def with_managed(place: Place, project: str, files: Iterable[SourceFile]) -> tuple[Place, tuple[Kind, ...]]:
    """The place with the variables of its managed services, and which those are. Raises ComposeRefused."""
    serves = managed_by_default(place.name) if place.managed is None else place.managed
    kinds = managed_kinds(files) if serves else ()
    passwords = _passwords(kinds)
    if place.secrets is None:
        words, secrets = dict.fromkeys(passwords, _SOMETHING), None
    else:
        words, secrets = {name: secret_placeholder(name) for name in passwords}, place.secrets | passwords
    variables = {**place.variables, **all_variables(kinds, project), **words}
    return replace(place, variables=variables, secrets=secrets), kinds
