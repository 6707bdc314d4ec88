"""Routes from labels of Traefik 2 and 3: `traefik.http.routers.NAME.rule` and what belongs to it.

Names hold within the Compose file: a router may use a service and middlewares that another service's labels define.
Nothing outside can be named, so `@` stands in no name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cabestan.compose.routing import grammar, middlewares
from cabestan.compose.routing.draft import Draft, bound, entrypoints, exposed_port, number
from cabestan.compose.routing.frontends import PRIORITIES
from cabestan.compose.routing.labels import ENABLE, Labels
from cabestan.compose.routing.middlewares import UnknownOption, make
from cabestan.compose.routing.rule import Rule
from cabestan.domain.route import Middleware

_HTTP = "traefik.http."
_NAME = re.compile(r"[a-z0-9_-]{1,60}", re.ASCII)
_EXAMPLE = "Write Host(`example.org`), or Host(`example.org`) && PathPrefix(`/path`)."
#: how routers name what these very labels define
_OF_LABELS = re.compile(r"@(?:docker|swarm)$")
_LOCAL = "Define it in this file; names of other files and providers mean nothing here."
_PORTS = (1, 65535)
_SCHEMES = ("http", "https", "h2c")
#: what the platform sets for all
_IGNORED_ROUTER = ("tls", "tls.certresolver", "rulesyntax")
_COOKIE = re.compile(r"[A-Za-z0-9_./-]{1,100}", re.ASCII)
#: older names, and kinds whose options became others
_KIND_NAMES = {"ipwhitelist": "ipallowlist"}


def _cookie_word(value: str) -> str:
    if not _COOKIE.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no word for a cookie")
    return value


_BALANCER: Mapping[str, middlewares.Check] = {
    "passhostheader": middlewares.flag,
    "responseforwarding.flushinterval": middlewares.duration,
    "sticky.cookie": middlewares.flag,
    "sticky.cookie.name": _cookie_word,
    "sticky.cookie.path": _cookie_word,
    "sticky.cookie.samesite": _cookie_word,
    "sticky.cookie.secure": middlewares.flag,
    "sticky.cookie.httponly": middlewares.flag,
    "sticky.cookie.maxage": middlewares.number,
}
_SERVICE_OPTIONS = ("server.port", "server.scheme", *_BALANCER)


@dataclass(frozen=True, slots=True)
class _Part:
    """A router, service or middleware: its options by name in lower case, each with its label and value."""

    name: str
    labels: Labels
    options: dict[str, tuple[str, str]] = field(default_factory=dict)

    def get(self, option: str) -> str | None:
        found = self.options.get(option)
        return found[1] if found else None

    def label(self, option: str = "") -> str:
        return self.options.get(option, next(iter(self.options.values())))[0]


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that the labels of one file define, by kind and name."""

    routers: dict[str, _Part] = field(default_factory=dict)
    services: dict[str, _Part] = field(default_factory=dict)
    middlewares: dict[str, _Part] = field(default_factory=dict)

    def of(self, labels: Labels) -> Iterator[_Part]:
        """The routers that the labels of one service define."""
        return (router for router in self.routers.values() if router.labels.service is labels.service)


def is_routed(labels: Labels) -> bool:
    return any(key.startswith(f"{_HTTP}routers.") for key in labels.values)


def definitions(every: Iterable[Labels]) -> Definitions:
    found = Definitions()
    for labels in every:
        for key, (label, value) in labels.values.items():
            if key.startswith(_HTTP):
                _define(found, labels, key, label, value)
            elif key.startswith(("traefik.tcp.", "traefik.udp.", "traefik.tls.")):
                message = f"The label {label} is not supported: the router takes HTTP alone."
                labels.wrong(label, message, "Remove it.", code="route-label")
    return found


def _define(found: Definitions, labels: Labels, key: str, label: str, value: str) -> None:
    kind, _, rest = key.removeprefix(_HTTP).partition(".")
    name, _, option = rest.partition(".")
    parts = {"routers": found.routers, "services": found.services, "middlewares": found.middlewares}.get(kind)
    if parts is None or not option or not _NAME.fullmatch(name):
        remedy = "Write traefik.http.routers.NAME.…, .services.NAME.… or .middlewares.NAME.… with a plain NAME."
        labels.wrong(label, f"The label {label} is not supported.", remedy, code="route-label")
        return
    part = parts.setdefault(name, _Part(name, labels))
    if part.labels is not labels:
        message = f"{name} is defined by {part.labels.service.name} as well."
        labels.wrong(label, message, "Choose another name.")
    else:
        part.options[option] = (label, value)


