"""Labels of Traefik 1, `traefik.frontend.rule`, or `traefik.NAME.frontend.rule` for several of a service.

Each frontend becomes a router of Traefik 3, with a service and middlewares of its own, which nothing else can name. As
in Traefik 1, a service with named frontends has those alone, and what stands without a name holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cabestan.compose.routing import frontend_options, traefik1
from cabestan.compose.routing.definitions import check as check_definitions
from cabestan.compose.routing.draft import Draft
from cabestan.compose.routing.frontend_options import ROUTER, SERVICE, FrontendOptions
from cabestan.compose.routing.labels import ENABLE, PREFIX, Labels
from cabestan.compose.routing.parts import Definitions, Dialect, Part, Said, wrong_in
from cabestan.compose.routing.routers import Router

RULE = "traefik.frontend.rule"
#: first words of labels that are no names of frontends
_WORDS = frozenset({"backend", "domain", "enable", "frontend", "port", "protocol", "tags", "weight", "docker", "swarm"})
_LATER = frozenset({"http", "tcp", "udp", "tls"})
_NAME = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
_EXAMPLE = "Write Host:example.org or Host:example.org;PathPrefix:/path."
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


def _matchers(words: str) -> str:
    later = "That is Traefik 2 or 3: write it as traefik.http.routers.NAME.rule. " if "(" in words else ""
    return later + _EXAMPLE


TRAEFIK_1 = Dialect(
    parse=traefik1.parse,
    example=_EXAMPLE,
    matchers=_matchers,
    port="Add traefik.port: 'PORT'.",
    scheme="protocol",
)


def drafts(labels: Labels, domain: str) -> Iterator[Draft]:
    """The routes of one service in the words of Traefik 1; what is wrong goes into the report."""
    names = dict.fromkeys(name for key in labels.values if (name := _name_of(key)) is not None)
    for name in names:
        if not _NAME.fullmatch(name):
            labels.wrong(_first_label(labels, name), f"{name[:40]!r} names no frontend.", "Use letters and digits.")
    for name in names or [""]:
        own = _Frontend.of(labels, name).translated()
        check_definitions(own)
        for router in own.routers.values():
            if draft := Router(router, own, TRAEFIK_1).draft(name, domain):
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
        elif known not in _SILENT and not frontend_options.knows(known):
            remedy = frontend_options.remedy(known)
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
    #: what holds for it: known labels to their values
    values: Mapping[str, str]

    @classmethod
    def of(cls, labels: Labels, name: str) -> _Frontend:
        prefixes = (PREFIX, f"{PREFIX}{name}.") if name else (PREFIX,)
        every = ((known.lower(), value) for prefix in prefixes for known, value in labels.below(prefix))
        return cls(labels, name, {known: value for known, value in every if frontend_options.knows(known)})

    def translated(self) -> Definitions:
        """One router and what it names; nothing where there is no rule."""
        found = Definitions()
        if "frontend.rule" not in self.values:
            self.labels.wrong(ENABLE, "The service is routed, but has no rule.", f"Add {RULE}. {_EXAMPLE}")
            return found
        router = self._straight(found.routers, ROUTER)
        self._straight(found.services, SERVICE)
        options = FrontendOptions(self.values)
        for option, known, value in options.balancing():
            if text := self._made(value, self._label, known):
                found.services[self.name].options[option] = Said(self._label(known), option, text)
        for name, known, make in options.middlewares():
            if made := self._made(make, self._nearest, known):
                label = self._nearest(known)
                said = {option.lower(): Said(label, option, value) for option, value in made.items()}
                found.middlewares[name] = Part(name, self.labels, label, said)
        router.options["middlewares"] = Said(router.place, "middlewares", ",".join(found.middlewares))
        return found

    def _straight(self, parts: dict[str, Part], options: Mapping[str, str]) -> Part:
        """The part whose options are labels of other names."""
        part = parts[self.name] = Part(self.name, self.labels, self._label("frontend.rule"))
        for option, known in options.items():
            if known in self.values:
                part.options[option] = Said(self._label(known), option, self.values[known])
        return part

    def _nearest(self, known: str) -> str:
        """This label, or else the next one of the same kind that is there."""
        kind = known.rpartition(".")[0]
        there = (one for one in (known, *self.values) if one in self.values and one.startswith(kind))
        return self._label(next(there, known))

    def _label(self, known: str) -> str:
        """The label that counts: the frontend's own, or the service's."""
        own = f"{PREFIX}{self.name}.{known}"
        return own if self.name and own in self.labels.values else f"{PREFIX}{known}"

    def _made(self, make: Callable[[], _Made], label: Callable[[str], str], known: str) -> _Made | None:
        try:
            return make()
        except ValueError as error:
            wrong_in(self.labels, label(known), error)
            return None
