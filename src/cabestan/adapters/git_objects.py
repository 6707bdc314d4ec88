"""Objects of a repository, one after the other, through one `git cat-file`. The hooks use it too."""

import re
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cabestan.adapters.git_process import SETTINGS, Limits, command, configured, environment
from cabestan.errors import DeadlineExceeded, NotFound, StepFailed

#: an object by its hash; nothing else is asked for, so that no name can be read as more than a name
HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CHUNK = 64 * 1024
#: questions whose answers are waited for; all of them must fit into a pipe
_AHEAD = 100


@dataclass(frozen=True)
class Header:
    """`kind` is `commit`, `tree`, `blob` or `tag`; `size` in bytes, inflated."""

    kind: str
    size: int


class Objects:
    """Of one repository. For one thread; ends its process when its block ends, and after `seconds` in any case.

    `more` are further variables for Git: a hook has those by which it sees what is just being pushed.
    """

    def __init__(
        self, repository: Path, limits: Limits, *, seconds: float = 60, more: dict[str, str] | None = None
    ) -> None:
        words = command("-C", str(repository), "cat-file", "--batch-command", limits=limits)
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment() | configured(SETTINGS) | (more or {}),
        )
        self._seconds = seconds
        self._left = 0
        self._answers = 0
        self._late = threading.Event()
        self._timer = threading.Timer(seconds, self._end_late)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._process.kill()
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def header(self, name: str) -> Header:
        """Raises NotFound."""
        return next(self.headers([name]))

    def headers(self, names: Iterable[str]) -> Iterator[Header]:
        """Of each, asked for ahead. Nothing else is asked meanwhile. Raises NotFound."""
        return (self._answer(name) for name in self._ahead("info", names))

    def contents(self, name: str) -> tuple[Header, Iterator[bytes]]:
        """The bytes in pieces; what is not read of them is passed over by the next question. Raises NotFound."""
        return next(self.all_contents([name]))

    def all_contents(self, names: Iterable[str]) -> Iterator[tuple[Header, Iterator[bytes]]]:
        """The same of each, asked for ahead, so that nobody waits for the other. Nothing else is asked meanwhile."""
        return (self._given(name) for name in self._ahead("contents", names))

    def read(self, name: str, kind: str, most: int) -> bytes | None:
        """A whole object of that kind; None where it is larger. Raises NotFound."""
        found = self.header(name)
        if found.kind != kind:
            raise NotFound(f"There is no {kind} {name[:12]} in this repository.", "Push it first.")
        return b"".join(self.contents(name)[1]) if found.size <= most else None

    def _given(self, name: str) -> tuple[Header, Iterator[bytes]]:
        header = self._answer(name)
        self._left = header.size + 1
        return header, self._pieces(self._answers)

    def _ahead(self, what: str, names: Iterable[str]) -> Iterator[str]:
        """Asks, and gives the names back whose turn it is to be answered."""
        waiting: deque[str] = deque()
        for name in names:
            self._ask(what, name)
            waiting.append(name)
            if len(waiting) >= _AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _ask(self, what: str, name: str) -> None:
        if not HASH.fullmatch(name):
            raise NotFound(f"{name[:100]!r} is not the hash of an object.", "Push it first.")
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{what} {name}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error

    def _answer(self, name: str) -> Header:
        self._pass_over()
        self._answers += 1
        assert self._process.stdout
        answer = self._process.stdout.readline(200).decode(errors="replace")
        if not answer.endswith("\n"):
            raise self._failure()
        _, kind, *size = answer.split()
        if not size:
            raise NotFound(f"There is no object {name[:12]} in this repository.", "Push it first.")
        return Header(kind, int(size[0]))

    def _pieces(self, turn: int) -> Iterator[bytes]:
        """Up to the line's end that Git puts behind each object."""
        while self._left > 1:
            if turn != self._answers:
                raise RuntimeError("What is in a file is read before the next one is asked for.")
            yield self._taken(min(_CHUNK, self._left - 1))

    def _pass_over(self) -> None:
        while self._left:
            self._taken(min(_CHUNK, self._left))

    def _taken(self, most: int) -> bytes:
        assert self._process.stdout
        piece = self._process.stdout.read(most)
        if len(piece) < most:
            raise self._failure()
        self._left -= len(piece)
        return piece

    def _end_late(self) -> None:
        self._late.set()
        self._process.kill()

    def _failure(self) -> StepFailed:
        if self._late.is_set():
            return DeadlineExceeded(
                f"Git took more than {self._seconds:.0f} s for the files of this commit.",
                "Commit fewer or smaller files.",
            )
        return StepFailed(
            "Git ended while it read the files of this commit: one of them takes more memory or time than it may have.",
            "Commit smaller files; the setting git_memory_bytes bounds the memory.",
        )
