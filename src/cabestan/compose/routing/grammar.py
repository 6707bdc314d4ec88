"""Rules of Traefik 2 and 3: ``Host(`a.org`) && (PathPrefix(`/api`) || !Method(`GET`))``.

Both are read by one grammar. What Traefik 2 says otherwise (several values in one matcher, Headers, `Query(`a=b`)`,
`{name:regex}` in hosts and paths) becomes what Traefik 3 says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cabestan.compose.routing import matchers
from cabestan.compose.routing.rule import Match, Not, Rule, all_of, any_of

_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z][A-Za-z0-9]*)|`(?P<raw>[^`]*)`|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<sign>&&|\|\||[!(),]))"""
)
_QUOTED_ESCAPE = re.compile(r"\\(.)")
_DEEPEST = 30
_LONGEST = 4000

#: each takes any number of values, of which one must fit
_EITHER: dict[str, Callable[[str], Match]] = {
    "host": matchers.host,
    "hostheader": matchers.host,
    "hostregexp": matchers.host_pattern,
    "path": matchers.path,
    "pathprefix": matchers.path_prefix,
    "pathregexp": matchers.path_pattern,
    "method": matchers.method,
    "clientip": matchers.client_address,
}
_PAIRS: dict[str, Callable[[str, str], Match]] = {
    "header": matchers.header,
    "headers": matchers.header,
    "headerregexp": matchers.header_pattern,
    "headersregexp": matchers.header_pattern,
    "queryregexp": matchers.query_pattern,
}
MATCHERS = (
    *("Host", "HostRegexp", "Path", "PathPrefix", "PathRegexp", "Method", "ClientIP"),
    *("Header", "HeaderRegexp", "Query", "QueryRegexp"),
)


def parse(text: str) -> Rule:
    """Raises ValueError with what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError(f"the rule has more than {_LONGEST} characters")
    parser = _Parser(tuple(_tokens(text)))
    rule = parser.either(0)
    if parser.peek() is not None:
        raise ValueError(f"{parser.peek() or 'a value'} stands where && or || should")
    return rule


@dataclass(frozen=True, slots=True)
class _Value:
    text: str


def _tokens(text: str) -> list[str | _Value]:
    """Words and signs as texts, quoted values as `_Value`."""
    found: list[str | _Value] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{text[at : at + 40].strip()!r} is not understood")
        at = token.end()
        if token["raw"] is not None:
            found.append(_Value(token["raw"]))
        elif token["quoted"] is not None:
            found.append(_Value(_QUOTED_ESCAPE.sub(_unescape, token["quoted"])))
        else:
            found.append(token["word"] or token["sign"])
    return found


def _unescape(found: re.Match[str]) -> str:
    if found[1] not in '\\"':
        raise ValueError(f"\\{found[1]} in quotes is not understood; write the value between backticks")
    return found[1]


@dataclass(slots=True)
class _Parser:
    tokens: tuple[str | _Value, ...]
    at: int = 0

    def peek(self) -> str | None:
        """The next word or sign; an empty text for a value, None at the end."""
        if self.at == len(self.tokens):
            return None
        token = self.tokens[self.at]
        return token if isinstance(token, str) else ""

    def either(self, depth: int) -> Rule:
        parts = [self._both(depth)]
        while self._takes("||"):
            parts.append(self._both(depth))
        return any_of(*parts)

    def _both(self, depth: int) -> Rule:
        parts = [self._one(depth)]
        while self._takes("&&"):
            parts.append(self._one(depth))
        return all_of(*parts)

    def _one(self, depth: int) -> Rule:
        if depth > _DEEPEST:
            raise ValueError(f"the rule is nested more than {_DEEPEST} deep")
        if self._takes("!"):
            return Not(self._one(depth + 1))
        if self._takes("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._matcher()

    def _matcher(self) -> Rule:
        name = self.peek()
        if not name or not name[0].isalpha():
            raise ValueError("a matcher is missing" if name is None else f"{name or 'a value'} stands at a wrong place")
        self.at += 1
        self._expect("(")
        values = self._values()
        return matcher(name, values)

    def _values(self) -> tuple[str, ...]:
        values: list[str] = []
        while not self._takes(")"):
            if values:
                self._expect(",")
            values.append(self._value())
        return tuple(values)

    def _value(self) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if isinstance(token, _Value):
            self.at += 1
            return token.text
        raise ValueError("a value stands between backticks, such as `example.org`")

    def _takes(self, sign: str) -> bool:
        if self.peek() != sign:
            return False
        self.at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise ValueError(f"{sign!r} is missing" + (f" before {self.peek()!r}" if self.peek() else ""))


def matcher(name: str, values: tuple[str, ...]) -> Rule:
    """A matcher by its name in any case. Raises ValueError with what is wrong."""
    key = name.lower()
    if key in _EITHER and values:
        return any_of(*dict.fromkeys(_EITHER[key](value) for value in values))
    if key in _PAIRS and len(values) == 2:
        return _PAIRS[key](*values)
    if key == "query" and values:
        return _query(values)
    if key in _EITHER or key in _PAIRS or key == "query":
        raise ValueError(f"{name} has {len(values)} values, which is a wrong number")
    raise matchers.UnknownMatcher(f"{name[:40]!r} in the rule is not known")


def _query(values: tuple[str, ...]) -> Rule:
    """Traefik 3: key, or key and value; Traefik 2: any number of `key=value`, which must all hold."""
    if all("=" in value for value in values):
        pairs = (value.partition("=") for value in values)
        return all_of(*(matchers.query(key, value) for key, _, value in pairs))
    if len(values) > 2:
        raise ValueError("Query takes key and value")
    return Match("Query", (*(matchers.checked(value) for value in values),))