def routers(labels: Labels, known: Definitions, domain: str) -> Iterator[Draft]:
    """The routes of one service; what is wrong goes into the report."""
    found = tuple(known.of(labels))
    for router in found:
        if draft := _Router(labels, router, known, domain).draft(alone=len(found) == 1):
            yield draft
    if not found:
        labels.wrong(
            ENABLE, "The service is routed, but has no rule.", f"Add traefik.http.routers.NAME.rule. {_EXAMPLE}"
        )


def check_services(known: Definitions) -> None:
    """Refuses options of services that are not understood, also where no router uses them."""
    for service in known.services.values():
        for option, (label, value) in service.options.items():
            name = option.removeprefix("loadbalancer.")
            if name == option or name not in _SERVICE_OPTIONS:
                remedy = f"Of loadbalancer there are {', '.join(_SERVICE_OPTIONS)}."
                message = f"The label {label} is not supported."
                service.labels.wrong(label, message, remedy, code="route-label")
            elif name in _BALANCER:
                try:
                    _BALANCER[name](value)
                except ValueError as error:
                    service.labels.wrong(label, f"In {label}, {error}.", "Correct it, or remove it.")


def check_middlewares(known: Definitions) -> None:
    """Checks each of them once, also where no router uses it."""
    for part in known.middlewares.values():
        if "chain.middlewares" not in part.options:
            _made(part, report=True)
        elif len(part.options) > 1:
            part.labels.wrong(part.label(), f"{part.name} is a chain and more.", "Make two middlewares of it.")


def _made(part: _Part, *, report: bool = False) -> tuple[Middleware, ...]:
    """The middleware; two where an older option has become one of its own; none where it is wrong."""
    try:
        kind = _kind(part)
        options = {_written(label, option): value for option, (label, value) in part.options.items()}
        return _of_kind(part.name, _KIND_NAMES.get(kind, kind), options)
    except ValueError as error:
        if report:
            code = "route-label" if isinstance(error, UnknownOption) else "route"
            part.labels.wrong(part.label(), f"In {part.label()}, {error}.", "Correct it, or remove it.", code=code)
        return ()


def _kind(part: _Part) -> str:
    kinds = sorted({option.partition(".")[0] for option in part.options})
    if len(kinds) != 1:
        raise ValueError(f"{part.name} is of several kinds: {', '.join(kinds)}")
    return kinds[0]


def _written(label: str, option: str) -> str:
    """The option without its kind, as it is written: names of headers keep their case."""
    return label[len(label) - len(option) :].partition(".")[2]


def _of_kind(name: str, kind: str, options: dict[str, str]) -> tuple[Middleware, ...]:
    if kind == "headers" and any(option.lower().startswith("ssl") for option in options):
        return _older_headers(name, options)
    return (make(name, kind, options),)


def _older_headers(name: str, options: dict[str, str]) -> tuple[Middleware, ...]:
    """Traefik 2 redirected to HTTPS by `headers.sslredirect`, Traefik 3 does so by a middleware of its own."""
    lower = {option.lower(): value for option, value in options.items()}
    kept = {o: v for o, v in options.items() if o.lower() not in ("sslredirect", "ssltemporaryredirect")}
    rest = (make(name, "headers", kept),) if kept else ()
    if middlewares.flag(lower.get("sslredirect", "false")) == "false":
        return rest
    permanent = "false" if middlewares.flag(lower.get("ssltemporaryredirect", "false")) == "true" else "true"
    return (make(f"{name}-ssl", "redirectscheme", {"scheme": "https", "permanent": permanent}), *rest)


