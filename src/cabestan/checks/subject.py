"""What is checked: the files of a commit or of a working copy, and the places that it may go to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cabestan.compose.commit_files import listing
from cabestan.compose.library import SourceFile
from cabestan.domain.tree import Tree
from cabestan.pipeline.base_images import NO_BASE_IMAGES, BaseImages


@dataclass(frozen=True, slots=True)
class Subject:
    """A commit or a working copy, with what it is called by.

    `read` gives a file's text by its path in the repository, links followed; it raises CabestanError for one that is
    none.
    `sets` are the Compose files that are deployed from, each set joined in its order; none where there is nothing
    to deploy.
    """

    project: str
    commit: str
    branch: str
    registry: str
    tree: Tree
    read: Callable[[str], str]
    sets: tuple[tuple[str, ...], ...] = ()
    #: the files that are pointers of Git LFS; looked for only where it is asked
    pointers: Callable[[], frozenset[str]] = frozenset
    #: `.env`, where there is one that hints are wanted for
    env_file: str = ""
    #: of the platform that it goes to, where that is known
    base_images: BaseImages = NO_BASE_IMAGES
    #: what a platform of this very version makes; asked for where nothing is known of that one
    shipped: Callable[[], BaseImages] = lambda: NO_BASE_IMAGES

    @property
    def compose(self) -> tuple[str, ...]:
        """All Compose files, each once."""
        return tuple(dict.fromkeys(name for names in self.sets for name in names))

    @property
    def files(self) -> frozenset[str]:
        """All that may be read by name."""
        return self.tree.files

    def further(self, path: str) -> str | None:
        """A file that another one names, or the paths below a folder; None where there is none."""
        if path.endswith("/"):
            return listing(self.tree, path)
        return self.read(path) if self.tree.has(path) else None

    def sources(self, names: Iterable[str]) -> tuple[SourceFile, ...]:
        return tuple(SourceFile(name, self.read(name)) for name in names)

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
    #: the Compose files that it is deployed from; the subject's first set where none are named
    compose: tuple[str, ...] = ()
    #: those whose values are known for certain, and stand in for nothing
    known: Mapping[str, str] = field(default_factory=dict)
    #: names of variables for whose values something stands in, for nobody knows them here
    stand_ins: frozenset[str] = frozenset()
    #: the stack's name, made of installation, project and environment
    stack: str = "stack"
    instance: str = "cabestan"
    #: the names of its secrets; None where nobody knows them
    secrets: frozenset[str] | None = None
    decides: bool = True
    #: whether the platform serves databases there; None where only the name can tell
    managed: bool | None = None
