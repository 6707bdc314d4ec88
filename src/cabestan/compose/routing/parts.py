"""What labels define: routers, services and middlewares of Traefik 3, each option with the label that says it.

Labels of Traefik 2 and 3 are read into them as they are, those of Traefik 1 are translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cabestan.compose.routing.labels import Labels
from cabestan.compose.routing.middlewares import UnknownOption
from cabestan.compose.routing.rule import Rule
from cabestan.domain.route import Middleware

PORT, SCHEME = "server.port", "server.scheme"
#: of a service, before its options
BALANCER = "loadbalancer."


class Said(NamedTuple):
    """A value with the label that it stands in, and the option as it is written: names of headers keep their case."""

    label: str
    option: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """A router, service or middleware, with its options by name in lower case."""

    name: str
    labels: Labels
    #: the label to name where no option is meant
    place: str
    options: dict[str, Said] = field(default_factory=dict)

    def get(self, option: str) -> str | None:
        found = self.options.get(option)
        return found.value if found else None

    def label(self, option: str) -> str:
        found = self.options.get(option)
        return found.label if found else self.place


@dataclass(frozen=True, slots=True)
class Definitions:
    """Parts that may name each other, by kind and name."""

    routers: dict[str, Part] = field(default_factory=dict)
    services: dict[str, Part] = field(default_factory=dict)
    middlewares: dict[str, Part] = field(default_factory=dict)
    #: what has become of the middlewares, by their names
    made: dict[str, tuple[Middleware, ...]] = field(default_factory=dict)

    def of(self, labels: Labels) -> Iterator[Part]:
        """The routers that the labels of one service define."""
        return (router for router in self.routers.values() if router.labels.service is labels.service)


class Parsed(NamedTuple):
    """A rule, None where it fits every request, and what it has done to the path."""

    rule: Rule | None
    changes: tuple[Middleware, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """In which words a route is written, and what to tell those who write so."""

    parse: Callable[[str], Parsed]
    #: how to write a rule
    example: str
    #: what to write instead of a rule with a matcher that there is not
    matchers: Callable[[str], str]
    #: how to name the port
    port: str
    #: what the scheme is called
    scheme: str


def wrong_in(labels: Labels, label: str, error: ValueError) -> None:
    """Reports what is wrong with the value of a label."""
    code = "route-label" if isinstance(error, UnknownOption) else "route"
    labels.wrong(label, f"In {label}, {error}.", "Correct it, or remove it.", code)
