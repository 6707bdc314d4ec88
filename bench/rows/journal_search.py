"""The newest 1,000 matches of a regular expression among ten million lines, which stand in the files of a journal."""

import random
import shutil
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, percentile
from bench.instance import Instance
from cabestan.domain.journal import Said, Source
from cabestan.store.journal import Journals, JournalWriter, Query, Taken

LIMIT = 1.0
_LINES = 10_000_000
_MATCHES = 1000
_AT_ONCE = 2000
_ROUNDS = 5
_WORDS = (
    *("GET", "POST", "items", "user", "login", "failed", "timeout", "error", "connection", "reset"),
    *("by", "peer", "query", "took", "ms", "rows", "cache", "miss", "job"),
)
#: one that is in the newest lines many times, one that is rare, and one without a word to look for
_PATTERNS = ("timeout .*error", "Handshake failure code=4[0-9]", r"^\d+99 .*seldom=\d")


def measure(_instance: Instance) -> list[Figure]:
    """No server takes part: what reads is what answers its requests."""
    folder = Path(tempfile.mkdtemp(prefix="journal-"))
    try:
        journals = Journals(folder)
        writer = journals.writer(1)
        _fill(writer)
        writer.close()
        return [_figure(journals, pattern) for pattern in _PATTERNS]
    finally:
        shutil.rmtree(folder)


def _fill(writer: JournalWriter) -> None:
    """Each line is another one; one of ten thousand says what is rare, one of a thousand what has no word."""
    chosen, sources = random.Random(1), [Source(f"say{number}") for number in range(10)]
    ends = [" ".join(chosen.choices(_WORDS, k=9)) for _ in range(50_000)]
    for begin in range(0, _LINES, _AT_ONCE):
        lines = []
        for number in range(begin, begin + _AT_ONCE):
            text = f"{number} {ends[number * 7919 % len(ends)]}"
            text += " Handshake failure code=42" if number % (_LINES // _MATCHES) == 0 else ""
            text += " seldom=7" if number % 1000 == 99 else ""
            lines.append((sources[number % 10], Said(number * 50_000, False, text.encode())))
        writer.append(Taken(lines, {}))


def _figure(journals: Journals, pattern: str) -> Figure:
    took, found = [], 0
    for _ in range(_ROUNDS):
        began = time.monotonic()
        found = len(journals.reader(1).back(Query(pattern=pattern), _MATCHES).lines)
        took.append(time.monotonic() - began)
    size = journals.reader(1).size() / 1e6
    note = f"{found} matches in {_LINES:,} lines, {size:.0f} MB on the disk; slowest of {_ROUNDS} {max(took):.2f} s"
    return Figure(f"the newest 1,000 of {pattern}", percentile(took, 0.5), "s", limit=LIMIT, note=note)
