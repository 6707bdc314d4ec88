"""The Compose files of a commit: which a release keeps, and which of them an environment is deployed from."""

import re
from collections.abc import Callable, Iterable

import sqlalchemy as sa

from cabestan.compose.commit_files import listing
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile, needed_files
from cabestan.domain.environment import Environment
from cabestan.domain.release import Release
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.pipeline.convention import compose_file
from cabestan.store import deployments as deployment_store

#: files at the repository's root that an environment may come to name later
_LIKELY = re.compile(r"[A-Za-z0-9._-]*compose[A-Za-z0-9._-]*\.ya?ml")


def reader(services: Services, project_id: int, commit: str, files: frozenset[str]) -> Callable[[str], str | None]:
    """Gives the text of a file of the commit, or the paths below a folder; None where there is none."""

    def read(path: str) -> str | None:
        if path.endswith("/"):
            return listing(files, path)
        return services.repositories.read(project_id, commit, path) if path in files else None

    return read


def kept_files(
    files: frozenset[str], environments: Iterable[Environment], read: Callable[[str], str | None]
) -> tuple[str, dict[str, str]]:
    """The name of the file that counts, and the texts that a release keeps, by path. Raises ComposeRefused."""
    default = compose_file(files)
    chosen = [name for environment in environments for name in environment.compose_files]
    texts = needed_files([*([default] if default else []), *chosen], read)
    for path in sorted(path for path in files.difference(texts) if _LIKELY.fullmatch(path)):
        texts = _also(path, read) | texts
    return default or "", texts


def _also(path: str, read: Callable[[str], str | None]) -> dict[str, str]:
    """A file that nobody has asked for yet need not be a good one."""
    try:
        return needed_files([path], read)
    except (ComposeRefused, Invalid):
        return {}


def sets_of(files: frozenset[str], environments: Iterable[Environment]) -> tuple[tuple[str, ...], ...]:
    """What the environments are deployed from, each combination once; only those that the commit has."""
    default = compose_file(files)
    chosen: list[tuple[str, ...]] = [(default,)] if default else []
    chosen += [environment.compose_files for environment in environments if environment.compose_files]
    return tuple(dict.fromkeys(names for names in chosen if files.issuperset(names)))


def is_deployable(release: Release, environment: Environment) -> bool:
    """Whether there is any file to deploy from; whether it is there is another question."""
    return bool(environment.compose_files or release.compose_file)


def sources(release: Release, environment: Environment, names: tuple[str, ...] | None = None) -> tuple[SourceFile, ...]:
    """The files that the environment is deployed from, in the order in which they are joined. Raises Invalid."""
    names = names or environment.compose_files or ((release.compose_file,) if release.compose_file else ())
    if not names:
        raise Invalid(
            f"Release {release.number} has no Compose file, so there is nothing to deploy.",
            "Commit a docker-compose.yml that names the services.",
        )
    for name in names:
        if name not in release.texts:
            raise Invalid(
                f"Commit {release.commit[:8]} has no Compose file {name}, from which {environment.name} is deployed.",
                "Commit the file, or choose another with `cabestan environment set --compose-file`.",
            )
    return tuple(SourceFile(name, release.texts[name]) for name in names)


def names_before(tx: sa.Connection, release: Release, restores: int | None) -> tuple[str, ...] | None:
    """Those that an earlier deployment, which is to come back, was made from."""
    plan = deployment_store.plan_of(tx, restores) if restores is not None else None
    return (plan.compose_files or (release.compose_file,)) if plan else None
