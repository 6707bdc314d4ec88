"""The working copy in the current folder, as the checks look at it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cabestan.checks.stand_ins import COMMIT, PROJECT, REGISTRY
from cabestan.checks.subject import Subject
from cabestan.cli import client_config
from cabestan.cli.clone import project_of_clone
from cabestan.cli.failures import Unable
from cabestan.errors import CabestanError
from cabestan.pipeline.base_images import BaseImages
from cabestan.pipeline.convention import compose_file

_ENV_FILE = ".env"
#: folders that hold no source of the project's own
_SKIPPED = frozenset({".git", "node_modules", ".venv", "vendor", "__pycache__"})
_MOST_FILES = 50_000
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
    found, links = _listed(root)
    compose = compose or tuple(filter(None, (compose_file(frozenset(found)),)))
    if not compose and not any(name.startswith("Dockerfile") for name in found):
        raise Unable(f"There is no Compose file in {root}.", "Name it: -f FILE, or go to the project's folder.")
    for file in compose:
        _read(root, file)
    known = project or _project()
    subject = Subject(
        project=known or PROJECT,
        commit=_git(root, "rev-parse", "HEAD") or COMMIT,
        branch=_git(root, "branch", "--show-current") or "main",
        registry=REGISTRY,
        files=frozenset({*found, *compose}),
        read=lambda path: _read(root, path),
        sets=(compose,) if compose else (),
        links=frozenset(links),
        env_file=_ENV_FILE if _ENV_FILE in found else "",
        shipped=_shipped,
    )
    return WorkingCopy(root, prefix, subject, of_project=known is not None, named=bool(files))


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


def _listed(root: Path) -> tuple[list[str], list[str]]:
    """Regular files and symbolic links, by their paths in the root."""
    files: list[str] = []
    links: list[str] = []
    for folder, folders, names in os.walk(root):
        where = Path(folder).relative_to(root)
        for name in (*folders, *names):
            link = (Path(folder) / name).is_symlink()
            if link:
                links.append((where / name).as_posix())
            elif name in names:
                files.append((where / name).as_posix())
        folders[:] = [name for name in folders if name not in _SKIPPED]
        if len(files) > _MOST_FILES:
            break
    return files, links


def _read(root: Path, path: str) -> str:
    file = root / path
    try:
        there = file.stat()
        if not stat.S_ISREG(there.st_mode):  # a pipe or a device would be waited for, or never end
            raise Unable(f"{path} is no regular file.", "Put a file there.")
        if there.st_size > _MOST_BYTES:
            raise Unable(f"{path} has more than {_MOST_BYTES} bytes.", "Make it smaller.")
        return file.read_text(encoding="utf-8")
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


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty where it says nothing, or is not there."""
    command: Iterable[str] = ("git", "-C", str(root), *arguments)
    try:
        done = subprocess.run([*command], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
