"""What labels of Traefik 1 say about requests on their way, in middlewares and options of Traefik 3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cabestan.compose.routing import matchers, middlewares
from cabestan.compose.routing.hosts import is_host
from cabestan.compose.routing.middlewares import flag, make
from cabestan.domain.route import Middleware

_HEADERS = "frontend.headers."
#: labels of several values, `A:b||C:d`
_HEADER_MAPS = {
    "customrequestheaders": "customrequestheaders",
    "customresponseheaders": "customresponseheaders",
    "sslproxyheaders": "sslproxyheaders",
}
_PLAIN_HEADERS = frozenset(
    {
        "allowedhosts",
        "hostsproxyheaders",
        "stsincludesubdomains",
        "stspreload",
        "stsseconds",
        "forcestsheader",
        "framedeny",
        "customframeoptionsvalue",
        "contenttypenosniff",
        "contentsecuritypolicy",
        "browserxssfilter",
        "custombrowserxssvalue",
        "publickey",
        "referrerpolicy",
        "isdevelopment",
    }
)
_SSL_HEADERS = frozenset({"sslredirect", "ssltemporaryredirect", "sslhost"})
_REDIRECT = ("frontend.redirect.entrypoint", "frontend.redirect.regex", "frontend.redirect.replacement")
_KNOWN = frozenset(
    {
        "frontend.rule",
        "frontend.priority",
        "frontend.entrypoints",
        "frontend.passhostheader",
        "frontend.auth.basic",
        "frontend.auth.basic.users",
        "frontend.auth.basic.removeheader",
        "frontend.auth.removeheader",
        "frontend.auth.headerfield",
        *_REDIRECT,
        "frontend.redirect.permanent",
        "frontend.whitelist.sourcerange",
        "frontend.whitelistsourcerange",
        "frontend.ratelimit.extractorfunc",
        "backend.buffering.maxrequestbodybytes",
        "backend.buffering.memrequestbodybytes",
        "backend.buffering.maxresponsebodybytes",
        "backend.buffering.memresponsebodybytes",
        "backend.buffering.retryexpression",
        "backend.circuitbreaker.expression",
        "backend.responseforwarding.flushinterval",
        "backend.loadbalancer.sticky",
        "backend.loadbalancer.stickiness",
        "backend.loadbalancer.stickiness.cookiename",
        "backend.maxconn.amount",
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

Made = Iterator[tuple[str, Middleware | ValueError]]


@dataclass(frozen=True, slots=True)
class FrontendOptions:
    """`values` maps known names in lower case to the name as written and its value."""

    values: Mapping[str, tuple[str, str]]

    @staticmethod
    def knows(known: str) -> bool:
        """Of a label without `traefik.` and the frontend's name, in lower case."""
        header = known.removeprefix(_HEADERS)
        if header != known:
            return header in _PLAIN_HEADERS | _SSL_HEADERS | _HEADER_MAPS.keys()
        return known in _KNOWN or _RATE.fullmatch(known) is not None

    @staticmethod
    def remedy(known: str) -> str:
        return next((remedy for start, remedy in _REMEDIES.items() if known.startswith(start)), _GENERAL)

    def get(self, known: str) -> str:
        return self.values.get(known, ("", ""))[1]

    def middlewares(self) -> Made:
        """In the order in which a request meets them, before its path is changed; what is wrong as ValueError."""
        yield from self._tried("frontend.whitelist.sourcerange", self._allow_list)
        yield from self._tried("frontend.redirect.entrypoint", self._redirect)
        yield from self._tried(_HEADERS + "sslredirect", self._ssl_redirect)
        for name in dict.fromkeys(found[1] for known in self.values if (found := _RATE.fullmatch(known))):
            yield from self._tried(f"frontend.ratelimit.rateset.{name}.average", partial(self._rate, name))
        yield from self._tried("backend.maxconn.amount", self._in_flight)
        yield from self._tried("frontend.auth.basic", self._auth)
        yield from self._tried(_HEADERS + "customrequestheaders", self._headers)
        yield from self._tried("backend.buffering.maxrequestbodybytes", lambda: self._simple("buffering"))
        yield from self._tried("backend.circuitbreaker.expression", lambda: self._simple("circuitbreaker"))

    def balancing(self) -> Iterator[tuple[str, tuple[str, str] | ValueError]]:
        """Options of the load balancer."""
        for known, maker in (
            ("frontend.passhostheader", self._pass_host),
            ("backend.loadbalancer.stickiness", self._sticky),
            ("backend.loadbalancer.stickiness.cookiename", self._cookie),
            ("backend.responseforwarding.flushinterval", self._flush),
        ):
            try:
                if option := maker():
                    yield known, option
            except ValueError as error:
                yield known, error

    def _tried(self, known: str, maker: Callable[[], Middleware | None]) -> Made:
        """`known` is where to look for what is wrong: the next label of the same kind that is there."""
        kind = known.rsplit(".", 1)[0]
        there = known if known in self.values else next((one for one in self.values if one.startswith(kind)), known)
        try:
            made = maker()
        except ValueError as error:
            yield there, error
        else:
            if made:
                yield there, made

    def _allow_list(self) -> Middleware | None:
        ranges = self.get("frontend.whitelist.sourcerange") or self.get("frontend.whitelistsourcerange")
        return make("allow", "ipallowlist", {"sourcerange": ranges}) if ranges else None

    def _redirect(self) -> Middleware | None:
        entrypoint, regex, replacement = (self.get(known) for known in _REDIRECT)
        permanent = {"permanent": self.get("frontend.redirect.permanent")}
        if entrypoint:
            scheme = {"web": "http", "websecure": "https"}.get(entrypoint.lower(), entrypoint.lower())
            return make("redirect", "redirectscheme", {"scheme": scheme, **permanent})
        if bool(regex) != bool(replacement):
            raise ValueError("a redirect needs both redirect.regex and redirect.replacement")
        if regex:
            return make("redirect", "redirectregex", {"regex": regex, "replacement": replacement, **permanent})
        return None

    def _ssl_redirect(self) -> Middleware | None:
        if flag(self.get(_HEADERS + "sslredirect") or "false") == "false":
            return None
        permanent = "false" if flag(self.get(_HEADERS + "ssltemporaryredirect") or "false") == "true" else "true"
        host = self.get(_HEADERS + "sslhost").lower()
        if not host:
            return make("ssl", "redirectscheme", {"scheme": "https", "permanent": permanent})
        if not is_host(host):
            raise ValueError(f"{host[:80]!r} is no host name")
        options = {"regex": "^http://[^/]+/(.*)$", "replacement": f"https://{host}/$1", "permanent": permanent}
        return make("ssl", "redirectregex", options)

    def _rate(self, name: str) -> Middleware | None:
        options = {key: self.get(f"frontend.ratelimit.rateset.{name}.{key}") for key in ("average", "burst", "period")}
        return make(f"rate-{name}", "ratelimit", {**options, **self._source("frontend.ratelimit.extractorfunc")})

    def _in_flight(self) -> Middleware | None:
        amount = self.get("backend.maxconn.amount")
        if not amount:
            return None
        return make("connections", "inflightreq", {"amount": amount, **self._source("backend.maxconn.extractorfunc")})

    def _source(self, known: str) -> dict[str, str]:
        """What requests are counted by."""
        value = self.get(known) or "client.ip"
        if value == "client.ip":
            return {}
        if value == "request.host":
            return {"sourcecriterion.requesthost": "true"}
        if value.startswith("request.header."):
            return {"sourcecriterion.requestheadername": matchers.header_name(value.removeprefix("request.header."))}
        raise ValueError(f"{value[:40]!r} is none of client.ip, request.host and request.header.NAME")

    def _auth(self) -> Middleware | None:
        users = self.get("frontend.auth.basic.users") or self.get("frontend.auth.basic")
        if not users:
            return None
        remove = self.get("frontend.auth.basic.removeheader") or self.get("frontend.auth.removeheader")
        field = self.get("frontend.auth.headerfield")
        return make("auth", "basicauth", {"users": users, "removeheader": remove, "headerfield": field})

    def _headers(self) -> Middleware | None:
        options: dict[str, str] = {}
        for known, (_, value) in self.values.items():
            header = known.removeprefix(_HEADERS)
            if header in _HEADER_MAPS and header != known:
                options.update({f"{_HEADER_MAPS[header]}.{name}": text for name, text in _pairs(value)})
            elif header in _PLAIN_HEADERS and header != known:
                options[header] = value
        made = make("headers", "headers", options)
        return made if made.options else None

    def _simple(self, kind: str) -> Middleware | None:
        """One whose options have the same names in both."""
        prefix = f"backend.{kind}."
        options = {known.removeprefix(prefix): v for known, (_, v) in self.values.items() if known.startswith(prefix)}
        return make(kind, kind, options) if options else None

    def _pass_host(self) -> tuple[str, str] | None:
        return ("passhostheader", "false") if flag(self.get("frontend.passhostheader") or "true") == "false" else None

    def _sticky(self) -> tuple[str, str] | None:
        value = self.get("backend.loadbalancer.stickiness") or self.get("backend.loadbalancer.sticky") or "false"
        return ("sticky.cookie", "true") if flag(value) == "true" else None

    def _cookie(self) -> tuple[str, str] | None:
        name = self.get("backend.loadbalancer.stickiness.cookiename")
        if name and not _COOKIE.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is no name of a cookie")
        return ("sticky.cookie.name", name) if name else None

    def _flush(self) -> tuple[str, str] | None:
        value = self.get("backend.responseforwarding.flushinterval")
        return ("responseforwarding.flushinterval", middlewares.duration(value)) if value else None


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    """`A:b||C:d`; an empty value takes the header away, which Traefik 3 does as well."""
    for part in value.split("||"):
        name, colon, text = part.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"{part.strip()[:60]!r} is not of the form NAME:value")
        yield name.strip(), text.strip()
