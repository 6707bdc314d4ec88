"""Which files of a context an ignore file leaves out, by the rules of Docker's own pattern matcher.

Patterns are matched state by state, never by going back, so that none of them can take long.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_BYTE_ORDER_MARK = "\ufeff"
#: lines that are looked at; each costs for each file
_MOST_PATTERNS = 1_000
_LONGEST_PATTERN = 1_000

#: one of a text's characters, or not one of them; any but `/`; any number of those; any folders; anything at all
_Kind = Literal["one", "none", "any", "some", "folders", "rest"]


@dataclass(frozen=True, slots=True)
class _Step:
    kind: _Kind
    characters: str = ""


@dataclass(frozen=True, slots=True)
class _Pattern:
    brings_back: bool
    steps: tuple[_Step, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """What an ignore file says: the last pattern that matches a path, or a folder that it is in, counts."""

    patterns: tuple[_Pattern, ...] = ()

    def leaves_out(self, path: str) -> bool:
        """Of a path relative to the context."""
        above = _with_folders(path)
        out = False
        for pattern in self.patterns:
            if pattern.brings_back is out and any(_matches(pattern.steps, name) for name in above):
                out = not pattern.brings_back
        return out


NOTHING_IGNORED = Ignored()


def ignore_files(dockerfile: str, context: str) -> tuple[str, ...]:
    """The paths in the repository at which it may stand; the first one that is there counts, alone."""
    return f"{dockerfile}.dockerignore", posixpath.normpath(posixpath.join(context, ".dockerignore"))


def ignored(text: str) -> Ignored:
    """Of an ignore file's text."""
    return Ignored(tuple(_patterns(text.removeprefix(_BYTE_ORDER_MARK).splitlines()[:_MOST_PATTERNS])))


def matching(pattern: str, paths: Iterable[str]) -> Iterable[str]:
    """Those of the paths that a pattern of `COPY` means; it has no `**`."""
    steps = _steps(pattern)
    return (path for path in paths if _matches(steps, path))


def _patterns(lines: Iterable[str]) -> Iterable[_Pattern]:
    for line in lines:
        words = line.strip()
        cleaned = _cleaned(words.removeprefix("!").strip())
        if cleaned and not line.startswith("#"):
            yield _Pattern(words.startswith("!"), _steps(cleaned[:_LONGEST_PATTERN]))


def _cleaned(pattern: str) -> str:
    cleaned = posixpath.normpath(pattern).lstrip("/") if pattern else ""
    return "" if cleaned == "." else cleaned


def _with_folders(path: str) -> Sequence[str]:
    """The path, and the folders that it is in."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _steps(pattern: str) -> tuple[_Step, ...]:
    """`**` stands for any folders, and at the end for all that follows; `*` and `?` stay within one folder."""
    found: list[_Step] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("/", at + 2) else 2
            found.append(_Step("folders" if at < len(pattern) else "rest"))
            continue
        if character == "[" and (end := pattern.find("]", at + 2)) > 0:
            found.append(_characters(pattern[at + 1 : end]))
            at = end
        elif character in "*?":
            found.append(_Step("some" if character == "*" else "any"))
        else:
            at += character == "\\" and at + 1 < len(pattern)
            found.append(_Step("one", pattern[at]))
        at += 1
    return tuple(found)


def _characters(inside: str) -> _Step:
    """Of `[a-z]` or `[^a-z]`."""
    kind: _Kind = "none" if inside.startswith("^") else "one"
    inside = inside.removeprefix("^")
    found, at = "", 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            first, last = ord(inside[at]), min(ord(inside[at + 2]), ord(inside[at]) + 255)
            found += "".join(map(chr, range(first, last + 1)))
            at += 3
        else:
            found += inside[at]
            at += 1
    return _Step(kind, found)


@lru_cache(4096)
def _matches(steps: tuple[_Step, ...], path: str) -> bool:
    """`(3, True)` is the state in the middle of the folders that step 3 stands for."""
    states = _reached(steps, {(0, False)})
    for character in path:
        states = _reached(steps, {new for state in states for new in _next(steps, state, character)})
        if not states:
            return False
    return (len(steps), False) in states


def _next(steps: tuple[_Step, ...], state: tuple[int, bool], character: str) -> Iterable[tuple[int, bool]]:
    at, _ = state
    if at == len(steps):
        return ()
    step = steps[at]
    match step.kind:
        case "one" | "none":
            return ((at + 1, False),) if (character in step.characters) is (step.kind == "one") else ()
        case "any":
            return ((at + 1, False),) if character != "/" else ()
        case "some":
            return ((at, False),) if character != "/" else ()
        case "folders":
            return ((at, True), (at + 1, False)) if character == "/" else ((at, True),)
        case "rest":
            return ((at, False),)


def _reached(steps: tuple[_Step, ...], states: set[tuple[int, bool]]) -> set[tuple[int, bool]]:
    """With those that are reached without a character."""
    left = list(states)
    while left:
        at, inside = left.pop()
        skips = at < len(steps) and steps[at].kind in ("some", "folders", "rest") and not inside
        if skips and (at + 1, False) not in states:
            states.add((at + 1, False))
            left.append((at + 1, False))
    return states
