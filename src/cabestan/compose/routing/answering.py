"""Which route answers a request: the router's own judgement, without the router.

Regular expressions are those of RE2, as in the router. What only a running router knows (the client's address) is
part of the question.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit

from cabestan.compose.routing import grammar
from cabestan.compose.routing.patterns import found_in
from cabestan.compose.routing.rule import All, Any, Match, Not, Rule
from cabestan.domain.route import Route
from cabestan.errors import Invalid

_LONGEST_URL = 4000
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Request:
    """Host and path as the router compares them; header names in lower case."""

    host: str
    path: str = "/"
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    scheme: str = ""


def request_of(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Request:
    """Of an address as people type it; without a scheme, both are meant. Raises Invalid."""
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if not host or len(text) > _LONGEST_URL or parts.scheme not in ("", *_DEFAULT_PORTS):
        raise Invalid(f"“{text[:80]}” is not an address.", "Write one such as https://example.org/path?query=1.")
    query = {key: tuple(values) for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(host, unquote(parts.path) or "/", query, method.upper(), lower, "", parts.scheme)


def answering(routes: Iterable[Route], request: Request) -> tuple[Route, ...]:
    """All that fit, the one that answers first."""
    fitting = [route for route in routes if _speaks(route, request.scheme) and fits(rule_of(route), request)]
    return tuple(sorted(fitting, key=lambda route: -route.priority))


def rule_of(route: Route) -> Rule:
    return _parsed(route.rule)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Rule:
    return grammar.parse(text)


def _speaks(route: Route, scheme: str) -> bool:
    return not scheme or not route.entrypoints or scheme in route.entrypoints


def fits(rule: Rule, request: Request) -> bool:
    match rule:
        case All(rules):
            return all(fits(part, request) for part in rules)
        case Any(rules):
            return any(fits(part, request) for part in rules)
        case Not(inner):
            return not fits(inner, request)
        case Match(matcher, values):
            return _fits(matcher, values, request)


def _fits(matcher: str, values: tuple[str, ...], request: Request) -> bool:
    first, last = values[0], values[-1]
    match matcher:
        case "Host":
            return request.host.removesuffix(".") == first
        case "HostRegexp":
            return found_in(first, request.host)
        case "Path":
            return request.path == first
        case "PathPrefix":
            return request.path.startswith(first)
        case "PathRegexp":
            return found_in(first, request.path)
        case "Method":
            return request.method == first
        case "Header":
            return request.headers.get(first.lower()) == last
        case "HeaderRegexp":
            return first.lower() in request.headers and found_in(last, request.headers[first.lower()])
        case "Query":
            wanted = last if len(values) > 1 else ""
            return wanted in request.query.get(first, ())
        case "QueryRegexp":
            return any(found_in(last, value) for value in request.query.get(first, ()))
        case "ClientIP":
            return _is_within(request.client, first)
    raise ValueError(f"there is no matcher {matcher}")


def _is_within(client: str, network: str) -> bool:
    return bool(client) and ipaddress.ip_address(client) in ipaddress.ip_network(network, strict=False)
