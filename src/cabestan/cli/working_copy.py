"""The working copy in the current folder, as the checks look at it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cabestan.checks.stand_ins import COMMIT, PROJECT, REGISTRY
from cabestan.checks.subject import Subject
from cabestan.cli import client_config
from cabestan.cli.clone import project_of_clone
from cabestan.cli.failures import Unable
from cabestan.domain.large_files import MOST_POINTERS, is_pointer, may_be_pointer
from cabestan.domain.tree import Tree
from cabestan.errors import CabestanError
from cabestan.pipeline.base_images import BaseImages
from cabestan.pipeline.convention import compose_file

_ENV_FILE = ".env"
_SUBMODULE = "160000"
#: folders that hold no source of the project's own
_SKIPPED = frozenset({".git", "node_modules", ".venv", "vendor", "__pycache__"})
_MOST_FILES = 50_000
_EVERY_TEXT = re.compile(r"^\*\s(?:.*\s)?text(?:=auto)?(?:\s|$)", re.MULTILINE)
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """`prefix` stands before the files' paths where they are shown: they are given from elsewhere."""

    root: Path
    prefix: str
    subject: Subject
    #: whether the project is one that somebody named, by an option or by the clone
    of_project: bool
    #: whether the Compose files are those that somebody named
    named: bool

    def text(self, file: str) -> str | None:
        """Of a file as it is shown, for excerpts."""
        try:
            return _read(self.root, file.removeprefix(self.prefix))
        except CabestanError:
            return None


def working_copy(files: Sequence[str], project: str | None) -> WorkingCopy:
    """Of the files given, or of the current folder. Raises Unable where there is nothing to check."""
    root, prefix, compose = _located(files)
    for file in compose:
        _read(root, file)
    tree = _tree(root, compose)
    compose = compose or tuple(filter(None, (compose_file(tree.files),)))
    if not compose and not any(name.startswith("Dockerfile") for name in tree.files):
        raise Unable(f"There is no Compose file in {root}.", "Name it: -f FILE, or go to the project's folder.")
    known = project or _project()
    as_committed = _unix_line_ends if _has_unix_line_ends(root) else str
    subject = Subject(
        project=known or PROJECT,
        commit=_git(root, "rev-parse", "HEAD") or COMMIT,
        branch=_git(root, "branch", "--show-current") or "main",
        registry=REGISTRY,
        tree=tree,
        read=lambda path: as_committed(_read(root, tree.real(path))),
        sets=(compose,) if compose else (),
        pointers=lambda: _pointers(root, tree),
        env_file=_ENV_FILE if (root / _ENV_FILE).is_file() else "",
        shipped=_shipped,
    )
    return WorkingCopy(root, prefix, subject, of_project=known is not None, named=bool(files))


def _has_unix_line_ends(root: Path) -> bool:
    """Whether Git gives all texts those of Unix when they are committed."""
    try:
        attributes = _read(root, ".gitattributes")
    except CabestanError:
        attributes = ""
    return bool(_EVERY_TEXT.search(attributes)) or _git(root, "config", "core.autocrlf") in ("true", "input")


def _unix_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n")


def _pointers(root: Path, tree: Tree) -> frozenset[str]:
    """What stands there as a pointer of Git LFS, and what the next commit would have as one."""
    found = {path for path in islice(sorted(tree.plain), MOST_POINTERS) if _is_pointer(root / path)}
    if _git(root, "config", "filter.lfs.clean"):
        words = _git(root, "check-attr", "-z", "--stdin", "filter", stdin="\0".join(sorted(tree.plain))).split("\0")
        found |= {path for path, _, value in zip(words[::3], words[1::3], words[2::3], strict=False) if value == "lfs"}
    return frozenset(found)


def _is_pointer(file: Path) -> bool:
    try:
        return may_be_pointer(file.stat().st_size) and is_pointer(file.read_bytes())
    except OSError:
        return False


def _shipped() -> BaseImages:
    """Imported when it is wanted, for that takes a moment."""
    from cabestan.cli.shipped import base_images

    return base_images()


