"""Who may do what in the image registry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cabestan.domain.access import Identity, Permission, User, may

PULL, PUSH = "pull", "push"
#: the owner of the platform's own images, which everybody may begin with
CATALOGUE = "cabestan"
#: as `docker` asks: `repository:shop/api:pull,push`
_SCOPE = re.compile(r"repository:([a-z0-9][a-z0-9._/-]{0,254}):([a-z,*]{1,40})", re.ASCII)
_MOST_SCOPES = 20


@dataclass(frozen=True)
class Access:
    """What is allowed in one repository (`shop/api/worker`, without the registry's address)."""

    repository: str
    actions: tuple[str, ...]


def asked(scopes: Iterable[str]) -> tuple[Access, ...]:
    """Of what a client asks for, all that can be understood."""
    parts = [part for scope in scopes for part in scope.split()][:_MOST_SCOPES]
    matches = [match for part in parts if (match := _SCOPE.fullmatch(part))]
    return tuple(Access(match[1], tuple(match[2].split(","))) for match in matches)


def granted(identity: Identity, wanted: Iterable[Access]) -> tuple[Access, ...]:
    """Of what is asked for, what they may: people pull, and nobody pushes but jobs, by tokens of their own.

    What is not granted is left out, so that nobody learns whether it is there.
    """
    return tuple(Access(one.repository, (PULL,)) for one in wanted if PULL in one.actions and _sees(identity, one))


def rights_of_job(project: str, repository: str, bases: Iterable[str]) -> tuple[Access, ...]:
    """Of the build of one image, which it pushes; of its bases it pulls those of its own project and the platform's."""
    allowed = sorted({base for base in bases if project_of(base) == project or _is_catalogue(base)} - {repository})
    return (Access(repository, (PULL, PUSH)), *(Access(base, (PULL,)) for base in allowed))


def project_of(repository: str) -> str:
    """`shop/api/worker` is of `shop/api`; empty for what is no project's."""
    parts = repository.split("/")
    return "/".join(parts[:2]) if len(parts) > 1 and all(parts) and not _is_catalogue(repository) else ""


def _is_catalogue(repository: str) -> bool:
    return repository.startswith(f"{CATALOGUE}/")


def _sees(identity: Identity, wanted: Access) -> bool:
    if _is_catalogue(wanted.repository):
        return isinstance(identity, User)
    project = project_of(wanted.repository)
    return bool(project) and may(identity, Permission.READ, project)
