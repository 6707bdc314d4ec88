"""Environments: the named places of a project."""

import fnmatch
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from cabestan.domain.names import slug


class Trigger(StrEnum):
    """How a new release comes to an environment."""

    #: at once
    AUTOMATIC = "automatic"
    #: after a person's approval
    MANUAL = "manual"


#: In `Environment.branches`: the project's default branch, whatever its name.
DEFAULT_BRANCH = "@default"


@dataclass(frozen=True)
class Environment:
    """`branches` holds patterns (`main`, `release/*`) or `@default`; `approvers` user names, empty for all maintainers.

    `domain` is empty for the default one. `watch_seconds` is how long all tasks must stay healthy. `compose_files`
    are paths in the repository, the later over the earlier; empty for the file that Docker would find there.
    """

    id: int
    project_id: int
    project: str
    name: str
    position: int
    target: str
    domain: str
    trigger: Trigger
    branches: tuple[str, ...]
    approvers: tuple[str, ...]
    watch_seconds: int
    #: whether it answers over plain HTTP too, instead of sending to HTTPS
    plain_http: bool = False
    compose_files: tuple[str, ...] = ()
    #: in which schedules are read, such as Europe/Paris; empty for the installation's own
    time_zone: str = ""
    #: the deployment that serves now, the last one that succeeded
    current_deployment_id: int | None = None

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def takes(self, branch: str, default_branch: str) -> bool:
        """Whether releases of the branch come here by themselves."""
        patterns = (default_branch if pattern == DEFAULT_BRANCH else pattern for pattern in self.branches)
        return any(fnmatch.fnmatchcase(branch, pattern) for pattern in patterns)

    def full_domain(self, target_domain: str) -> str:
        """Its own domain, or `<environment>-<project>-<group>.<target domain>`."""
        group, _, short_name = self.project.partition("/")
        return self.domain or f"{slug(f'{self.name}-{short_name}-{group}')}.{target_domain}"

    def stack_name(self, instance: str) -> str:
        """The name of its stack, its network and its volumes in Swarm: unique by the id, at most 32 characters.

        A service's name in Swarm is `<stack>_<service>`, of at most 63.
        """
        return f"{instance}-{self.id}-{slug(self.project)}-{slug(self.name)}"[:32].strip("-")


@dataclass(frozen=True)
class EnvironmentDraft:
    """What a new environment begins with."""

    name: str
    trigger: Trigger
    branches: tuple[str, ...] = (DEFAULT_BRANCH,)


#: What every project begins with, in the order in which a release travels.
FIRST_ENVIRONMENTS = (
    EnvironmentDraft("staging", Trigger.AUTOMATIC),
    EnvironmentDraft("production", Trigger.MANUAL),
)
