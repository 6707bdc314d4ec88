"""The files of a commit or of a working copy, and where its symbolic links lead: never out of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cabestan.errors import Invalid

#: as many as Linux itself follows on the way to one file
_MOST_LINKS = 40
#: folders that all links on the way to one file name together
MOST_STEPS = 1_000
#: bytes of a link's target, and characters of a path: Linux itself takes no longer ones
LONGEST_TARGET = 4096
_LONGEST_PATH = 4096
LINK_REMEDY = "Commit the file itself in its place, or a link to a file of this repository."


class LinkRefused(Invalid):
    """A symbolic link that is not followed; `link` is its path."""

    code = "link-refused"

    def __init__(self, link: str, what: str) -> None:
        self.link = link
        super().__init__(f"{link} is a symbolic link {what}.", LINK_REMEDY)


def resolve(path: str, links: Mapping[str, str]) -> str:
    """Where a path of the tree really is, each link on its way followed; that it exists is not said.

    `links` maps the path of each symbolic link to its target as it is stored. The root itself is an empty text.
    A path longer than any comes back as it is. Raises LinkRefused for a link that leads out of the tree, or on and on.
    """
    if len(path) > _LONGEST_PATH:
        return path
    done: list[str] = []  # each folder with those above it
    left, link, followed, steps = _parts(path), path, 0, 0
    while left:
        part = left.pop()
        if part == "..":
            if not done:
                raise LinkRefused(link, f"to {links.get(link, path)[:80]}, which leads out of the repository")
            done.pop()
            continue
        done.append(f"{done[-1]}/{part}" if done else part)
        target = links.get(done[-1])
        if target is None:
            continue
        link, followed = done[-1], followed + 1
        if followed > _MOST_LINKS:
            raise LinkRefused(path, "that leads in a circle, or over too many others")
        if not target or target.startswith("/"):
            raise LinkRefused(link, f"to {target[:80] or 'nothing'}, which leads out of the repository")
        done.pop()
        further = _parts(target)
        steps += len(further)
        if steps > MOST_STEPS:
            raise LinkRefused(link, f"over more than {MOST_STEPS} folders")
        left += further
    return done[-1] if done else ""


def _parts(path: str) -> list[str]:
    """The last one first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


@dataclass(frozen=True)
class Tree:
    """Paths are relative to the root, with `/` between their parts.

    `closed` are folders that nobody has looked into; `whole` tells whether all files are named.
    """

    plain: frozenset[str]
    #: path to target, as it is stored
    links: Mapping[str, str] = field(default_factory=dict)
    submodules: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    whole: bool = True

    @cached_property
    def files(self) -> frozenset[str]:
        """All that can be asked for as a file: a link that leads nowhere too, for it is named as the cause then."""
        return self.plain.union(link for link in self.links if not self._is_folder(link))

    @cached_property
    def folders(self) -> frozenset[str]:
        """Those that something is in, and those that are known by name alone."""
        return folders_above((*self.plain, *self.links, *self.submodules, *self.closed)) | self.submodules | self.closed

    def real(self, path: str) -> str:
        """Where the file really is. Raises LinkRefused."""
        real = resolve(path, self.links)
        if real != path and real not in self.plain:
            link = path if path in self.links else posixpath.dirname(path)
            raise LinkRefused(link, f"to {real[:80] or '.'}, where there is no file")
        return real

    def has(self, path: str) -> bool:
        """Whether a file is there, also by way of a folder that is a link; as for `files`, it need not be readable."""
        if path in self.files:
            return True
        try:
            return bool(self.links) and resolve(path, self.links) in self.plain
        except LinkRefused:
            return True

    def below(self, folder: str) -> tuple[str, ...]:
        """The files below a folder, in order, by their paths by way of it; it may be a link, or lie below one."""
        folder = folder.rstrip("/")
        try:
            real = resolve(folder, self.links)
        except LinkRefused:
            return ()
        start = f"{real}/" if real else ""
        return tuple(sorted(f"{folder}/{path[len(start) :]}" for path in self.files if path.startswith(start)))

    def _is_folder(self, link: str) -> bool:
        try:
            real = resolve(link, self.links)
        except LinkRefused:
            return False
        return not real or real in self.folders


def folders_above(paths: Iterable[str]) -> frozenset[str]:
    """All folders that one of the paths is in, the root left out."""
    found: set[str] = set()
    for path in paths:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)
