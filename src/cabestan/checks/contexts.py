"""The folders that images are built from: what of a commit's files a build will find there."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import islice

from cabestan.checks.subject import Subject
from cabestan.domain.finding import Finding
from cabestan.domain.pipeline import ImageBuild
from cabestan.domain.tree import Tree, folders_above, resolve
from cabestan.pipeline.ignoring import NOTHING_IGNORED, Ignored, ignore_files, ignored, matching
from cabestan.pipeline.taken import Taken, taken

_WILDCARDS = frozenset("*?[")
#: files of a folder that are asked for one by one; who leaves out more than these is believed
_MOST_ASKED = 2_000
#: sources of a Dockerfile that are looked for, and of those with wildcards, which are compared with every name of the
#: context; what is beyond is believed, as are wildcards where the names have more characters than these
MOST_SOURCES, MOST_WILDCARDS, MOST_CHARACTERS = 1_000, 20, 4_000_000


class Found(Enum):
    """What becomes of a path that a Dockerfile names."""

    #: it is there, or nobody can tell
    THERE = auto()
    #: the commit has it, and an ignore file leaves it out
    LEFT_OUT = auto()
    #: the commit does not have it
    MISSING = auto()


@dataclass(frozen=True)
class Context:
    """`folder` is the real one, empty for the root; `ignore_file` the one that counts, empty where there is none."""

    tree: Tree
    folder: str
    dockerfile: str
    ignored: Ignored = NOTHING_IGNORED
    ignore_file: str = ""

    def within(self, path: str) -> str | None:
        """The path as the build sees it, the context itself an empty text; None for one that it does not see."""
        if not self.folder or path == self.folder:
            inside = path if not self.folder else ""
        elif path.startswith(f"{self.folder}/"):
            inside = path[len(self.folder) + 1 :]
        else:
            return None
        return None if inside and self.ignored.leaves_out(inside) else inside

    def find(self, source: str) -> Found:
        """A source as a Dockerfile writes it."""
        path = posixpath.normpath(f"/{source}").lstrip("/")
        if not path or not self.tree.whole or "**" in path or "\\" in path:
            return Found.THERE
        if not _has_wildcards(path):
            return self._find_plain(path)
        if self._characters > MOST_CHARACTERS:
            return Found.THERE
        matches = list(islice(matching(path, self._names), _MOST_ASKED))
        if not matches and self._may_be_linked(path):
            return Found.THERE
        return min((self._find_plain(match) for match in matches), key=lambda one: one.value, default=Found.MISSING)

    def _find_plain(self, path: str) -> Found:
        whole = f"{self.folder}/{path}".lstrip("/")
        if self._may_be_linked(path) or whole == self.dockerfile or path == ".dockerignore":
            return Found.THERE
        if path not in self._names:
            return Found.MISSING
        if not self.ignored.leaves_out(path):
            return Found.THERE
        below = self._below(f"{path}/")
        kept = len(below) == _MOST_ASKED or any(not self.ignored.leaves_out(name) for name in below)
        return Found.THERE if kept else Found.LEFT_OUT

    def _may_be_linked(self, path: str) -> bool:
        """Whether a link, or a folder that nobody has looked into, is on the way: only the build itself can tell."""
        parts = f"{self.folder}/{path}".strip("/").split("/")
        ways = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return any(way in self.tree.links or way in self.tree.closed or way in self.tree.submodules for way in ways)

    def _below(self, folder: str) -> list[str]:
        first = bisect_left(self._in_order, folder)
        return [name for name in self._in_order[first : first + _MOST_ASKED] if name.startswith(folder)]

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self._names)

    @cached_property
    def _characters(self) -> int:
        return sum(map(len, self._names))

    @cached_property
    def _names(self) -> frozenset[str]:
        """Files and folders, as the build would see them if nothing were left out."""
        start = f"{self.folder}/" if self.folder else ""
        all_files = (*self.tree.plain, *self.tree.links, *self.tree.submodules)
        files = {path[len(start) :] for path in all_files if path.startswith(start)}
        return folders_above(files).union(files)


def context_of(subject: Subject, build: ImageBuild) -> Context:
    """Raises LinkRefused where the context, or its ignore file, is a link that is not followed, and DockerfileRefused
    for an ignore file that is too large.
    """
    folder = resolve(build.context, subject.tree.links)
    real = subject.tree.real(build.dockerfile)
    for path in ignore_files(build.dockerfile, build.context):
        if subject.tree.has(path):
            return Context(subject.tree, folder, real, ignored(subject.read(path), path), path)
    return Context(subject.tree, folder, real)


def check_sources(context: Context, dockerfile: str, text: str) -> Iterator[Finding]:
    """What a Dockerfile takes from its context, and the context will not have."""
    for one in _looked_for(taken(text)):
        if words := _words(context, one.source, context.find(one.source)):
            message, remedy = words
            yield Finding("copy-missing", "error", dockerfile, one.line, 1, "", message, remedy)


def _looked_for(sources: Iterable[Taken]) -> Iterator[Taken]:
    wildcards = 0
    for one in islice(sources, MOST_SOURCES):
        wildcards += _has_wildcards(one.source)
        if wildcards <= MOST_WILDCARDS or not _has_wildcards(one.source):
            yield one


def _has_wildcards(path: str) -> bool:
    return not _WILDCARDS.isdisjoint(path)


def _words(context: Context, source: str, found: Found) -> tuple[str, str] | None:
    where = f"the folder {context.folder}" if context.folder else "the repository"
    match found:
        case Found.MISSING:
            message = f"The commit has no {source[:80]} in {where}, which the image is built from."
            return message, "Correct the path, or commit it: what .gitignore names is not part of a commit."
        case Found.LEFT_OUT:
            message = f"{source[:80]} is left out by {context.ignore_file}, so the build will not find it."
            return message, f"Take it out of {context.ignore_file}, or write !{source[:80].strip('/')} at its end."
        case Found.THERE:
            return None


def seen(contexts: Iterable[Context], path: str) -> bool:
    """Whether a build sees it."""
    return any(context.within(path) is not None for context in contexts)