@dataclass(frozen=True, slots=True)
class _Router:
    """One router, its service and its middlewares."""

    labels: Labels
    router: _Part
    known: Definitions
    domain: str

    def draft(self, *, alone: bool) -> Draft | None:
        self._check_options()
        words = self.router.get("rule")
        if words is None:
            self._wrong("", f"The router {self.router.name} has no rule.", f"Add its rule. {_EXAMPLE}")
            return None
        rule = self._rule(words)
        service = self._service()
        priority = self._priority()
        steps = tuple(self._steps())
        if rule is None or service is None:
            return None
        target, port = service
        return Draft(
            service=target.labels.service if target else self.labels.service,
            part="" if alone else self.router.name,
            rule=rule[0],
            claims=rule[1],
            words=words,
            spot=self.labels.spot(self.router.label("rule")),
            port=port,
            priority=priority or len(words),
            scheme=self._scheme(target),
            entrypoints=self._entrypoints(),
            middlewares=steps,
            options=_balancing(target),
        )

    def _wrong(self, option: str, message: str, remedy: str, code: str = "route") -> None:
        self.labels.wrong(self.router.label(option), message, remedy, code)

    def _check_options(self) -> None:
        known = {"rule", "entrypoints", "middlewares", "service", "priority", *_IGNORED_ROUTER}
        for option, (label, _) in self.router.options.items():
            if option not in known:
                remedy = "Remove it; certificates are the platform's matter."
                self._wrong(option, f"The label {label} is not supported.", remedy, code="route-label")
            elif option == "tls.certresolver":
                self.labels.doubt(label, f"{label} is passed over: the platform chooses.", "Remove it.")

    def _rule(self, words: str) -> tuple[Rule, tuple[str, ...]] | None:
        try:
            parsed = grammar.parse(words)
        except grammar.UnknownMatcher as error:
            self._wrong("rule", f"{error}.", f"There are {', '.join(grammar.MATCHERS)}.", code="route-matcher")
        except ValueError as error:
            self._wrong("rule", f"In the rule, {error}.", _EXAMPLE)
        else:
            return bound(self.labels, self.router.label("rule"), parsed, self.domain)
        return None

    def _priority(self) -> int | None:
        value = self.router.get("priority")
        if value is None or value == "0":
            return None
        return number(self.labels, self.router.label("priority"), value, *PRIORITIES)

    def _entrypoints(self) -> tuple[str, ...]:
        value = self.router.get("entrypoints")
        found = entrypoints(self.labels, self.router.label("entrypoints"), value) if value else ()
        return found or (("https",) if {"tls", "tls.certresolver"} & self.router.options.keys() else ())

    def _service(self) -> tuple[_Part | None, int] | None:
        """What the router leads to, and its port; the only service of these labels where none is named."""
        name = self.router.get("service")
        if name is not None:
            part = self._named("service", name, self.known.services)
            return self._with_port(part) if part else None
        own = [part for part in self.known.services.values() if part.labels is self.labels]
        if len(own) > 1:
            self._wrong("", f"{self.router.name} does not say which service it leads to.", "Add its service.")
            return None
        return self._with_port(own[0] if own else None)

    def _with_port(self, part: _Part | None) -> tuple[_Part | None, int] | None:
        labels = part.labels if part else self.labels
        option = "loadbalancer.server.port"
        if part and (value := part.get(option)) is not None:
            port = number(labels, part.label(option), value, *_PORTS)
        else:
            where = part.label() if part else self.router.label("rule")
            port = exposed_port(labels, where, "Add traefik.http.services.NAME.loadbalancer.server.port.")
        return (part, port) if port is not None else None

    def _scheme(self, part: _Part | None) -> str:
        value = (part.get("loadbalancer.server.scheme") if part else None) or "http"
        if part and value.lower() not in _SCHEMES:
            label = part.label("loadbalancer.server.scheme")
            part.labels.wrong(label, f"{value[:40]!r} is no scheme here.", f"Write {', '.join(_SCHEMES)}.")
        return value.lower()

    def _steps(self) -> Iterator[Middleware]:
        yield from self._chain(self.router.get("middlewares") or "", ())

    def _chain(self, names: str, within: tuple[str, ...]) -> Iterator[Middleware]:
        for name in (name.strip() for name in names.split(",") if name.strip()):
            part = self._named("middlewares", name, self.known.middlewares)
            if part is None:
                continue
            if part.name in within:
                self._wrong("middlewares", f"The chain {part.name} holds itself.", "Take it out of there.")
            elif (inner := part.get("chain.middlewares")) is not None:
                yield from self._chain(inner, (*within, part.name))
            else:
                yield from _made(part)

    def _named(self, option: str, name: str, parts: Mapping[str, _Part]) -> _Part | None:
        """Raises no error; what is not there, or elsewhere, goes into the report."""
        part = parts.get(_OF_LABELS.sub("", name.lower()))
        if part is None:
            what = "of another provider" if "@" in name else "not defined"
            self._wrong(option, f"{self.router.name} wants {name[:60]!r}, which is {what}.", _LOCAL)
        return part


def _balancing(part: _Part | None) -> tuple[tuple[str, str], ...]:
    found = (
        ((option.removeprefix("loadbalancer."), value) for option, (_, value) in part.options.items()) if part else ()
    )
    return tuple((option, value) for option, value in found if option in _BALANCER)
