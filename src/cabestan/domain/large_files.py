"""Files that a commit only points to: those of Git LFS, in whose place a small text stands."""

from __future__ import annotations

import re

#: files of a tree that are looked at
MOST_POINTERS = 10_000
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v\d+\n(?:[a-z0-9.-]+ [^\n]*\n)*oid sha256:[0-9a-f]{64}\n"
)
#: bytes; the specification allows 1024, with lines that hardly anybody has
_SHORTEST, _LONGEST = 120, 512
_FILTER = re.compile(r"\s*([^\s#]\S*)\s.*(?<!\S)filter=lfs(?!\S)")


def may_be_pointer(size: int) -> bool:
    return _SHORTEST <= size <= _LONGEST


def is_pointer(content: bytes) -> bool:
    return bool(_POINTER.match(content))


def kept_elsewhere(attributes: str) -> tuple[tuple[int, str], ...]:
    """The lines of a `.gitattributes` that hand files over to Git LFS, counted from 1, with their patterns."""
    lines = enumerate(attributes.splitlines(), 1)
    return tuple((number, match[1]) for number, line in lines if (match := _FILTER.match(line)))
