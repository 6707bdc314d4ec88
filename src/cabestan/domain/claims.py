"""Whose host names are: the first project's that claimed them, or the one's that an administrator named.

A pattern is a name, `www.example.org`, or all names below one, `*.example.org`, at any depth. Two patterns overlap
where one covers the other; there is no third way, because a `*` stands at the front alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ANY = "*."


@dataclass(frozen=True, slots=True)
class HostRule:
    """The pattern belongs to a project, `group/name`, or to all projects of a group, which then share it."""

    pattern: str
    owner: str

    def allows(self, project: str) -> bool:
        return self.owner in (project, _group(project))


@dataclass(frozen=True, slots=True)
class Claim:
    """The project routes the pattern, or did."""

    pattern: str
    project: str


@dataclass(frozen=True, slots=True)
class HostConflict:
    """A project wants what belongs to another; `owner` is a project or a group."""

    wanted: str
    pattern: str
    owner: str


def covers(wide: str, narrow: str) -> bool:
    """Whether every host name of the one is also one of the other's."""
    if not wide.startswith(_ANY):
        return wide == narrow
    return narrow.removeprefix(_ANY).endswith(wide[1:]) or wide == narrow


def overlap(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)


def conflicts(
    wanted: Iterable[str], project: str, claims: Iterable[Claim], rules: Iterable[HostRule]
) -> tuple[HostConflict, ...]:
    """What stands against the project's routing of these patterns. Of rules for one pattern the first counts."""
    foreign = [claim for claim in claims if claim.project != project]
    first: dict[str, HostRule] = {}
    for rule in rules:
        first.setdefault(rule.pattern, rule)
    known = tuple(first.values())
    found: dict[HostConflict, None] = {}
    for pattern in wanted:
        found.update(dict.fromkeys(_against_rules(pattern, project, known)))
        found.update(dict.fromkeys(_against_claims(pattern, project, foreign, known)))
    return tuple(found)


def decisive(pattern: str, rules: Iterable[HostRule]) -> HostRule | None:
    """The most precise rule that covers it."""
    covering = (rule for rule in rules if covers(rule.pattern, pattern))
    return max(covering, key=lambda rule: _precision(rule.pattern), default=None)


def _against_rules(pattern: str, project: str, rules: tuple[HostRule, ...]) -> Iterator[HostConflict]:
    """The rule that decides on it, and, for a wide one, all that lie within."""
    above = decisive(pattern, rules)
    within = [rule for rule in rules if rule is not above and covers(pattern, rule.pattern)]
    for rule in ([above] if above else []) + within:
        if not rule.allows(project):
            yield HostConflict(pattern, rule.pattern, rule.owner)


def _against_claims(
    pattern: str, project: str, foreign: Iterable[Claim], rules: tuple[HostRule, ...]
) -> Iterator[HostConflict]:
    for claim in foreign:
        if not overlap(pattern, claim.pattern):
            continue
        shared = decisive(claim.pattern if covers(pattern, claim.pattern) else pattern, rules)
        if not (shared and shared.owner == _group(project) == _group(claim.project)):
            yield HostConflict(pattern, claim.pattern, claim.project)


def _precision(pattern: str) -> tuple[bool, int]:
    return not pattern.startswith(_ANY), pattern.count(".")


def _group(project: str) -> str:
    return project.partition("/")[0]
