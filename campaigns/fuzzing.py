"""Random texts through a reader: what breaks it, or takes too long, is made as small as it goes, and kept."""

import hashlib
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.time_limits import TooLate, deadline

from campaigns.outcome import Outcome

_PROGRESS_SECONDS = 10
#: of each kind of finding, so many are made small
_SHOWN = 3
_SHRINKING_SECONDS = 60


@dataclass(frozen=True)
class Subject:
    """`make` gives a text for a random number generator; `examine` gives what is wrong, or how it was taken."""

    name: str
    make: Callable[[random.Random], str]
    examine: Callable[[str], "Seen"]
    #: how long one text may take
    seconds: float


@dataclass(frozen=True)
class Seen:
    """`problem` is empty where all is well; its part before the colon is its kind. `taken`: not refused."""

    taken: bool
    problem: str = ""


def fuzz(subject: Subject, seed: int, numbers: Iterable[int], folder: Path) -> Outcome:
    began, told = time.monotonic(), time.monotonic()
    count = taken = slowest = 0
    kinds: dict[str, list[Path]] = {}
    for count, number in enumerate(numbers, 1):
        text = made(subject, seed, number)
        at = time.process_time()
        seen = examined(subject, text)
        slowest = max(slowest, round(1000 * (time.process_time() - at)))
        taken += seen.taken
        if seen.problem:
            kept = kinds.setdefault(_kind(seen.problem), [])
            if len(kept) < _SHOWN:
                kept.append(_keep(subject, text, seen.problem, folder, f"{seed}-{number}"))
        if time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"  {count:,} files, {taken:,} taken, {len(kinds)} kinds of findings", file=sys.stderr, flush=True)
    spent = time.monotonic() - began
    summary = f"{count:,} files in {spent:.0f} s, {taken:,} taken, slowest {slowest} ms, {len(kinds)} kinds of findings"
    return Outcome(summary, tuple(f"{kind}: {', '.join(map(str, kept))}" for kind, kept in kinds.items()))


def made(subject: Subject, seed: int, number: int) -> str:
    """The text with this number: each has a generator of its own, so that one can be made alone."""
    return subject.make(random.Random(f"{subject.name} {seed} {number}"))


def examined(subject: Subject, text: str) -> Seen:
    """A crash and a hang are problems like others."""
    try:
        with deadline(subject.seconds, "hang", of_processor=True):
            return subject.examine(text)
    except TooLate:
        return Seen(False, f"hang: more than {subject.seconds:.0f} s")
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return Seen(False, f"crash {type(error).__name__} at {place}: {traceback.format_exc()}")


def shrunk(text: str, is_bad: Callable[[str], bool], seconds: float = _SHRINKING_SECONDS) -> str:
    """As small as it goes while it stays bad: lines, then characters, in ever smaller pieces."""
    end = time.monotonic() + seconds
    for whole in (True, False):
        parts = text.splitlines(keepends=True) if whole else list(text)
        size = max(1, len(parts) // 2)
        while size and time.monotonic() < end:
            parts = _without_pieces(parts, size, is_bad, end)
            size //= 2
        text = "".join(parts)
    return text


def _without_pieces(parts: list[str], size: int, is_bad: Callable[[str], bool], end: float) -> list[str]:
    place = 0
    while place < len(parts) and time.monotonic() < end:
        fewer = parts[:place] + parts[place + size :]
        if is_bad("".join(fewer)):
            parts = fewer
        else:
            place += size
    return parts


def _keep(subject: Subject, text: str, problem: str, folder: Path, name: str) -> Path:
    """Beside the small one stands what is wrong with it."""
    kind = _kind(problem)
    small = shrunk(text, lambda fewer: _kind(examined(subject, fewer).problem) == kind)
    base = folder / f"{hashlib.sha256(kind.encode()).hexdigest()[:8]}-{name}"
    base.with_suffix(".txt").write_bytes(small.encode("utf-8", "surrogatepass"))
    base.with_suffix(".why").write_text(f"{examined(subject, small).problem or problem}\n", errors="replace")
    return base.with_suffix(".txt")


def _kind(problem: str) -> str:
    return problem.partition(":" if not problem.startswith("crash") else ": ")[0]
