"""A project and what is pushed to it."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.domain.names import slug


@dataclass(frozen=True)
class Project:
    """`name` is `group/name`; `id` never changes, a name may. `protected_branches` are patterns, or `@default`."""

    id: int
    name: str
    default_branch: str
    created_at: datetime
    protected_branches: tuple[str, ...] = (DEFAULT_BRANCH,)

    @property
    def protected_patterns(self) -> tuple[str, ...]:
        """With the default branch by its name."""
        return tuple(self.default_branch if p == DEFAULT_BRANCH else p for p in self.protected_branches)

    def protects(self, branch: str) -> bool:
        """Whether the branch gets protected variables and secrets, and is for maintainers to push to."""
        return any(fnmatch.fnmatchcase(branch, pattern) for pattern in self.protected_patterns)

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        return self.name.partition("/")[2]

    @property
    def slug(self) -> str:
        return slug(self.name)


@dataclass(frozen=True)
class RefChange:
    """A ref that stands elsewhere than when it was last looked at. `None` is: not there."""

    ref: str
    before: str | None
    after: str | None

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


def ref_changes(seen: Mapping[str, str], actual: Mapping[str, str]) -> tuple[RefChange, ...]:
    """What was pushed since the refs were last recorded, in the order of the refs' names.

    The comparison, not a message from the push, is what tells: so a push is found exactly once,
    also when the server died between git's writing of the ref and our recording of it.
    """
    names = sorted(seen.keys() | actual.keys())
    return tuple(
        RefChange(name, seen.get(name), actual.get(name)) for name in names if seen.get(name) != actual.get(name)
    )
