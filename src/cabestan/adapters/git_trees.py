"""The files of a commit, as its tree objects have them: counted and listed with no more work than the bounds allow."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from cabestan.adapters.git_objects import Objects
from cabestan.domain.tree import LONGEST_TARGET, LinkRefused
from cabestan.errors import Invalid

#: nested folders, and bytes of a path from the repository's root
DEEPEST, LONGEST_PATH = 64, 1000
#: bytes of all paths of a commit, for whoever lists them holds them
_PATHS = 8 * 1024 * 1024
#: a single folder, as Git stores it
_TREE_BYTES = 16 * 1024 * 1024
_FOLDER, LINK, SUBMODULE = 0o40000, 0o120000, 0o160000
#: a commit or a tag itself, with its message
_COMMIT_BYTES = 1024 * 1024
#: a tag may be one of a tag
_MOST_TAGS = 5


@dataclass(frozen=True)
class Bounds:
    """Of a commit: files and folders, and the bytes of its files."""

    entries: int = 50_000
    bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True)
class TreeFile:
    """What stands in a commit's tree and is no folder.

    `path` from the repository's root, bytes that are no UTF-8 as Python's file names have them (`os.fsencode` gives the
    bytes back). `mode` as Git has it: 0o100644, 0o100755, 0o120000 (a link, whose target is the content) or 0o160000
    (a submodule, without content). `content` is read before the next file is asked for; what is not, is passed over.
    """

    path: str
    mode: int
    size: int
    content: Iterator[bytes]


@dataclass(frozen=True)
class _Entry:
    mode: int
    name: bytes
    object: str


@dataclass(frozen=True)
class _Extent:
    """Of a folder with all that is in it: entries, levels, bytes of the longest path, of all paths and of all files."""

    entries: int = 0
    levels: int = 0
    path: int = 0
    paths: int = 0
    bytes: int = 0


class Trees:
    """The commits of one repository. A tree object is read and counted once, however often it occurs: a few of them may
    stand for millions of files. `weighed`: the sizes of the files are counted too, which takes longer, and those of
    links are looked at.
    """

    def __init__(self, objects: Objects, bounds: Bounds, *, weighed: bool = False) -> None:
        self._objects = objects
        self._bounds = bounds
        self._weighed = weighed
        self._extents: dict[str, _Extent] = {}

    def check(self, commit: str) -> None:
        """Raises Invalid for a commit with too many files and folders, a path that is too deep or too long, or a
        message without end.
        """
        self._extent(self._tree_of(commit), 0, 0, commit)

    def files(self, commit: str, folder: str = "") -> Iterator[TreeFile]:
        """Those whose path begins so, in the order of Git.

        Raises Invalid for a commit over the bounds, before the first file but for its bytes.
        """
        self.check(commit)
        left = self._bounds.bytes
        beginning = os.fsencode(folder)
        found = [one for one in self._walk(self._tree_of(commit), b"") if one[0].startswith(beginning)]
        contents = self._objects.all_contents(entry.object for _, entry in found if entry.mode != SUBMODULE)
        for path, entry in found:
            name = os.fsdecode(path)
            if entry.mode == SUBMODULE:
                yield TreeFile(name, entry.mode, 0, iter(()))
                continue
            header, content = next(contents)
            left -= header.size
            if left < 0:
                raise self._too_much(commit, f"files of more than {self._bounds.bytes} bytes (commit_bytes)")
            yield TreeFile(name, entry.mode, header.size, content)

    def _walk(self, tree: str, folder: bytes) -> Iterator[tuple[bytes, _Entry]]:
        for entry in self._entries(tree):
            path = folder + entry.name
            if entry.mode == _FOLDER:
                yield from self._walk(entry.object, path + b"/")
            else:
                yield path, entry

    def _extent(self, tree: str, depth: int, before: int, commit: str) -> _Extent:
        """Of a tree that stands so deep, with so many bytes of its path before it."""
        if depth > DEEPEST:
            raise self._too_much(commit, f"folders more than {DEEPEST} levels deep")
        found = self._extents.get(tree) or self._counted(tree, depth, before, commit)
        self._extents[tree] = found
        if found.entries > self._bounds.entries:
            raise self._too_much(commit, f"more than {self._bounds.entries} files and folders (commit_files)")
        if depth + found.levels > DEEPEST:
            raise self._too_much(commit, f"folders more than {DEEPEST} levels deep")
        if before + found.path > LONGEST_PATH:
            raise self._too_much(commit, f"a path of more than {LONGEST_PATH} bytes")
        if found.bytes > self._bounds.bytes:
            raise self._too_much(commit, f"files of more than {self._bounds.bytes} bytes (commit_bytes)")
        if found.paths > _PATHS:
            raise self._too_much(commit, f"paths of more than {_PATHS} bytes in all")
        return found

    def _counted(self, tree: str, depth: int, before: int, commit: str) -> _Extent:
        entries, levels, longest, paths, size = 0, 0, 0, 0, 0
        found = list(self._entries(tree))
        if self._weighed and len(found) <= self._bounds.entries:
            files = [entry for entry in found if entry.mode not in (_FOLDER, SUBMODULE)]
            sizes = self._objects.headers(entry.object for entry in files)
            size = sum(_weight(entry, header.size) for entry, header in zip(files, sizes, strict=True))
        for entry in found:
            below, length = _Extent(), len(entry.name) + 1
            if entry.mode == _FOLDER:
                below = self._extent(entry.object, depth + 1, before + length, commit)
                levels = max(levels, below.levels + 1)
            entries += 1 + below.entries
            size += below.bytes
            paths += length + below.entries * length + below.paths
            longest = max(longest, length - 1, length + below.path if below.entries else 0)
            if entries > self._bounds.entries:
                break
        return _Extent(entries, levels, longest, paths, size)

    def _entries(self, tree: str) -> Iterator[_Entry]:
        data = self._objects.read(tree, "tree", _TREE_BYTES)
        if data is None:
            raise Invalid(f"A folder of this commit takes more than {_TREE_BYTES} bytes.", "Commit fewer files.")
        return parse_tree_object(data)

    def _tree_of(self, commit: str) -> str:
        """The first line of a commit names its tree, that of a tag a commit or another tag."""
        name = commit
        for _ in range(_MOST_TAGS):
            header, pieces = self._objects.contents(name)
            if header.size > _COMMIT_BYTES:
                raise self._too_much(commit, f"a message and other words of more than {_COMMIT_BYTES} bytes")
            word, _, name = next(pieces, b"").partition(b"\n")[0].decode(errors="replace").partition(" ")
            if header.kind == "commit" and word == "tree":
                return name
            if header.kind != "tag" or word != "object":
                break
        raise Invalid(f"{commit[:12]} is not a commit.", "Push commits, and tags of commits.")

    def _too_much(self, commit: str, what: str) -> Invalid:
        return Invalid(
            f"Commit {commit[:12]} has {what}; that is more than is taken.",
            "Leave out what is generated or downloaded (.gitignore), and push again.",
        )


def _weight(entry: _Entry, size: int) -> int:
    check_target(os.fsdecode(entry.name), entry.mode, size)
    return size


def check_target(name: str, mode: int, size: int) -> None:
    """Raises LinkRefused for a symbolic link of more bytes than one has."""
    if mode == LINK and size > LONGEST_TARGET:
        raise LinkRefused(
            os.fsencode(name).decode(errors="replace"), f"with a target of more than {LONGEST_TARGET} bytes"
        )


def parse_tree_object(data: bytes) -> Iterator[_Entry]:
    """`<mode> <name>\\0<hash>` for each entry; hashes of 20 bytes. Raises Invalid."""
    at = 0
    try:
        while at < len(data):
            space, end = data.index(b" ", at), data.index(b"\0", at)
            yield _Entry(int(data[at:space], 8), data[space + 1 : end], data[end + 1 : end + 21].hex())
            at = end + 21
    except ValueError as error:
        raise Invalid("A folder of this commit is damaged.", "Push from a clone that `git fsck` finds good.") from error
