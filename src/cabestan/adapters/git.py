"""The built-in Git repositories, through the `git` command."""

import os
import re
import subprocess
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cabestan.adapters.git_entries import (
    FILES,
    LINK,
    SUBMODULE,
    Entry,
    TreeEntry,
    parse_blobs,
    parse_entries,
    parse_tree,
)
from cabestan.adapters.git_objects import Objects
from cabestan.adapters.git_process import Limits
from cabestan.adapters.git_trees import Bounds, TreeFile, Trees
from cabestan.adapters.kept_answers import KeptAnswers
from cabestan.domain.large_files import MOST_POINTERS, is_pointer, may_be_pointer
from cabestan.domain.tree import Tree
from cabestan.errors import Invalid, NotFound, StepFailed
from cabestan.store.fullness import storage_full

_SECONDS = 60
#: A file that Cabestan itself reads out of a repository (Compose file, Dockerfile) may be as large.
FILE_BYTES = 512 * 1024


#: the engine hands each variable over as one text, which has its bounds
_MESSAGE_LENGTH = 20_000
#: a commit by its hash, whose files never change
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: a ref below refs/replace would have git show another commit or file in the place of the one that is asked for
_AS_IT_IS = {"GIT_NO_REPLACE_OBJECTS": "1"}
#: links whose targets are read, and how long one may be; what is beyond leads nowhere
_MOST_LINKS = 5_000
_LONGEST_TARGET = 4096


@dataclass(frozen=True)
class CommitInfo:
    """`title` is the first line of the message, `author` the name alone; what is long is cut."""

    commit: str
    title: str
    author: str
    email: str = ""
    committed_at: datetime | None = None
    message: str = ""


