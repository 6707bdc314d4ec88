"""What is checked: the files of a commit or of a working copy, and the places that it may go to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """A commit or a working copy, with what it is called by.

    `read` gives a file's text by its path in the repository; it raises CabestanError for one that is none.
    `compose` are the Compose files, joined in this order; none where there is nothing to deploy.
    """

    project: str
    commit: str
    branch: str
    registry: str
    files: frozenset[str]
    read: Callable[[str], str]
    compose: tuple[str, ...] = ()
    #: paths in the repository that are symbolic links
    links: frozenset[str] = frozenset()
    #: `.env`, where there is one that hints are wanted for
    env_file: str = ""

    @property
    def registry_image(self) -> str:
        return f"{self.registry}/{self.project}"


@dataclass(frozen=True, slots=True)
class Place:
    """An environment as the Compose file sees it; secrets among the variables are placeholders.

    Errors of a place that does not `decide` are warnings: nothing goes there by itself.
    """

    name: str
    variables: Mapping[str, str]
    #: those whose values are known for certain, and stand in for nothing
    known: Mapping[str, str] = field(default_factory=dict)
    #: the stack's name, made of installation, project and environment
    stack: str = "stack"
    instance: str = "cabestan"
    secrets: frozenset[str] = field(default_factory=frozenset)
    decides: bool = True
