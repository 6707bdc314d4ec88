"""What labels of Traefik 1 say about requests on their way, in options of Traefik 3.

Known labels are those without `traefik.` and the name of a frontend, in lower case. The values are checked as those of
Traefik 3 are, once they are translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cabestan.compose.routing import matchers
from cabestan.compose.routing.definitions import to_https
from cabestan.compose.routing.hosts import is_host
from cabestan.compose.routing.middlewares import KINDS, flag
from cabestan.compose.routing.parts import BALANCER, PORT, SCHEME

Options = dict[str, str]
#: those that count also where they say nothing, by what they become
ROUTER = {"rule": "frontend.rule", "priority": "frontend.priority", "entrypoints": "frontend.entrypoints"}
SERVICE = {BALANCER + PORT: "port"}
_HEADERS = "frontend.headers."
#: labels of several values, `A:b||C:d`
_HEADER_MAPS = ("customrequestheaders", "customresponseheaders", "sslproxyheaders")
#: what came after Traefik 1
_LATER_HEADERS = ("accesscontrol", "addvaryheader", "contentsecuritypolicyreportonly", "permissionspolicy")
_PLAIN_HEADERS = [o for o in KINDS["headers"] if not o.startswith(_LATER_HEADERS) and not o.endswith(".*")]
#: options of Traefik 3 to the labels that become them, of which the first with a value counts
_LABELS: Mapping[str, tuple[str, ...]] = {
    BALANCER + SCHEME: ("protocol",),
    "loadbalancer.passhostheader": ("frontend.passhostheader",),
    "loadbalancer.sticky.cookie": ("backend.loadbalancer.stickiness", "backend.loadbalancer.sticky"),
    "loadbalancer.sticky.cookie.name": ("backend.loadbalancer.stickiness.cookiename",),
    "loadbalancer.responseforwarding.flushinterval": ("backend.responseforwarding.flushinterval",),
    "ipallowlist.sourcerange": ("frontend.whitelist.sourcerange", "frontend.whitelistsourcerange"),
    "redirectscheme.scheme": ("frontend.redirect.entrypoint",),
    "redirectregex.regex": ("frontend.redirect.regex",),
    "redirectregex.replacement": ("frontend.redirect.replacement",),
    "inflightreq.amount": ("backend.maxconn.amount",),
    "basicauth.users": ("frontend.auth.basic.users", "frontend.auth.basic"),
    "basicauth.removeheader": ("frontend.auth.basic.removeheader", "frontend.auth.removeheader"),
    "basicauth.headerfield": ("frontend.auth.headerfield",),
    **{f"headers.{option}": (_HEADERS + option,) for option in _PLAIN_HEADERS},
    **{f"buffering.{option}": (f"backend.buffering.{option}",) for option in KINDS["buffering"]},
    "circuitbreaker.expression": ("backend.circuitbreaker.expression",),
}
_OPTIONS = {known: option for option, labels in _LABELS.items() for known in labels}
_KNOWN = frozenset(
    {
        *ROUTER.values(),
        *SERVICE.values(),
        *_OPTIONS,
        *(_HEADERS + option for option in (*_HEADER_MAPS, "sslredirect", "ssltemporaryredirect", "sslhost")),
        "frontend.redirect.permanent",
        "frontend.ratelimit.extractorfunc",
        "backend.maxconn.extractorfunc",
    }
)
_RATE = re.compile(r"frontend\.ratelimit\.rateset\.([a-z0-9_-]{1,40})\.(average|burst|period)", re.ASCII)
_COOKIE = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_REMEDIES = {
    "frontend.auth.forward": "Have the application ask; the router asks no other addresses.",
    "frontend.auth.digest": "Write traefik.frontend.auth.basic; passwords travel encrypted.",
    "frontend.auth.basic.usersfile": "Write the users into traefik.frontend.auth.basic.users.",
    "frontend.headers.sslforcehost": "Write traefik.frontend.redirect.regex and .replacement.",
    "frontend.errors": "Have the application answer with its own pages.",
    "frontend.passtls": "The router ends TLS; no certificates of clients are asked for.",
    "backend.healthcheck": "Write healthcheck in the service; a task that is not healthy gets no requests.",
}
_GENERAL = "Remove it; docs/routing.md lists the labels that are understood."


def knows(known: str) -> bool:
    return known in _KNOWN or _RATE.fullmatch(known) is not None


def remedy(known: str) -> str:
    """What to do about a label that is not known."""
    return next((remedy for start, remedy in _REMEDIES.items() if known.startswith(start)), _GENERAL)


@dataclass(frozen=True, slots=True)
class FrontendOptions:
    """`values` maps known labels to their values."""

    values: Mapping[str, str]

    def get(self, *labels: str) -> str:
        return next((value for known in labels if (value := self.values.get(known))), "")

    def balancing(self) -> Iterator[tuple[str, str, Callable[[], str]]]:
        """Option, label to look at, and what gives the value, or raises ValueError; empty where nothing is wanted."""
        changes: Mapping[str, Callable[[str], str]] = {
            "loadbalancer.passhostheader": lambda value: "" if flag(value) == "true" else "false",
            "loadbalancer.sticky.cookie": lambda value: "true" if flag(value) == "true" else "",
            "loadbalancer.sticky.cookie.name": _cookie_name,
            BALANCER + SCHEME: str.lower,
        }
        said = self._of("loadbalancer")
        for option in (option for option in _LABELS if option in said):
            yield option, _LABELS[option][0], partial(changes.get(option, str), said[option])

    def middlewares(self) -> Iterator[tuple[str, str, Callable[[], Options]]]:
        """Name, label to look at, and what gives the options, or raises ValueError; none where nothing is wanted.

        In the order in which a request meets them, before its path is changed.
        """
        yield "allow", "frontend.whitelist.sourcerange", partial(self._of, "ipallowlist")
        yield "redirect", "frontend.redirect.entrypoint", self._redirect
        yield "ssl", _HEADERS + "sslredirect", self._ssl_redirect
        for name in dict.fromkeys(found[1] for known in self.values if (found := _RATE.fullmatch(known))):
            yield f"rate-{name}", f"frontend.ratelimit.rateset.{name}.average", partial(self._rate, name)
        yield "connections", "backend.maxconn.amount", self._in_flight
        yield "auth", "frontend.auth.basic", self._auth
        yield "headers", _HEADERS + "customrequestheaders", self._headers
        yield "buffering", "backend.buffering.maxrequestbodybytes", partial(self._of, "buffering")
        yield "circuitbreaker", "backend.circuitbreaker.expression", partial(self._of, "circuitbreaker")

    def _of(self, kind: str) -> Options:
        """The options of one kind that have a value, in the order of the file."""
        there = (option for known in self.values if (option := _OPTIONS.get(known, "")).startswith(f"{kind}."))
        return {option: value for option in there if (value := self.get(*_LABELS[option]))}

    def _redirect(self) -> Options:
        scheme, regex = self._of("redirectscheme"), self._of("redirectregex")
        permanent = self.get("frontend.redirect.permanent")
        if entrypoint := scheme.get("redirectscheme.scheme", "").lower():
            scheme["redirectscheme.scheme"] = {"web": "http", "websecure": "https"}.get(entrypoint, entrypoint)
            return {**scheme, "redirectscheme.permanent": permanent}
        if len(regex) == 1:
            raise ValueError("a redirect needs both redirect.regex and redirect.replacement")
        return {**regex, "redirectregex.permanent": permanent} if regex else {}

    def _ssl_redirect(self) -> Options:
        redirect, temporary = (self.get(_HEADERS + one) or "false" for one in ("sslredirect", "ssltemporaryredirect"))
        permanent = to_https(redirect, temporary)
        if permanent is None:
            return {}
        host = self.get(_HEADERS + "sslhost").lower()
        if not host:
            return {"redirectscheme.scheme": "https", "redirectscheme.permanent": permanent}
        if not is_host(host):
            raise ValueError(f"{host[:80]!r} is no host name")
        options = {"regex": "^http://[^/]+/(.*)$", "replacement": f"https://{host}/$1", "permanent": permanent}
        return {f"redirectregex.{option}": value for option, value in options.items()}

    def _rate(self, name: str) -> Options:
        prefix = f"frontend.ratelimit.rateset.{name}."
        options = {f"ratelimit.{key}": self.get(prefix + key) for key in ("average", "burst", "period")}
        return options | self._source("ratelimit", "frontend.ratelimit.extractorfunc")

    def _in_flight(self) -> Options:
        amount = self._of("inflightreq")
        return amount and amount | self._source("inflightreq", "backend.maxconn.extractorfunc")

    def _auth(self) -> Options:
        """An empty list of users asks for no password."""
        options = self._of("basicauth")
        return options if "basicauth.users" in options else {}

    def _source(self, kind: str, known: str) -> Options:
        """What requests are counted by."""
        value = self.get(known) or "client.ip"
        if value == "client.ip":
            return {}
        if value == "request.host":
            return {f"{kind}.sourcecriterion.requesthost": "true"}
        if value.startswith("request.header."):
            name = matchers.header_name(value.removeprefix("request.header."))
            return {f"{kind}.sourcecriterion.requestheadername": name}
        raise ValueError(f"{value[:40]!r} is none of client.ip, request.host and request.header.NAME")

    def _headers(self) -> Options:
        options = self._of("headers")
        for header in _HEADER_MAPS:
            if (value := self.values.get(_HEADERS + header)) is not None:
                options |= {f"headers.{header}.{name}": text for name, text in _pairs(value)}
        return options


def _cookie_name(value: str) -> str:
    if not _COOKIE.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no name of a cookie")
    return value


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    """`A:b||C:d`; an empty value takes the header away, which Traefik 3 does as well."""
    for part in value.split("||"):
        name, colon, text = part.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"{part.strip()[:60]!r} is not of the form NAME:value")
        yield name.strip(), text.strip()