class Repositories:
    """Bare repositories, one per project, in folders named by the project's id."""

    def __init__(self, folder: Path, bounds: Bounds | None = None, limits: Limits | None = None) -> None:
        self._folder = folder
        self._bounds = bounds or Bounds()
        self._limits = limits or Limits()
        self._kept = KeptAnswers()

    def path(self, project_id: int) -> Path:
        return self._folder / f"{project_id}.git"

    def create(self, project_id: int, default_branch: str) -> None:
        """Does nothing where it is there already."""
        path = self.path(project_id)
        if (path / "HEAD").exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(path))

    def set_default_branch(self, project_id: int, branch: str) -> None:
        self._run(project_id, "symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def refs(self, project_id: int) -> dict[str, str]:
        """Branches and tags with the commits (tags: the objects) that they stand at."""
        output = self._run(project_id, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        return {ref: commit for commit, _, ref in (line.partition(" ") for line in output.splitlines())}

    def commit(self, project_id: int, revision: str) -> CommitInfo:
        """By branch, tag or commit; raises NotFound."""
        shape = "--format=%H%x00%s%x00%an%x00%ae%x00%ct%x00%B"
        try:
            output = self._run(project_id, "log", "-1", shape, "--end-of-options", revision, "--")
        except StepFailed as error:
            raise NotFound(f"There is no commit {revision} in this repository.", "Push it first.") from error
        commit, title, author, email, seconds, message = output.rstrip("\n").split("\0", 5)
        message = message.replace("\0", "")[:_MESSAGE_LENGTH]
        return CommitInfo(commit, title[:200], author[:100], email[:200], _moment(seconds), message)

    def tree(self, project_id: int, commit: str) -> tuple[TreeEntry, ...]:
        """All files of a commit, without links and submodules."""
        return tuple(parse_tree(self._listed(project_id, commit)))

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
        with Objects(self.path(project_id), self._limits, seconds=seconds) as objects:
            yield from Trees(objects, self._bounds).files(commit, folder)

    def pointers(self, project_id: int, commit: str) -> frozenset[str]:
        """The files of a commit that are pointers of Git LFS, of the first ones that may be any by their size."""

        def ask() -> bytes:
            entries = parse_entries(self._listed(project_id, commit))
            small = [entry for entry in entries if entry.mode in FILES and may_be_pointer(entry.size)][:MOST_POINTERS]
            found = parse_blobs(self._blobs(project_id, small))
            return "\0".join(entry.path for entry in small if is_pointer(found.get(entry.object, b""))).encode()

        return frozenset(filter(None, self._once(project_id, commit, "pointers", ask).decode().split("\0")))

    def read(self, project_id: int, commit: str, path: str, tree: Tree | None = None) -> str:
        """A text file of a commit, by way of links too; raises Invalid where it is too large or no text.

        `tree` is what `paths` gave for the commit: who reads several files asks for it once.
        """
        path = (tree or self.paths(project_id, commit)).real(path)
        size = int(self._of_commit(project_id, commit, "cat-file", "-s", f"{commit}:{path}"))
        if size > FILE_BYTES:
            raise Invalid(f"{path} has {size} bytes.", f"At most {FILE_BYTES} are read; make it smaller.")
        try:
            return self._of_commit(project_id, commit, "cat-file", "blob", f"{commit}:{path}").decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"{path} is not a text file in UTF-8.", "Save it as UTF-8.") from error

    def check(self, project_id: int, commit: str) -> None:
        """Raises Invalid for a commit with more, deeper or longer paths than are taken."""
        with Objects(self.path(project_id), self._limits, seconds=_SECONDS) as objects:
            Trees(objects, self._bounds).check(commit)

    def _targets(self, project_id: int, commit: str, links: Iterable[Entry]) -> dict[str, str]:
        read = [link for link in links if link.size <= _LONGEST_TARGET][:_MOST_LINKS]
        if not read:
            return {}
        targets = parse_blobs(self._once(project_id, commit, "links", lambda: self._blobs(project_id, read)))
        return {link.path: targets[link.object].decode(errors="replace") for link in read if link.object in targets}

    def _blobs(self, project_id: int, entries: Iterable[Entry]) -> bytes:
        """The contents of these objects, by one command."""
        asked = "".join(f"{name}\n" for name in dict.fromkeys(entry.object for entry in entries))
        return _git("-C", str(self.path(project_id)), "cat-file", "--batch", stdin=asked) if asked else b""

    def _listed(self, project_id: int, commit: str) -> str:
        def ask() -> bytes:
            self.check(project_id, commit)
            return self._raw(project_id, "ls-tree", "-r", "-l", "-z", commit)

        return self._once(project_id, commit, "ls-tree", ask).decode(errors="replace")

    def _of_commit(self, project_id: int, commit: str, *arguments: str) -> bytes:
        return self._once(project_id, commit, " ".join(arguments), partial(self._raw, project_id, *arguments))

    def _once(self, project_id: int, commit: str, question: str, ask: Callable[[], bytes]) -> bytes:
        """A pipeline asks the same several times."""
        return self._kept.get((str(project_id), commit, question), ask) if _COMMIT.fullmatch(commit) else ask()

    def _raw(self, project_id: int, *arguments: str) -> bytes:
        return _git("-C", str(self.path(project_id)), *arguments)

    def _run(self, project_id: int, *arguments: str) -> str:
        """Names and messages may be any bytes: what is no text must not stop anything."""
        return self._raw(project_id, *arguments).decode(errors="replace")


def _moment(seconds: str) -> datetime | None:
    """A commit may hold any number; None for what is no time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def http_backend_environment(
    repository: Path,
    *,
    service_path: str,
    method: str,
    query: str,
    content_type: str,
    content_encoding: str,
    protocol: str,
    user: str,
    hooks: Path,
    push_bytes: int,
    hook_variables: dict[str, str],
) -> dict[str, str]:
    """The CGI variables for `git http-backend`, with our bounds and hooks as Git's configuration."""
    configuration = {
        "core.hooksPath": str(hooks),
        "receive.maxInputSize": str(push_bytes),
        "receive.fsckObjects": "true",
        "http.receivepack": "true",
        "uploadpack.allowReachableSHA1InWant": "true",
        "safe.directory": "*",
    }
    numbered = {f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(configuration)}
    numbered |= {f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(configuration.values())}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        **_AS_IT_IS,
        "GIT_CONFIG_COUNT": str(len(configuration)),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": protocol,
        "PATH_INFO": f"/{repository.name}/{service_path}",
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "HTTP_CONTENT_ENCODING": content_encoding,
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "HOME": str(repository.parent),
        **numbered,
        **hook_variables,
    }


def parse_cgi_head(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers of a CGI answer's head, without the blank line."""
    status, headers = 200, []
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif value:
            headers.append((name.strip(), value.strip()))
    return status, headers


def _git(*arguments: str, stdin: str = "") -> bytes:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        **_AS_IT_IS,
        "HOME": "/nonexistent",
    }
    settings = ("-c", "safe.directory=*", "-c", "core.quotePath=false")
    try:
        done = subprocess.run(
            ("git", *settings, *arguments),
            input=stdin.encode(),
            capture_output=True,
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepFailed(f"git {arguments[0]} did not run: {error}.", "Is git installed, and the disk well?") from error
    if done.returncode:
        if b"No space left on device" in done.stderr:
            raise storage_full()
        raise StepFailed(f"git failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
