"""What a push may bring: asked by the hook, beside the server and without its packages, before anything is stored."""

import fnmatch
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cabestan.adapters.git_objects import Objects
from cabestan.adapters.git_process import SETTINGS, Limits, command, configured, environment
from cabestan.adapters.git_trees import Bounds, Trees
from cabestan.errors import CabestanError

#: bytes of the name of a branch or a tag
LONGEST_NAME = 200
_VARIABLE = "CABESTAN_HOOK_GUARD"
#: by which Git shows the hook what is just being pushed
_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"
_SECONDS = 60
#: of all that is wrong, so much is told
_TOLD = 20


@dataclass(frozen=True)
class Guard:
    """Who pushes what: patterns of the branches that are not theirs to move (none for a maintainer), and the bounds."""

    project: str
    user: str
    patterns: Sequence[str] = ()
    refs: int = 5000
    bounds: Bounds = field(default_factory=Bounds)
    limits: Limits = field(default_factory=Limits)

    def variables(self) -> dict[str, str]:
        """For the hook's environment. Where there are none, the hook lets nothing pass."""
        return {_VARIABLE: json.dumps(asdict(self))}


@dataclass(frozen=True)
class Move:
    """A ref that is made, moved or taken away. The hash of what is not there is all zeros."""

    before: str
    after: str
    ref: str

    @property
    def made(self) -> bool:
        return not self.before.strip("0")

    @property
    def removed(self) -> bool:
        return not self.after.strip("0")


def main() -> None:
    """The hook: says what is wrong, and ends so that Git takes nothing."""
    guard = _guard(json.loads(os.environ[_VARIABLE]))
    moves = parse_moves(sys.stdin.buffer.read())
    lines = (
        unnameable(moves)
        or protected(guard, moves)
        or too_many(guard, moves, _refs_there(guard))
        or too_much(guard, moves)
    )
    if lines:
        print("\n".join((*lines, "Nothing of this push was stored.")))
        sys.exit(1)


def parse_moves(data: bytes) -> tuple[Move, ...]:
    """`<before> <after> <ref>` a line. A name may be any bytes."""
    lines = data.decode(errors="surrogateescape").split("\n")
    return tuple(Move(*line.split(" ", 2)) for line in lines if line)


def unnameable(moves: Iterable[Move]) -> list[str]:
    """A ref below refs/replace would show commits as others than they are; some names are read as something else."""
    names = [move.ref for move in moves if not move.removed]
    foreign = [ref for ref in names if not ref.startswith((_BRANCHES, _TAGS)) or ref == f"{_BRANCHES}HEAD"]
    odd = [ref for ref in names if ref not in foreign and _odd(ref)]
    return [
        *(
            f"{_shown(ref)} is not taken: push branches and tags only, and call none of them HEAD."
            for ref in foreign[:_TOLD]
        ),
        *(
            f"{_shown(ref)} is not taken: a name is text of at most {LONGEST_NAME} bytes and begins with no hyphen."
            for ref in odd[:_TOLD]
        ),
    ]


def protected(guard: Guard, moves: Iterable[Move]) -> list[str]:
    branches = [move.ref.removeprefix(_BRANCHES) for move in moves if move.ref.startswith(_BRANCHES)]
    refused = [name for name in branches if any(fnmatch.fnmatchcase(name, pattern) for pattern in guard.patterns)]
    if not refused:
        return []
    return [
        *(
            f"{_shown(name)} is a protected branch of {guard.project}: only maintainers may push to it."
            for name in refused[:_TOLD]
        ),
        f"You are {guard.user} here. Push to another branch: git push origin HEAD:my-change",
        "Or have a maintainer push, or change what is protected: cabestan project protect",
    ]


def too_many(guard: Guard, moves: Iterable[Move], there: int) -> list[str]:
    """Branches and tags that the project would have; `there` are so many, or more than it may have."""
    change = sum(move.made - move.removed for move in moves)
    if change <= 0 or there + change <= guard.refs:
        return []
    return [
        f"{guard.project} would have more than {guard.refs} branches and tags (project_refs).",
        "Remove those that nobody needs: git push origin --delete NAME",
    ]


def too_much(guard: Guard, moves: Iterable[Move]) -> list[str]:
    """Of the commits at the ends of what is pushed, for these are read and built."""
    after = dict.fromkeys(move.after for move in moves if not move.removed)
    more = {name: os.environ[name] for name in _QUARANTINE if name in os.environ}
    try:
        with Objects(Path.cwd(), guard.limits, seconds=_SECONDS, more=more) as objects:
            trees = Trees(objects, guard.bounds, weighed=True)
            for commit in after:
                trees.check(commit)
    except CabestanError as error:
        return [f"{guard.project}: {error.message}", error.remedy]
    return []


def _refs_there(guard: Guard) -> int:
    """No more of them are counted than matter."""
    words = command("for-each-ref", f"--count={guard.refs + 1}", "--format=x", _BRANCHES, _TAGS, limits=guard.limits)
    given = environment() | configured(SETTINGS)
    done = subprocess.run(words, capture_output=True, env=given, timeout=_SECONDS, check=True)
    return done.stdout.count(b"x")


def _odd(ref: str) -> bool:
    name = ref.removeprefix(_BRANCHES).removeprefix(_TAGS)
    try:
        return name.startswith("-") or len(name.encode()) > LONGEST_NAME
    except UnicodeEncodeError:  # bytes that are no text
        return True


def _shown(name: str) -> str:
    return ascii(name[:LONGEST_NAME])[1:-1]


def _guard(values: dict[str, object]) -> Guard:
    bounds, limits = values.pop("bounds"), values.pop("limits")
    return Guard(**values, bounds=Bounds(**bounds), limits=Limits(**limits))  # type: ignore[arg-type]