def _located(files: Sequence[str]) -> tuple[Path, str, tuple[str, ...]]:
    """The project's folder, what stands before paths in it where they are shown, and the files' paths in it."""
    here = Path.cwd()
    if not files:
        return here, "", ()
    paths = [Path(os.path.normpath(here / file)) for file in files]
    root = _root(paths[0], here)
    outside = next((path for path in paths if not path.is_relative_to(root)), None)
    if outside:
        raise Unable(f"{outside} is not in the project's folder, {root}.", "Keep the files together.")
    shown = root if Path(files[0]).is_absolute() else Path(os.path.relpath(root, here))
    return root, "" if root == here else f"{shown}/", tuple(path.relative_to(root).as_posix() for path in paths)


def _root(file: Path, here: Path) -> Path:
    """The folder of the file where a Dockerfile is beside it, else its clone's, else the current one if it is there."""
    folder = file.parent
    if folder == here or any(folder.glob("Dockerfile*")):
        return folder
    clone = _git(folder, "rev-parse", "--show-toplevel")
    if clone and file.is_relative_to(clone):
        return Path(clone)
    return here if file.is_relative_to(here) else folder


def _tree(root: Path, compose: Iterable[str]) -> Tree:
    """As a commit of all that is there would have it; of a folder that is no clone's, all but what others put there."""
    indexed = _git(root, "ls-files", "--stage", "-z")
    names = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if names:
        submodules = {path for mode, path in _staged(indexed) if mode == _SUBMODULE}
        paths = (name for name in names.split("\0") if name and name not in submodules)
        return _sorted_out(root, islice(paths, _MOST_FILES + 1), submodules=frozenset(submodules), kept=compose)
    return _sorted_out(root, islice(_walked(root), _MOST_FILES + 1), closed=frozenset(_closed(root)), kept=compose)


def _staged(output: str) -> Iterator[tuple[str, str]]:
    """Mode and path of each line of `git ls-files --stage -z`."""
    for record in output.split("\0"):
        meta, tab, path = record.partition("\t")
        if tab:
            yield meta.partition(" ")[0], path


def _sorted_out(
    root: Path,
    paths: Iterable[str],
    *,
    kept: Iterable[str],
    submodules: frozenset[str] = frozenset(),
    closed: frozenset[str] = frozenset(),
) -> Tree:
    found = list(paths)
    plain: set[str] = {*kept}
    links: dict[str, str] = {}
    for path in found:
        file = root / path
        if file.is_symlink():
            links[path] = os.readlink(file)
        elif file.exists() and not file.is_dir():
            plain.add(path)
    return Tree(frozenset(plain.difference(links)), links, submodules, closed, whole=len(found) <= _MOST_FILES)


def _walked(root: Path) -> Iterator[str]:
    """Files and symbolic links, by their paths in the root."""
    for folder, folders, names in os.walk(root):
        where = Path(folder).relative_to(root)
        for name in (*folders, *names):
            if name in names or (Path(folder) / name).is_symlink():
                yield (where / name).as_posix()
        folders[:] = [name for name in folders if name not in _SKIPPED]


def _closed(root: Path) -> Iterator[str]:
    """The folders that `_walked` passes over."""
    for folder, folders, _ in os.walk(root):
        where = Path(folder).relative_to(root)
        yield from ((where / name).as_posix() for name in folders if name in _SKIPPED and name != ".git")
        folders[:] = [name for name in folders if name not in _SKIPPED]


def _read(root: Path, path: str) -> str:
    file = root / path
    try:
        there = file.stat()
        if not stat.S_ISREG(there.st_mode):  # a pipe or a device would be waited for, or never end
            raise Unable(f"{path} is no regular file.", "Put a file there.")
        if there.st_size > _MOST_BYTES:
            raise Unable(f"{path} has more than {_MOST_BYTES} bytes.", "Make it smaller.")
        return file.read_bytes().decode()  # with the line ends that it has
    except OSError as error:
        raise Unable(f"{path} cannot be read: {error.strerror}.", "Name a file that is there: -f FILE.") from error
    except UnicodeDecodeError as error:
        raise Unable(f"{path} is not a text file in UTF-8.", "Save it as UTF-8.") from error


def _project() -> str | None:
    """The one whose clone this is, where a server is known."""
    try:
        return project_of_clone(client_config.read().url)
    except CabestanError:
        return None


def _git(root: Path, *arguments: str, stdin: str = "") -> str:
    """What git says; empty where it says nothing, or is not there."""
    command: Iterable[str] = ("git", "-C", str(root), *arguments)
    try:
        done = subprocess.run([*command], input=stdin, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
