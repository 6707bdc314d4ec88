"""Rules as trees, whatever they were written in, and their text for Traefik 3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cabestan.compose.routing.hosts import claims_of_pattern

#: more alternatives than this are not looked into
_MOST_ALTERNATIVES = 256


@dataclass(frozen=True, slots=True)
class Match:
    """One matcher of Traefik 3 with its values, all of them checked: no backtick, no control character.

    Whoever makes one checks its values with better words; that none gets through is made sure of here.
    """

    matcher: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if any("`" in value or not value.isprintable() for value in self.values):
            raise ValueError(f"a value of {self.matcher} holds a backtick or a control character")


@dataclass(frozen=True, slots=True)
class All:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Any:
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


Rule = Match | All | Any | Not


def all_of(*rules: Rule) -> Rule:
    return rules[0] if len(rules) == 1 else All(rules)


def any_of(*rules: Rule) -> Rule:
    return rules[0] if len(rules) == 1 else Any(rules)


def to_text(rule: Rule) -> str:
    """In the words of Traefik 3: ``Host(`a`) && (Path(`/b`) || !Method(`POST`))``."""
    match rule:
        case Match(matcher, values):
            return f"{matcher}({', '.join(f'`{value}`' for value in values)})"
        case All(rules):
            return " && ".join(_grouped(part) if isinstance(part, Any) else to_text(part) for part in rules)
        case Any(rules):
            return " || ".join(_grouped(part) if isinstance(part, All) else to_text(part) for part in rules)
        case Not(inner):
            return f"!{to_text(inner) if isinstance(inner, Match) else _grouped(inner)}"


def _grouped(rule: Rule) -> str:
    return f"({to_text(rule)})"


def matches_in(rule: Rule) -> Iterator[Match]:
    match rule:
        case Match():
            yield rule
        case All(rules) | Any(rules):
            for part in rules:
                yield from matches_in(part)
        case Not(inner):
            yield from matches_in(inner)


def names_hosts(rule: Rule) -> bool:
    return any(match.matcher in ("Host", "HostRegexp") for match in matches_in(rule))


def claims_of(rule: Rule) -> frozenset[str] | None:
    """Host names and `*.suffix` beside which the rule fits no request; None where it may fit any.

    A condition on something else, or a negation, binds to nothing. Of several conditions that must all hold, any
    one that binds is enough, so that the narrowest is taken.
    """
    match rule:
        case Match("Host", (host,)):
            return frozenset({host})
        case Match("HostRegexp", (pattern,)):
            return frozenset(claims_of_pattern(pattern))
        case All(rules):
            found = [claims for part in rules if (claims := claims_of(part)) is not None]
            return min(found, key=_width, default=None)
        case Any(rules):
            parts = [claims_of(part) for part in rules]
            bound = [part for part in parts if part is not None]
            return frozenset().union(*bound) if len(bound) == len(parts) else None
        case Not(Not(inner)):
            return claims_of(inner)
    return None


def _width(claims: frozenset[str]) -> tuple[int, int, list[str]]:
    return sum(claim.startswith("*.") for claim in claims), len(claims), sorted(claims)


def alternatives(rule: Rule) -> tuple[tuple[Match | Not, ...], ...]:
    """The rule as alternatives of conditions that must all hold; empty where there would be too many."""
    match rule:
        case Any(rules):
            parts = [alternatives(part) for part in rules]
            joined = tuple(one for part in parts for one in part)
            return joined if all(parts) and len(joined) <= _MOST_ALTERNATIVES else ()
        case All(rules):
            found: tuple[tuple[Match | Not, ...], ...] = ((),)
            for part in rules:
                found = tuple((*one, *other) for one in found for other in alternatives(part))
                if len(found) > _MOST_ALTERNATIVES:
                    return ()
            return found
        case Match() | Not():
            return ((rule,),)
