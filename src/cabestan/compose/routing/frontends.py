"""Routes from labels of Traefik 1: `traefik.frontend.rule`, or `traefik.NAME.frontend.rule` for several of a service.

As there, a service with named frontends has those alone, and what stands without a name holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from cabestan.compose.routing import traefik1
from cabestan.compose.routing.draft import Draft, bound, entrypoints, exposed_port, number
from cabestan.compose.routing.frontend_middlewares import FrontendOptions
from cabestan.compose.routing.labels import ENABLE, PREFIX, Labels
from cabestan.compose.routing.middlewares import UnknownOption
from cabestan.domain.route import Middleware

RULE = "traefik.frontend.rule"
PRIORITY = "traefik.frontend.priority"
#: first words of labels that are no names of frontends
_WORDS = frozenset({"backend", "domain", "enable", "frontend", "port", "protocol", "tags", "weight", "docker", "swarm"})
_LATER = frozenset({"http", "tcp", "udp", "tls"})
_NAME = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
_EXAMPLE = "Write Host:example.org or Host:example.org;PathPrefix:/path."
_PORTS = (1, 65535)
PRIORITIES = (1, 999_999)
_PROTOCOLS = ("http", "https", "h2c")
#: what meant something to Traefik 1 and means nothing here, and why
_IGNORED = {
    "backend": "each service is a backend of its own here",
    "backend.loadbalancer.method": "requests go round here",
    "backend.loadbalancer.swarm": "requests go to the tasks themselves here",
    "docker.network": "the environment's own network is the only one here",
    "swarm.network": "the environment's own network is the only one here",
    "docker.lbswarm": "requests go to the tasks themselves here",
    "swarm.lbswarm": "requests go to the tasks themselves here",
    "weight": "each service is a backend of its own here",
    "domain": "a rule names its hosts here",
}
#: `traefik.tags` chose among several routers of old; one router serves all
_SILENT = frozenset({"enable", "tags"})
_Made = TypeVar("_Made")


def frontends(labels: Labels, domain: str) -> Iterator[Draft]:
    """Those of one service; what is wrong goes into the report."""
    names = dict.fromkeys(name for key in labels.values if (name := _name_of(key)) is not None)
    for name in names:
        if not _NAME.fullmatch(name):
            labels.wrong(_first_label(labels, name), f"{name[:40]!r} names no frontend.", "Use letters and digits.")
    for name in names or [""]:
        if draft := _Frontend(labels, name, domain).draft():
            yield draft


def is_routed(labels: Labels) -> bool:
    """Whether there is any rule of Traefik 1."""
    return any(key == RULE or key.endswith(".frontend.rule") for key in labels.values if not is_later(key))


def is_later(key: str) -> bool:
    """Whether the label is one of Traefik 2 or 3."""
    return key.removeprefix(PREFIX).partition(".")[0] in _LATER


def check(labels: Labels) -> None:
    """Refuses labels that are not understood, and warns of those that mean nothing here."""
    for key, (label, _) in labels.values.items():
        if is_later(key):
            continue
        name = _name_of(key)
        known = key.removeprefix(f"{PREFIX}{name}." if name else PREFIX)
        if known in _IGNORED:
            labels.doubt(label, f"{label} is passed over: {_IGNORED[known]}.", "Remove it.")
        elif known not in _SILENT | {"port", "protocol"} and not FrontendOptions.knows(known):
            remedy = FrontendOptions.remedy(known)
            labels.wrong(label, f"The label {label} is not supported.", remedy, code="route-label")


def _name_of(key: str) -> str | None:
    """`web` of `traefik.web.frontend.rule`; None where the label names no frontend."""
    first, dot, _ = key.removeprefix(PREFIX).partition(".")
    return first if dot and first not in _WORDS | _LATER else None


def _first_label(labels: Labels, name: str) -> str:
    return next(key for key in labels.values if key.startswith(f"{PREFIX}{name}."))


@dataclass(frozen=True, slots=True)
class _Frontend:
    """One frontend of a service; its name is empty where the labels have none."""

    labels: Labels
    name: str
    domain: str

    def _label(self, known: str) -> str:
        """The label that counts: the frontend's own, or the service's."""
        own = f"{PREFIX}{self.name}.{known}"
        return own if self.name and own in self.labels.values else f"{PREFIX}{known}"

    def draft(self) -> Draft | None:
        label = self._label("frontend.rule")
        words = self.labels.get(label)
        if words is None:
            self.labels.wrong(ENABLE, "The service is routed, but has no rule.", f"Add {RULE}. {_EXAMPLE}")
            return None
        parsed = self._parsed(label, words)
        port, scheme = self._port(label), self._scheme()
        priority = self._priority()
        middlewares = self._middlewares()
        ruled = bound(self.labels, label, parsed.rule, self.domain) if parsed else None
        if parsed is None or ruled is None or port is None:
            return None
        return Draft(
            service=self.labels.service,
            part=self.name,
            rule=ruled[0],
            claims=ruled[1],
            words=words,
            spot=self.labels.spot(label),
            port=port,
            priority=priority or len(words),
            scheme=scheme,
            entrypoints=self._entrypoints(),
            middlewares=(*middlewares, *parsed.middlewares),
            options=self._options(),
        )

    def _parsed(self, label: str, words: str) -> traefik1.Parsed | None:
        try:
            parsed = traefik1.parse(words)
            _ = parsed.middlewares
        except traefik1.UnknownMatcher as error:
            remedy = _EXAMPLE
            if "(" in words:
                remedy = "That is Traefik 2 or 3: write it as traefik.http.routers.NAME.rule. " + remedy
            self.labels.wrong(label, f"{error}.", remedy, code="route-matcher")
        except ValueError as error:
            self.labels.wrong(label, f"In the rule, {error}.", _EXAMPLE)
        else:
            return parsed
        return None

    def _port(self, rule: str) -> int | None:
        label = self._label("port")
        if (value := self.labels.get(label)) is not None:
            return number(self.labels, label, value, *_PORTS)
        return exposed_port(self.labels, rule, "Add traefik.port: 'PORT'.")

    def _scheme(self) -> str:
        label = self._label("protocol")
        value = (self.labels.get(label) or "http").lower()
        if value not in _PROTOCOLS:
            self.labels.wrong(label, f"{value[:40]!r} is no protocol here.", f"Write {', '.join(_PROTOCOLS)}.")
        return value

    def _priority(self) -> int | None:
        label = self._label("frontend.priority")
        value = self.labels.get(label)
        return None if value in (None, "0") else number(self.labels, label, value or "", *PRIORITIES)

    def _entrypoints(self) -> tuple[str, ...]:
        label = self._label("frontend.entrypoints")
        value = self.labels.get(label)
        return entrypoints(self.labels, label, value) if value else ()

    def _middlewares(self) -> tuple[Middleware, ...]:
        return tuple(self._each(FrontendOptions(self._all()).middlewares()))

    def _options(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._each(FrontendOptions(self._all()).balancing()))

    def _all(self) -> dict[str, tuple[str, str]]:
        """What holds for this frontend: known name in lower case to that as written, and value."""
        found: dict[str, tuple[str, str]] = {}
        for prefix in (PREFIX, f"{PREFIX}{self.name}.") if self.name else (PREFIX,):
            for written, value in self.labels.below(prefix):
                if FrontendOptions.knows(written.lower()):
                    found[written.lower()] = (written, value)
        return found

    def _each(self, makers: Iterator[tuple[str, _Made | ValueError]]) -> Iterator[_Made]:
        for known, made in makers:
            if isinstance(made, ValueError):
                code = "route-label" if isinstance(made, UnknownOption) else "route"
                label = self._label(known)
                self.labels.wrong(label, f"In {label}, {made}.", "Correct it, or remove it.", code=code)
            else:
                yield made
