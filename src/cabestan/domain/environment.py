"""Environments: the named places of a project."""

import fnmatch
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from typing import Any, Self

from cabestan.domain.action import NOTHING_KEPT, Kept
from cabestan.domain.names import LABEL_LENGTH, slug

#: hexadecimal digits that tell apart what would have one name
_SUFFIX = 6


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
    #: what stands before the target's domain in its default one, chosen when it was made; empty for those of before
    label: str = ""
    #: whether its routes are asked every minute
    uptime: bool = True
    #: what each of its names is asked for; empty for the routes' own paths
    uptime_path: str = ""
    #: the status that an answer must have; 0 for any below 500
    uptime_status: int = 0
    #: the deployment that serves now, the last one that succeeded
    current_deployment_id: int | None = None
    #: what people have stopped and scaled here
    kept: Kept = NOTHING_KEPT

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def takes(self, branch: str, default_branch: str) -> bool:
        """Whether releases of the branch come here by themselves."""
        patterns = (default_branch if pattern == DEFAULT_BRANCH else pattern for pattern in self.branches)
        return any(fnmatch.fnmatchcase(branch, pattern) for pattern in patterns)

    def full_domain(self, target_domain: str) -> str:
        """Its own domain, or the default one."""
        return self.domain or self.default_domain(target_domain)

    def default_domain(self, target_domain: str) -> str:
        """`<environment>-<project>-<group>.<target domain>`, or what `free_label` made of it."""
        return f"{self.label or slug(_words(self.project, self.name))}.{target_domain}"

    def stack_name(self, instance: str) -> str:
        """The name of its stack, its network and its volumes in Swarm: unique by the id, at most 32 characters.

        A service's name in Swarm is `<stack>_<service>`, of at most 63.
        """
        return f"{instance}-{self.id}-{slug(self.project)}-{slug(self.name)}"[:32].strip("-")


def free_label(project: str, name: str, taken: Collection[str]) -> str:
    """`<environment>-<project>-<group>` as one label of a host name.

    Where that is too long, or taken (staging of `c/a-b` and of `b-c/a` would be the same), 6 digits of its own end it.
    """
    wanted = slug(_words(project, name), most=2 * LABEL_LENGTH)
    if len(wanted) <= LABEL_LENGTH and wanted not in taken:
        return wanted
    beginning = slug(wanted, most=LABEL_LENGTH - _SUFFIX - 1)
    digests = (hashlib.sha256(f"{project} {name} {number}".encode()).hexdigest()[:_SUFFIX] for number in count())
    return next(label for digest in digests if (label := f"{beginning}-{digest}") not in taken)


def _words(project: str, name: str) -> str:
    group, _, short_name = project.partition("/")
    return f"{name}-{short_name}-{group}"


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
