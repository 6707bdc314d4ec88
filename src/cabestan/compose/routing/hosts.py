"""Which host names a regular expression can fit at most.

An expression is taken where each of its alternatives ends in a domain in plain letters and `$`: what fits then ends in
that domain. Whatever would make reading it doubtful is refused: flags, escapes by number or class name, quoting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cabestan.compose.routing.patterns import check_pattern

_HOST_PART = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_HOST_PART}\.)*{_HOST_PART}", re.ASCII)
_LITERALS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ESCAPES = frozenset(".-dw")
_COUNT = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}", re.ASCII)
#: the shortest domain that a wildcard may stand before: `example.org`
_FEWEST_LABELS = 2
#: groups within groups
_DEEPEST = 30


def is_host(host: str) -> bool:
    """Whether it is a plain host name in lower case, no address and no pattern."""
    return bool(_HOST.fullmatch(host)) and not host.rpartition(".")[2].isdigit()


def claims_of_pattern(pattern: str) -> tuple[str, ...]:
    """The names and `*.domain` that it cannot reach beyond. Raises ValueError with what is wrong with it."""
    check_pattern(pattern)
    return tuple(dict.fromkeys(_claim(alternative) for alternative in _Scan(pattern).alternatives()))


@dataclass(slots=True)
class _Alternative:
    """Its parts in their order: a letter that stands for itself, `^`, `$`, or `?` for anything else."""

    parts: list[str] = field(default_factory=list)


def _claim(alternative: _Alternative) -> str:
    parts = alternative.parts
    if not parts or parts[-1] != "$":
        raise ValueError("it does not end in `$`")
    letters = 0
    while letters < len(parts) - 1 and parts[-2 - letters] not in ("?", "^", "$"):
        letters += 1
    tail = "".join(parts[len(parts) - 1 - letters : -1])
    if parts[:-1] == ["^", *tail] and is_host(tail):
        return tail
    domain = tail.partition(".")[2]
    if not is_host(domain) or domain.count(".") + 1 < _FEWEST_LABELS:
        raise ValueError(f"it does not end in a domain of at least {_FEWEST_LABELS} parts, with a dot before it")
    return f"*.{domain}"


@dataclass(slots=True)
class _Scan:
    """Reads an expression that RE2 takes."""

    pattern: str
    at: int = 0
    depth: int = 0

    def alternatives(self) -> list[_Alternative]:
        found = [_Alternative()]
        while self.at < len(self.pattern):
            letter = self.pattern[self.at]
            if letter == "|":
                self.at += 1
                found.append(_Alternative())
            else:
                self._part(letter, found[-1].parts)
        return found

    def _part(self, letter: str, parts: list[str]) -> None:
        if letter in "*+?" or (letter == "{" and _COUNT.match(self.pattern, self.at)):
            self.at = self.pattern.index("}", self.at) + 1 if letter == "{" else self.at + 1
            parts[-1:] = ["?"]
        elif letter in ("^", "$"):
            self.at += 1
            parts.append(letter if letter == "$" or not parts else "?")
        else:
            parts.append(self._atom(letter))

    def _atom(self, letter: str) -> str:
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == "\\":
            return self._escape()
        self.at += 1
        if letter == ".":
            return "?"
        if letter not in _LITERALS:
            raise ValueError(f"{letter!r} stands in no host name")
        return letter

    def _escape(self) -> str:
        letter = self.pattern[self.at + 1]
        if letter not in _ESCAPES:
            raise ValueError(f"\\{letter} is not taken here")
        self.at += 2
        return letter if letter in ".-" else "?"

    def _group(self) -> str:
        """To its end; what is in it is read only to find that."""
        self.at += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError(f"its groups are nested more than {_DEEPEST} deep")
        if self.pattern.startswith("?", self.at) and not self.pattern.startswith("?:", self.at):
            raise ValueError("a group that begins with `(?` is not taken here, but for `(?:`")
        self.at += 2 * self.pattern.startswith("?:", self.at)
        while self.pattern[self.at] != ")":
            letter = self.pattern[self.at]
            if letter in "|*+?^$" or (letter == "{" and _COUNT.match(self.pattern, self.at)):
                self.at = self.pattern.index("}", self.at) + 1 if letter == "{" else self.at + 1
            else:
                self._atom(letter)
        self.at += 1
        self.depth -= 1
        return "?"

    def _class(self) -> str:
        """`[a-z]`; `[.]` stands for a dot."""
        start = self.at
        self.at += 1 + self.pattern.startswith("^", self.at + 1)
        self.at += self.pattern.startswith("]", self.at)
        while self.pattern[self.at] != "]":
            if self.pattern[self.at] == "[":
                raise ValueError("a [ within a class is not taken here")
            if self.pattern[self.at] == "\\":
                self._escape()
            else:
                self.at += 1
        self.at += 1
        return "." if self.pattern[start : self.at] == "[.]" else "?"
