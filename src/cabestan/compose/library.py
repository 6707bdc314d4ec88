"""The files that a project's Compose files are made of: read once, within bounds, by their path in the repository.

A path outside the repository is never asked for. What a release must hold is told by `needed_files`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cabestan.compose.commit_files import Kept, Read, named_files, path_within
from cabestan.compose.findings import Report
from cabestan.compose.nodes import Field, Table, root_field, services_of
from cabestan.compose.source import Limits, read_document, refuse


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Compose file. `path` is relative to the repository, with `/` between its parts."""

    path: str
    text: str


def no_further_files(path: str) -> str | None:  # noqa: ARG001 (the shape of Read)
    """For a file that stands alone."""
    return None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read: its keys, and whether there are marks in it."""

    root: Table
    marked: bool


@dataclass(slots=True)
class Library:
    """Reads files as they are needed, all of them within one bound of size."""

    report: Report
    read: Read
    limits: Limits
    known: dict[str, Opened] = field(default_factory=dict)
    characters_left: int = field(init=False)
    nodes_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.characters_left, self.nodes_left = self.limits.max_bytes, self.limits.max_nodes

    def add(self, file: SourceFile) -> Opened:
        """Raises ComposeRefused for a file that is malformed, no mapping, or too much beside the others."""
        if file.path not in self.known:
            self._check_room(file)
            document = read_document(file.text, file.path, replace(self.limits, max_nodes=self.nodes_left))
            self.nodes_left -= document.size
            if not isinstance(document.root, Table):
                refuse(file.path, 1, 1, "not-compose", "The file holds no mapping.", "Begin with services:.")
            self.known[file.path] = Opened(document.root, document.marked)
        return self.known[file.path]

    def _check_room(self, file: SourceFile) -> None:
        if len(self.known) >= self.limits.max_files:
            message = f"More than {self.limits.max_files} files belong together."
            refuse(file.path, 1, 1, "too-many-files", message, "Join some of them.")
        self.characters_left -= len(file.text)
        if self.known and self.characters_left < 0:
            message = f"The files that belong together are longer than {self.limits.max_bytes} characters."
            refuse(file.path, 1, 1, "too-large", message, "Make them smaller.")

    def further(self, path: str) -> Opened | None:
        """A file that another one names; None where there is none."""
        if path in self.known:
            return self.known[path]
        text = self.read(path)
        return None if text is None else self.add(SourceFile(path, text))


def folder_of(path: str) -> str:
    """The folder of a file, `.` for the repository's root."""
    return posixpath.dirname(posixpath.normpath(path)) or "."


def needed_files(paths: Iterable[str], read: Read, limits: Limits | None = None) -> dict[str, str]:
    """The texts of these files, and of all that their services extend, read or get of the commit, by path.

    A file that is not there is left out, and whoever loads the others is told so then. Raises ComposeRefused for
    what cannot be read.
    """
    texts: dict[str, str] = {}
    first = list(dict.fromkeys(paths))
    opened: dict[str, Opened] = {}

    def kept(path: str) -> str | None:
        text = read(path)
        if text is not None:
            texts[path] = text
        return text

    for path in first:
        library = Library(Report(path), kept, limits or Limits())
        _follow(library, path, folder_of(path), set())
        opened |= library.known
    given = Kept(read, texts)
    for path, document in opened.items():
        folders = (folder_of(path), *(folder_of(one) for one in first))
        for named, whole in named_files(root_field(document.root), folders):
            given.keep(named, whole=whole)
    return texts


def _follow(library: Library, path: str, folder: str, seen: set[str]) -> None:
    if path in seen:
        return
    seen.add(path)
    document = library.further(path)
    if document is None:
        return
    for named in _extended_files(root_field(document.root)):
        further = path_within(folder, named)
        if further is not None:
            _follow(library, further, folder_of(further), seen)


def _extended_files(root: Field) -> Iterable[str]:
    for _, service in services_of(root):
        extends = service.get("extends")
        file = extends.get("file") if extends else None
        if file and isinstance(file.value, str):
            yield file.value
