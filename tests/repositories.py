"""Real Git repositories to push from."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SETTINGS = (
    "user.name=Somebody",
    "user.email=somebody@example.org",
    "commit.gpgsign=false",
    "advice.detachedHead=false",
    "maintenance.auto=false",
)
_ENVIRONMENT = {"GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", "PATH": "/usr/bin:/bin"}


def run_git(
    folder: Path, *arguments: str, stdin: bytes = b"", check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", *settings, "-C", str(folder), *arguments]
    return subprocess.run(command, env=_ENVIRONMENT, capture_output=True, input=stdin, timeout=60, check=check)


@cache
def _empty() -> Path:
    """A repository to be copied, for that takes a fraction of the time that Git takes to make one."""
    path = Path(tempfile.mkdtemp(prefix="cabestan-checkout-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    run_git(path, "init", "--quiet", "--initial-branch=main", "--template=")
    (path / ".git/info").mkdir()
    return path


@dataclass(frozen=True)
class Checkout:
    """A repository with a working tree, on the branch `main`."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Checkout:
        shutil.copytree(_empty(), path)
        return cls(path)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return run_git(self.path, *arguments, stdin=stdin).stdout.decode(errors="replace").strip()

    def commit(self, files: Mapping[str, str], message: bytes = b"Change") -> str:
        """Commits exactly these files; gives the commit."""
        if (self.path / ".git/index").exists() and self._others(files):
            self.git("rm", "-rfq", "--ignore-unmatch", ".")
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--file=-", stdin=message)
        return (self.path / ".git/refs/heads/main").read_text().strip()

    def _others(self, names: Collection[str]) -> bool:
        """Whether there are files beside these, which Git must be asked about."""
        for folder, inside, files in os.walk(self.path):
            links = [name for name in inside if Path(folder, name).is_symlink()]
            if any(Path(folder, name).relative_to(self.path).as_posix() not in names for name in (*files, *links)):
                return True
            inside[:] = [name for name in inside if name != ".git"]
        return False

    def push(self, to: Path | str, *refs: str) -> None:
        self.git("push", "--quiet", str(to), *(refs or ("main",)))

    def hand_over(self, to: Path, commit: str, branch: str) -> None:
        """What a push does to a repository on this disk, at a fraction of its time: without the processes of Git."""
        for made in (self.path / ".git/objects").glob("??/*"):
            there = to / "objects" / made.parent.name / made.name
            if not there.exists():
                there.parent.mkdir(exist_ok=True)
                os.link(made, there)
        ref = to / "refs/heads" / branch
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(f"{commit}\n")

    def tree_bomb(self, levels: int = 6, width: int = 10) -> str:
        """A commit of `width` ** `levels` files, in a handful of objects of some hundred bytes."""
        inside = "100644 blob " + self.git("hash-object", "-w", "--stdin", stdin=b"x")
        for _ in range(levels):
            listed = "".join(f"{inside}\tn{number}\n" for number in range(width))
            inside = "040000 tree " + self.git("mktree", stdin=listed.encode())
        return self.git("commit-tree", "-m", "Many", inside.split()[-1])
