"""The built-in Git repositories, through the `git` command."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from pathlib import Path

import structlog

from cabestan.adapters.git_commits import READ_BYTES, CommitInfo, parse_commit
from cabestan.adapters.git_entries import FILES, LINK, SUBMODULE, Entry, parse_blobs, parse_entries
from cabestan.adapters.git_objects import HASH, Objects
from cabestan.adapters.git_process import SETTINGS, Limits, command, configured, environment
from cabestan.adapters.git_trees import Bounds, TreeFile, Trees
from cabestan.adapters.kept_answers import KeptAnswers
from cabestan.domain.large_files import MOST_POINTERS, is_pointer, may_be_pointer
from cabestan.domain.tree import LONGEST_TARGET, Tree
from cabestan.errors import CabestanError, DeadlineExceeded, Invalid, NotFound, StepFailed
from cabestan.store.fullness import storage_full

_SECONDS = 60
#: A file that Cabestan itself reads out of a repository (Compose file, Dockerfile) may be as large.
FILE_BYTES = 512 * 1024
#: links whose targets are read; what is beyond leads nowhere
_MOST_LINKS = 5_000
#: processes of Git that read at the same time, whoever asks; the others wait for their turn
_READERS = 4
#: what makes an expression of a revision: Git would walk through commits, or read their messages
_NO_NAME = ("~", "^", ":", "@{", "..", "\n", " ")
_log = structlog.get_logger(__name__)


class Repositories:
    """Bare repositories, one per project, in folders named by the project's id."""

    def __init__(self, folder: Path, bounds: Bounds | None = None, limits: Limits | None = None) -> None:
        self._folder = folder
        self.bounds = bounds or Bounds()
        self.limits = limits or Limits()
        self._kept = KeptAnswers()
        self._reading = threading.BoundedSemaphore(_READERS)

    def path(self, project_id: int) -> Path:
        return self._folder / f"{project_id}.git"

    def create(self, project_id: int, default_branch: str) -> None:
        """Does nothing where it is there already."""
        path = self.path(project_id)
        if (path / "HEAD").exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        words = ("init", "--quiet", "--bare", f"--initial-branch={default_branch}", "--end-of-options", str(path))
        _git(*words, limits=self.limits)

    def remove(self, project_id: int) -> None:
        """With all commits; does nothing where it is gone."""
        path = self.path(project_id)
        if path.exists():
            shutil.rmtree(path)

    def set_default_branch(self, project_id: int, branch: str) -> None:
        self._run(project_id, "symbolic-ref", "--end-of-options", "HEAD", f"refs/heads/{branch}")

    def refs(self, project_id: int) -> dict[str, str]:
        """Branches and tags with the commits (tags: the objects) that they stand at."""
        output = self._run(project_id, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        return {ref: commit for commit, _, ref in (line.partition(" ") for line in output.splitlines())}

    def commit(self, project_id: int, revision: str) -> CommitInfo:
        """By branch, tag or hash; raises NotFound."""
        commit = revision if HASH.fullmatch(revision) else self._named(project_id, revision)
        found = self.commits(project_id, [commit]).get(commit)
        if not found:
            raise _no_commit(revision)
        return found

    def commits(self, project_id: int, hashes: Iterable[str]) -> Mapping[str, CommitInfo]:
        """Of many in one go; what is not there, or no commit, or too much for Git, is left out."""
        found: dict[str, CommitInfo] = {}
        with self._reading, Objects(self.path(project_id), self.limits, seconds=_SECONDS) as objects:
            for commit in dict.fromkeys(hashes):
                try:
                    header, pieces = objects.contents(commit)
                    if header.kind == "commit":
                        found[commit] = parse_commit(commit, next(pieces)[:READ_BYTES])
                except NotFound:
                    continue
        return found

    def between(self, project_id: int, old: str, new: str, most: int) -> tuple[tuple[CommitInfo, ...], int]:
        """The newest commits that `new` has and `old` lacks, at most so many, and how many there are."""
        if old == new:
            return (), 0
        lacking = ("--end-of-options", new, f"^{old}")
        listed = self._run(project_id, "rev-list", f"--max-count={most}", *lacking).split()
        total = int(self._run(project_id, "rev-list", "--count", *lacking)) if len(listed) == most else len(listed)
        found = self.commits(project_id, listed)
        return tuple(found[commit] for commit in listed if commit in found), total

    def _named(self, project_id: int, name: str) -> str:
        """The commit of a branch, a tag or the beginning of a hash: of names alone, nothing that is searched for."""
        if not name or any(sign in name for sign in _NO_NAME):
            raise _no_commit(name)
        words = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
        try:
            return self._run(project_id, *words).strip()
        except StepFailed as error:
            raise _no_commit(name) from error

    def paths(self, project_id: int, commit: str) -> Tree:
        """What a commit has, with its links and submodules; see `Tree`."""
        entries = list(parse_entries(self._listed(project_id, commit)))
        links = [entry for entry in entries if entry.mode == LINK]
        return Tree(
            plain=frozenset(entry.path for entry in entries if entry.mode in FILES),
            links={link.path: "" for link in links} | self._targets(project_id, commit, links),
            submodules=frozenset(entry.path for entry in entries if entry.mode == SUBMODULE),
        )

    def files(
        self, project_id: int, commit: str, *, folder: str = "", seconds: float = 600
    ) -> Generator[TreeFile, None, None]:
        """All files, links and submodules of a commit (by its hash) with what is in them, straight from Git's objects,
        one after the other: nothing is held in memory but a piece of one of them. `folder` (`web/`) leaves out others.

        Close what this gives (`contextlib.closing`), read through or not: Git runs until then, at most so many seconds.
        Raises Invalid for a commit over the bounds, NotFound for none.
        """
        with Objects(self.path(project_id), self.limits, seconds=seconds) as objects:
            yield from Trees(objects, self.bounds).files(commit, folder)

    def pointers(self, project_id: int, commit: str) -> frozenset[str]:
        """The files of a commit that are pointers of Git LFS, of the first ones that may be any by their size."""

        def ask() -> bytes:
            entries = parse_entries(self._listed(project_id, commit))
            small = [entry for entry in entries if entry.mode in FILES and may_be_pointer(entry.size)][:MOST_POINTERS]
            found = parse_blobs(self._blobs(project_id, small))
            return "\0".join(entry.path for entry in small if is_pointer(found.get(entry.object, b""))).encode()

        return frozenset(filter(None, self._once(project_id, commit, "pointers", ask).decode().split("\0")))

    def read(self, project_id: int, commit: str, path: str, tree: Tree | None = None) -> str:
        """A text file of a commit, by way of links too; raises NotFound, Invalid where it is too large or no text.

        `tree` is what `paths` gave for the commit: who reads several files asks for it once.
        """
        tree = tree or self.paths(project_id, commit)
        path = tree.real(path)
        if path not in tree.plain:
            raise NotFound(f"Commit {commit[:12]} has no file {path}.", "Commit it, and push again.")
        name = f"{commit}:{path}"
        size = int(self._of_commit(project_id, commit, "cat-file", "-s", "--end-of-options", name))
        if size > FILE_BYTES:
            raise Invalid(f"{path} has {size} bytes.", f"At most {FILE_BYTES} are read; make it smaller.")
        try:
            return self._of_commit(project_id, commit, "cat-file", "blob", "--end-of-options", name).decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"{path} is not a text file in UTF-8.", "Save it as UTF-8.") from error

    def check(self, project_id: int, commit: str) -> None:
        """Raises Invalid for a commit with more, deeper or longer paths than are taken."""
        with self._reading, Objects(self.path(project_id), self.limits, seconds=_SECONDS) as objects:
            Trees(objects, self.bounds).check(commit)

    def _targets(self, project_id: int, commit: str, links: Iterable[Entry]) -> dict[str, str]:
        read = [link for link in links if link.size <= LONGEST_TARGET][:_MOST_LINKS]
        if not read:
            return {}
        targets = parse_blobs(self._once(project_id, commit, "links", lambda: self._blobs(project_id, read)))
        return {link.path: targets[link.object].decode(errors="replace") for link in read if link.object in targets}

    def _blobs(self, project_id: int, entries: Iterable[Entry]) -> bytes:
        """The contents of these objects, by one command."""
        asked = "".join(f"{name}\n" for name in dict.fromkeys(entry.object for entry in entries))
        return self._bytes(project_id, "cat-file", "--batch", stdin=asked) if asked else b""

    def _listed(self, project_id: int, commit: str) -> str:
        def ask() -> bytes:
            self.check(project_id, commit)
            return self._bytes(project_id, "ls-tree", "-r", "-l", "-z", "--end-of-options", commit)

        return self._once(project_id, commit, "ls-tree", ask).decode(errors="replace")

    def _of_commit(self, project_id: int, commit: str, *arguments: str) -> bytes:
        return self._once(project_id, commit, " ".join(arguments), partial(self._bytes, project_id, *arguments))

    def _once(self, project_id: int, commit: str, question: str, ask: Callable[[], bytes]) -> bytes:
        """A pipeline asks the same several times."""
        return self._kept.get((str(project_id), commit, question), ask) if HASH.fullmatch(commit) else ask()

    def _run(self, project_id: int, *arguments: str) -> str:
        """Names and messages may be any bytes: what is no text must not stop anything."""
        return self._bytes(project_id, *arguments).decode(errors="replace")

    def _bytes(self, project_id: int, *arguments: str, stdin: str = "") -> bytes:
        with self._reading:
            return _git("-C", str(self.path(project_id)), *arguments, limits=self.limits, stdin=stdin)


