"""Routes from routers, whatever they were written in: each with its rule, its service and its middlewares.

Nothing outside the Compose file can be named, so `@` stands in no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cabestan.compose.model import Service
from cabestan.compose.routing import grammar
from cabestan.compose.routing.definitions import BALANCING, HTTP
from cabestan.compose.routing.draft import Draft, bound, entrypoints, exposed_port, number
from cabestan.compose.routing.labels import ENABLE, Labels
from cabestan.compose.routing.matchers import UnknownMatcher
from cabestan.compose.routing.parts import BALANCER, PORT, SCHEME, Definitions, Dialect, Parsed, Part
from cabestan.domain.route import Middleware

_EXAMPLE = "Write Host(`example.org`), or Host(`example.org`) && PathPrefix(`/path`)."
#: how routers name what these very labels define
_OF_LABELS = re.compile(r"@(?:docker|swarm)$")
_LOCAL = "Define it in this file; names of other files and providers mean nothing here."
_PORTS = (1, 65535)
_PRIORITIES = (1, 999_999)
_SCHEMES = ("http", "https", "h2c")
#: what the platform sets for all
_IGNORED = ("tls", "tls.certresolver", "rulesyntax")
_OPTIONS = frozenset({"rule", "entrypoints", "middlewares", "service", "priority", *_IGNORED})

TRAEFIK_3 = Dialect(
    parse=lambda words: Parsed(grammar.parse(words)),
    example=_EXAMPLE,
    matchers=lambda _: f"There are {', '.join(grammar.MATCHERS)}.",
    port="Add traefik.http.services.NAME.loadbalancer.server.port.",
    scheme="scheme",
)


def is_routed(labels: Labels) -> bool:
    return any(key.startswith(f"{HTTP}routers.") for key in labels.values)


def drafts(labels: Labels, known: Definitions, domain: str) -> Iterator[Draft]:
    """The routes of one service in the words of Traefik 2 and 3; what is wrong goes into the report."""
    found = tuple(known.of(labels))
    for router in found:
        part = "" if len(found) == 1 else router.name
        if draft := Router(router, known, TRAEFIK_3).draft(part, domain):
            yield draft
    if not found:
        remedy = f"Add traefik.http.routers.NAME.rule. {_EXAMPLE}"
        labels.wrong(ENABLE, "The service is routed, but has no rule.", remedy)


class _Target(NamedTuple):
    """A service as a router leads to it; the options are those of the load balancer."""

    service: Service
    port: int
    scheme: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Router:
    """One router among the definitions that it may name."""

    router: Part
    known: Definitions
    dialect: Dialect

    @property
    def labels(self) -> Labels:
        return self.router.labels

    def draft(self, part: str, domain: str) -> Draft | None:
        """`part` tells the routes of one service apart. None where something is wrong, which is in the report."""
        self._check_options()
        words = self.router.get("rule")
        if words is None:
            self._wrong("", f"The router {self.router.name} has no rule.", f"Add its rule. {self.dialect.example}")
            return None
        parsed = self._parsed(words)
        ruled = bound(self.labels, self.router.label("rule"), parsed.rule, domain) if parsed else None
        target, entries, priority = self._target(), self._entrypoints(), self._priority()
        steps = tuple(self._steps(self.router.get("middlewares") or "", ()))
        if parsed is None or ruled is None or target is None:
            return None
        return Draft(
            service=target.service,
            part=part,
            rule=ruled[0],
            claims=ruled[1],
            words=words,
            spot=self.labels.spot(self.router.label("rule")),
            port=target.port,
            priority=priority or len(words),
            scheme=target.scheme,
            entrypoints=entries,
            middlewares=(*steps, *parsed.changes),
            options=target.options,
        )

    def _wrong(self, option: str, message: str, remedy: str, code: str = "route") -> None:
        self.labels.wrong(self.router.label(option), message, remedy, code)

    def _check_options(self) -> None:
        for option, (label, _, _) in self.router.options.items():
            if option not in _OPTIONS:
                remedy = "Remove it; certificates are the platform's matter."
                self._wrong(option, f"The label {label} is not supported.", remedy, code="route-label")
            elif option == "tls.certresolver":
                self.labels.doubt(label, f"{label} is passed over: the platform chooses.", "Remove it.")

    def _parsed(self, words: str) -> Parsed | None:
        try:
            return self.dialect.parse(words)
        except UnknownMatcher as error:
            self._wrong("rule", f"{error}.", self.dialect.matchers(words), code="route-matcher")
        except ValueError as error:
            self._wrong("rule", f"In the rule, {error}.", self.dialect.example)
        return None

    def _priority(self) -> int | None:
        value = self.router.get("priority")
        if value is None or value == "0":
            return None
        return number(self.labels, self.router.label("priority"), value, *_PRIORITIES)

    def _entrypoints(self) -> tuple[str, ...]:
        value = self.router.get("entrypoints")
        found = entrypoints(self.labels, self.router.label("entrypoints"), value) if value else ()
        return found or (("https",) if {"tls", "tls.certresolver"} & self.router.options.keys() else ())

    def _target(self) -> _Target | None:
        """What the router leads to; the only service of these labels where none is named."""
        name = self.router.get("service")
        if name is not None:
            part = self._named("service", name, self.known.services)
            return self._checked(part) if part else None
        own = [part for part in self.known.services.values() if part.labels is self.labels]
        if len(own) > 1:
            self._wrong("", f"{self.router.name} does not say which service it leads to.", "Add its service.")
            return None
        return self._checked(own[0] if own else Part(self.router.name, self.labels, self.router.label("rule")))

    def _checked(self, part: Part) -> _Target | None:
        if (value := part.get(BALANCER + PORT)) is not None:
            port = number(part.labels, part.label(BALANCER + PORT), value, *_PORTS)
        else:
            port = exposed_port(part.labels, part.place, self.dialect.port)
        scheme = part.get(BALANCER + SCHEME) or "http"
        if scheme.lower() not in _SCHEMES:
            message = f"{scheme[:40]!r} is no {self.dialect.scheme} here."
            part.labels.wrong(part.label(BALANCER + SCHEME), message, f"Write {', '.join(_SCHEMES)}.")
        if port is None:
            return None
        options = ((option.removeprefix(BALANCER), said.value) for option, said in part.options.items())
        balancing = tuple((option, value) for option, value in options if option in BALANCING)
        return _Target(part.labels.service, port, scheme.lower(), balancing)

    def _steps(self, names: str, within: tuple[str, ...]) -> Iterator[Middleware]:
        """The middlewares of these names; `within` are the chains that name them."""
        for name in (name.strip() for name in names.split(",") if name.strip()):
            part = self._named("middlewares", name, self.known.middlewares)
            if part is None:
                continue
            if part.name in within:
                self._wrong("middlewares", f"The chain {part.name} holds itself.", "Take it out of there.")
            elif (inner := part.get("chain.middlewares")) is not None:
                yield from self._steps(inner, (*within, part.name))
            else:
                yield from self.known.made[part.name]

    def _named(self, option: str, name: str, parts: Mapping[str, Part]) -> Part | None:
        """Raises no error; what is not there, or elsewhere, goes into the report."""
        part = parts.get(_OF_LABELS.sub("", name.lower()))
        if part is None:
            what = "of another provider" if "@" in name else "not defined"
            self._wrong(option, f"{self.router.name} wants {name[:60]!r}, which is {what}.", _LOCAL)
        return part
