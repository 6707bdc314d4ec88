"""Rules of Traefik 1: `Host:a.org,b.org;PathPrefixStrip:/api`.

A comma means "or" between the values of a matcher, a semicolon "and" between matchers. The values of Headers and
HeadersRegexp are name and value in turn; those of Headers, HeadersRegexp and Query must all hold. Within braces
neither separates, so that `{id:[0-9]{1,3}}` is whole. As there, what changes the path does so in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cabestan.compose.routing import matchers
from cabestan.compose.routing.patterns import from_template, split_outside_braces
from cabestan.compose.routing.rule import Match, Rule, all_of, any_of
from cabestan.domain.route import Middleware

#: each fits where one of its values does
_EITHER: dict[str, Callable[[str], Match]] = {
    "Host": matchers.host,
    "HostRegexp": matchers.host_pattern,
    "Path": matchers.path,
    "PathStrip": matchers.path,
    "PathStripRegex": matchers.path,
    "PathPrefix": matchers.path_prefix,
    "PathPrefixStrip": matchers.path_prefix,
    "PathPrefixStripRegex": matchers.path_prefix,
    "Method": matchers.method,
}
_PAIRS: dict[str, Callable[[str, str], Match]] = {
    "Headers": matchers.header,
    "HeadersRegexp": matchers.header_pattern,
}
_MODIFIERS = ("AddPrefix", "ReplacePath", "ReplacePathRegex")
MATCHERS = (*_EITHER, *_PAIRS, "Query", *_MODIFIERS)


class UnknownMatcher(ValueError):
    """There is no such matcher in Traefik 1."""


@dataclass(slots=True)
class Parsed:
    """The conditions, without which the rule fits every request, and what is done to the path."""

    conditions: list[Rule] = field(default_factory=list)
    #: matcher to values, of those that change the path
    changes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rule(self) -> Rule | None:
        return all_of(*self.conditions) if self.conditions else None

    @property
    def middlewares(self) -> tuple[Middleware, ...]:
        """In the order in which Traefik 1 does it: strip, add, replace."""
        return tuple(self._middlewares())

    def _middlewares(self) -> list[Middleware]:
        found: list[Middleware] = []
        if patterns := self._values("PathStripRegex", "PathPrefixStripRegex"):
            ends = {"PathStripRegex": "$", "PathPrefixStripRegex": ""}
            regexes = [
                f"^{from_template(value, '[^/]+')}{end}"
                for name, end in ends.items()
                for value in self.changes.get(name, [])
            ]
            found.append(Middleware("strip-regex", "stripprefixregex", (("regex", ",".join(regexes)),)))
            if any("," in pattern for pattern in patterns):
                raise ValueError("a pattern that is stripped may hold no comma")
        if prefixes := self._values("PathStrip", "PathPrefixStrip"):
            found.append(Middleware("strip", "stripprefix", (("prefixes", ",".join(prefixes)),)))
        for value in self._values("AddPrefix"):
            found.append(Middleware("add", "addprefix", (("prefix", value),)))
        for value in self._values("ReplacePathRegex"):
            regex, _, replacement = value.partition(" ")
            options = (("regex", regex), ("replacement", replacement.strip()))
            found.append(Middleware("replace-regex", "replacepathregex", options))
        for value in self._values("ReplacePath"):
            found.append(Middleware("replace", "replacepath", (("path", value),)))
        return found

    def _values(self, *names: str) -> list[str]:
        return [value for name in names for value in self.changes.get(name, [])]


def parse(rule: str) -> Parsed:
    """Raises ValueError (UnknownMatcher for a word that there is not) with what is wrong."""
    parsed = Parsed()
    seen: set[str] = set()
    for part in split_outside_braces(rule, ";"):
        name, _, text = part.partition(":")
        name = name.strip()
        if name in seen:
            raise ValueError(f"{name} stands twice; list its values with commas")
        seen.add(name)
        _add(parsed, name, text.strip())
    if not seen:
        raise ValueError("the rule is empty")
    return parsed


def _add(parsed: Parsed, name: str, text: str) -> None:
    values = split_outside_braces(text, ",")
    if name not in MATCHERS:
        raise UnknownMatcher(f"{name[:40]!r} in the rule is not known")
    if not values:
        raise ValueError(f"{name} has no value")
    if name in _EITHER:
        parsed.conditions.append(any_of(*dict.fromkeys(_EITHER[name](value) for value in values)))
    elif name in _PAIRS:
        parsed.conditions.append(all_of(*_pairs(name, values)))
    elif name == "Query":
        parsed.conditions.append(all_of(*(_query(value) for value in values)))
    if "Strip" in name:
        parsed.changes[name] = [_strippable(name, value) for value in values]
    elif name in _MODIFIERS:
        parsed.changes[name] = [_changed(name, text, values)]


def _pairs(name: str, values: list[str]) -> list[Match]:
    if len(values) % 2:
        raise ValueError(f"{name} takes name and value in turn, separated by commas")
    return [_PAIRS[name](key, value) for key, value in zip(values[::2], values[1::2], strict=True)]


def _query(value: str) -> Match:
    """`a=b`, `a={name:regex}`, or `a=` for any value of a."""
    key, equals, wanted = value.partition("=")
    if not equals:
        raise ValueError(f"Query takes key=value, not {value[:40]!r}")
    return matchers.query(key.strip(), wanted.strip() or None)


def _strippable(name: str, value: str) -> str:
    if not name.endswith("Regex"):
        matchers.plain_path(value)
        if "{" in value:
            raise ValueError(f"{name} takes plain paths; {name}Regex takes {{name:regex}}")
    return value


def _changed(name: str, text: str, values: list[str]) -> str:
    if name == "ReplacePathRegex":
        regex, _, replacement = text.partition(" ")
        if not replacement.strip():
            raise ValueError("ReplacePathRegex takes a regular expression, a space and the replacement")
        matchers.regex(regex)
        return f"{regex} {matchers.checked(replacement.strip())}"
    if len(values) > 1:
        raise ValueError(f"{name} takes one path")
    return matchers.plain_path(values[0])