def _no_commit(revision: str) -> NotFound:
    return NotFound(f"There is no commit {revision[:200]} in this repository.", "Push it first.")


def _git(*arguments: str, limits: Limits, stdin: str = "") -> bytes:
    """What Git says of a failure is for the server's own log: commands and folders mean nothing elsewhere."""
    words = command(*arguments, limits=limits)
    given = environment() | configured(SETTINGS)
    try:
        done = subprocess.run(
            words, input=stdin.encode(), capture_output=True, timeout=_SECONDS, env=given, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DeadlineExceeded(
            f"Git took more than {_SECONDS} s for the project's repository.", "Try again when the machine is less busy."
        ) from error
    except OSError as error:
        raise StepFailed(
            f"Git did not run: {error.strerror}.", "Install it on the server: apt install git util-linux"
        ) from error
    if done.returncode:
        raise _failure(words, done)
    return done.stdout


def _failure(words: tuple[str, ...], done: "subprocess.CompletedProcess[bytes]") -> CabestanError:
    if b"No space left on device" in done.stderr:
        return storage_full()
    said = done.stderr.decode(errors="replace").strip()[-500:]
    _log.warning("git failed", command=words, code=done.returncode, said=said)
    if done.returncode < 0 or "out of memory" in said.lower():
        return StepFailed(
            "Git needed more memory or time for what was pushed than it may have.",
            "Push smaller files; the setting git_memory_bytes bounds the memory.",
        )
    return StepFailed(
        "Git could not read the project's repository, or not what was asked of it.", "The server's log has its words."
    )
