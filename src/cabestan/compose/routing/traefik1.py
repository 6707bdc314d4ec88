"""Rules of Traefik 1: `Host:a.org,b.org;PathPrefixStrip:/api`.

A comma means "or" between the values of a matcher, a semicolon "and" between matchers. The values of Headers and
HeadersRegexp are name and value in turn; those of Headers, HeadersRegexp and Query must all hold. Within braces
neither separates, so that `{id:[0-9]{1,3}}` is whole. As there, what changes the path does so in a fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cabestan.compose.routing import grammar, matchers
from cabestan.compose.routing.middlewares import make
from cabestan.compose.routing.parts import Parsed
from cabestan.compose.routing.patterns import from_template, split_outside_braces
from cabestan.compose.routing.rule import Match, Rule, all_of
from cabestan.domain.route import Middleware

#: each fits where one of its values does
_EITHER = (
    *("Host", "HostRegexp", "Method"),
    *("Path", "PathStrip", "PathStripRegex", "PathPrefix", "PathPrefixStrip", "PathPrefixStripRegex"),
)
_PAIRS = ("Headers", "HeadersRegexp")
_MODIFIERS = ("AddPrefix", "ReplacePath", "ReplacePathRegex")
_MATCHERS = (*_EITHER, *_PAIRS, "Query", *_MODIFIERS)


@dataclass(slots=True)
class _Scan:
    """What was read: the conditions, and by matcher the values of those that change the path."""

    conditions: list[Rule] = field(default_factory=list)
    changes: dict[str, list[str]] = field(default_factory=dict)

    def middlewares(self) -> Iterator[Middleware]:
        """In the order in which Traefik 1 does it: strip, add, replace."""
        regexes = [
            f"^{from_template(value, '[^/]+')}{end}"
            for name, end in (("PathStripRegex", "$"), ("PathPrefixStripRegex", ""))
            for value in self._values(name)
        ]
        if regexes:
            if any("," in pattern for pattern in self._values("PathStripRegex", "PathPrefixStripRegex")):
                raise ValueError("a pattern that is stripped may hold no comma")
            yield make("strip-regex", "stripprefixregex", {"regex": ",".join(regexes)})
        if prefixes := self._values("PathStrip", "PathPrefixStrip"):
            yield make("strip", "stripprefix", {"prefixes": ",".join(prefixes)})
        for value in self._values("AddPrefix"):
            yield make("add", "addprefix", {"prefix": value})
        for value in self._values("ReplacePathRegex"):
            regex, _, replacement = value.partition(" ")
            yield make("replace-regex", "replacepathregex", {"regex": regex, "replacement": replacement})
        for value in self._values("ReplacePath"):
            yield make("replace", "replacepath", {"path": value})

    def _values(self, *names: str) -> list[str]:
        return [value for name in names for value in self.changes.get(name, [])]


def parse(rule: str) -> Parsed:
    """Raises ValueError (UnknownMatcher for a word that there is not) with what is wrong."""
    scan = _Scan()
    seen: set[str] = set()
    for part in split_outside_braces(rule, ";"):
        name, _, text = part.partition(":")
        name = name.strip()
        if name in seen:
            raise ValueError(f"{name} stands twice; list its values with commas")
        seen.add(name)
        _add(scan, name, text.strip())
    if not seen:
        raise ValueError("the rule is empty")
    return Parsed(all_of(*scan.conditions) if scan.conditions else None, tuple(scan.middlewares()))


def _add(scan: _Scan, name: str, text: str) -> None:
    values = split_outside_braces(text, ",")
    if name not in _MATCHERS:
        raise matchers.UnknownMatcher(f"{name[:40]!r} in the rule is not known")
    if not values:
        raise ValueError(f"{name} has no value")
    if name in _EITHER:
        scan.conditions.append(grammar.matcher(name.removesuffix("Regex").removesuffix("Strip"), tuple(values)))
    elif name in _PAIRS:
        scan.conditions.append(all_of(*_pairs(name, values)))
    elif name == "Query":
        scan.conditions.append(all_of(*(_query(value) for value in values)))
    if "Strip" in name:
        scan.changes[name] = [_strippable(name, value) for value in values]
    elif name in _MODIFIERS:
        scan.changes[name] = [_changed(name, text, values)]


def _pairs(name: str, values: list[str]) -> list[Rule]:
    if len(values) % 2:
        raise ValueError(f"{name} takes name and value in turn, separated by commas")
    return [grammar.matcher(name, pair) for pair in zip(values[::2], values[1::2], strict=True)]


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
