"""The Compose files of a commit: which a release keeps, and which of them an environment is deployed from."""

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from cabestan.compose.commit_files import listing
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile, needed_files
from cabestan.domain.environment import Environment
from cabestan.domain.release import Release
from cabestan.domain.tree import Tree
from cabestan.engine.services import Services
from cabestan.errors import Invalid, StepFailed
from cabestan.pipeline.convention import LIKELY_NAME, compose_file
from cabestan.store import deployments as deployment_store


def reader(services: Services, project_id: int, commit: str, tree: Tree) -> Callable[[str], str | None]:
    """Gives the text of a file of the commit, or the paths below a folder; None where there is none."""

    def read(path: str) -> str | None:
        if path.endswith("/"):
            return listing(tree, path)
        return services.repositories.read(project_id, commit, path, tree) if tree.has(path) else None

    return read


def kept_files(
    files: frozenset[str], environments: Iterable[Environment], read: Callable[[str], str | None]
) -> tuple[str, dict[str, str]]:
    """The name of the file that counts, and the texts that a release keeps, by path. Raises ComposeRefused."""
    default = compose_file(files)
    chosen = [name for environment in environments for name in environment.compose_files]
    texts = needed_files([*([default] if default else []), *chosen], read)
    for path in sorted(path for path in files.difference(texts) if LIKELY_NAME.fullmatch(path)):
        texts = _also(path, read) | texts
    return default or "", texts


def _also(path: str, read: Callable[[str], str | None]) -> dict[str, str]:
    """A file that nobody has asked for yet need not be a good one."""
    try:
        return needed_files([path], read)
    except (ComposeRefused, Invalid):
        return {}


def sets_of(tree: Tree, environments: Iterable[Environment]) -> tuple[tuple[str, ...], ...]:
    """What the environments are deployed from, each combination once; only those that the commit has."""
    default = compose_file(tree.files)
    chosen: list[tuple[str, ...]] = [(default,)] if default else []
    chosen += [environment.compose_files for environment in environments if environment.compose_files]
    return tuple(dict.fromkeys(names for names in chosen if all(map(tree.has, names))))


def tree_of(services: Services, release: Release) -> Tree | None:
    """None where Git has forgotten the commit of an old release, which was checked when it was made."""
    try:
        return services.repositories.paths(release.project_id, release.commit)
    except StepFailed:
        return None


def is_deployable(release: Release, environment: Environment) -> bool:
    """Whether there is any file to deploy from; whether it is there is another question."""
    return bool(environment.compose_files or release.compose_file)


def has_its_files(release: Release, environment: Environment) -> bool:
    """Whether the commit has all the files that the environment is deployed from."""
    names = environment.compose_files or (release.compose_file,)
    return all(name in release.texts for name in names)


def sources(release: Release, environment: str, names: tuple[str, ...]) -> tuple[SourceFile, ...]:
    """The files that the environment is deployed from, in the order in which they are joined. Raises Invalid.

    Where it names none, the one that counts in the commit.
    """
    names = names or ((release.compose_file,) if release.compose_file else ())
    if not names:
        raise Invalid(
            f"Release {release.number} has no Compose file, so there is nothing to deploy.",
            "Commit a docker-compose.yml that names the services.",
        )
    for name in names:
        if name not in release.texts:
            raise Invalid(
                f"Commit {release.commit[:8]} has no Compose file {name}, from which {environment} is deployed.",
                "Commit the file, or choose another with `cabestan environment set --compose-file`.",
            )
    return tuple(SourceFile(name, release.texts[name]) for name in names)


def names_before(tx: sa.Connection, release: Release, restores: int | None) -> tuple[str, ...]:
    """Those that an earlier deployment, which is to come back, was made from; none where none comes back."""
    plan = deployment_store.plan_of(tx, restores) if restores is not None else None
    return (plan.compose_files or (release.compose_file,)) if plan else ()
