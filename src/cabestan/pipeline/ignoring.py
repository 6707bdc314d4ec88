"""Which files of a context an ignore file leaves out, by the rules of Docker's own pattern matcher.

All patterns are matched at once, character by character, never by going back, so that none of them can take long.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cabestan.pipeline.refused import DockerfileRefused

_BYTE_ORDER_MARK = "\ufeff"
MOST_PATTERNS = 500
#: characters of one pattern, and of all of them
LONGEST_PATTERN, LONGEST_TOGETHER = 1_000, 16_000

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


class Ignored:
    """What an ignore file says: the last pattern that matches a path, or a folder that it is in, counts."""

    def __init__(self, patterns: Sequence[_Pattern] = ()) -> None:
        self._brings_back = [pattern.brings_back for pattern in patterns]
        self._states = _States([pattern.steps for pattern in patterns])
        self._known: dict[str, bool] = {}

    def leaves_out(self, path: str) -> bool:
        """Of a path relative to the context."""
        if path not in self._known:
            last = self._states.last_match(path, folders=True)
            self._known[path] = last is not None and not self._brings_back[last]
        return self._known[path]


def ignore_files(dockerfile: str, context: str) -> tuple[str, ...]:
    """The paths in the repository at which it may stand; the first one that is there counts, alone."""
    return f"{dockerfile}.dockerignore", posixpath.normpath(posixpath.join(context, ".dockerignore"))


def ignored(text: str, file: str = ".dockerignore") -> Ignored:
    """Of an ignore file's text. Raises DockerfileRefused for one with more, or longer patterns than are looked at."""
    return Ignored(tuple(_patterns(file, text.removeprefix(_BYTE_ORDER_MARK).splitlines())))


def matching(pattern: str, paths: Iterable[str]) -> Iterable[str]:
    """Those of the paths that a pattern of `COPY` means; it has no `**`."""
    states = _States([_steps(pattern)])
    return (path for path in paths if states.last_match(path) is not None)


def _patterns(file: str, lines: Iterable[str]) -> Iterator[_Pattern]:
    count = together = 0
    for number, line in enumerate(lines, 1):
        words = line.strip()
        if not words or line.startswith("#"):
            continue
        count, together = count + 1, together + len(words)
        if what := _too_much(count, len(words), together):
            remedy = "Name folders, or what they have in common, instead of each file."
            raise DockerfileRefused("too-large", what, remedy, file, number)
        if cleaned := _cleaned(words.removeprefix("!").strip()):
            yield _Pattern(words.startswith("!"), _steps(cleaned))


def _too_much(count: int, length: int, together: int) -> str:
    """In words; empty where it is not."""
    if length > LONGEST_PATTERN:
        return f"The pattern has more than {LONGEST_PATTERN} characters."
    if count > MOST_PATTERNS:
        return f"The file has more than {MOST_PATTERNS} patterns."
    return f"The patterns have more than {LONGEST_TOGETHER} characters." if together > LONGEST_TOGETHER else ""


def _cleaned(pattern: str) -> str:
    cleaned = posixpath.normpath(pattern).lstrip("/") if pattern else ""
    return "" if cleaned == "." else cleaned


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


class _States:
    """Several patterns as states, each a bit of one number. Where the steps of a pattern begin is where all of them
    are at first; the state behind its last step is its end. The folders of `**` have a state outside and one inside.
    """

    def __init__(self, patterns: Iterable[tuple[_Step, ...]]) -> None:
        #: by what a state lets pass: to the next one, or to itself
        self._any = self._none = self._some = self._rest = self._outside = self._inside = 0
        self._one: defaultdict[str, int] = defaultdict(int)
        self._none_but: defaultdict[str, int] = defaultdict(int)
        self._begin = self._ends = 0
        self._pattern_of: dict[int, int] = {}
        at = 0
        for number, steps in enumerate(patterns):
            self._begin |= 1 << at
            for step in _without_repeats(steps):
                at = self._add(step, at)
            self._ends |= 1 << at
            self._pattern_of[at] = number
            at += 1
        self._begin = self._reached(self._begin)
        self._passes: dict[str, int] = {}

    def last_match(self, path: str, *, folders: bool = False) -> int | None:
        """The number of the last pattern that matches a path, or one of the `folders` that it is in."""
        now, matched = self._begin, 0
        for character in path:
            if folders and character == "/":
                matched |= now & self._ends
            now = self._after(now, character)
            if not now:
                break
        matched |= now & self._ends
        return self._pattern_of[matched.bit_length() - 1] if matched else None

    def _add(self, step: _Step, at: int) -> int:
        """The state behind it."""
        bit = 1 << at
        match step.kind:
            case "one" | "none":
                named = self._one if step.kind == "one" else self._none_but
                for character in set(step.characters):
                    named[character] |= bit
                self._none |= bit if step.kind == "none" else 0
            case "any":
                self._any |= bit
            case "some":
                self._some |= bit
            case "rest":
                self._rest |= bit
            case "folders":
                self._outside |= bit
                self._inside |= bit << 1
                return at + 2
        return at + 1

    def _after(self, now: int, character: str) -> int:
        passing = now & self._passing(character)
        outside = now & self._outside
        new = passing << 1 | now & (self._rest | self._inside) | outside << 1
        if character == "/":
            new |= outside << 2 | (now & self._inside) << 1
        else:
            new |= now & self._some
        return self._reached(new)

    def _passing(self, character: str) -> int:
        """The states that one such character leads on from."""
        if character not in self._passes:
            passes = self._one.get(character, 0) | self._none & ~self._none_but.get(character, 0)
            self._passes[character] = passes if character == "/" else passes | self._any
        return self._passes[character]

    def _reached(self, states: int) -> int:
        """With those that are reached without a character."""
        while True:
            more = states | (states & (self._some | self._rest)) << 1 | (states & self._outside) << 2
            if more == states:
                return states
            states = more


def _without_repeats(steps: Iterable[_Step]) -> Iterator[_Step]:
    """What stands for any number stands for twice that, too."""
    before: _Kind | None = None
    for step in steps:
        if step.kind != before or step.kind not in ("some", "folders"):
            yield step
        before = step.kind


NOTHING_IGNORED = Ignored()
