"""Requests that routes must answer, to try them after a deployment.

For each alternative of a rule a request is made up that fits it, and judged by the rule itself. Where none is found
(a pattern that no guess fits, a method that could change something, a client's address) nothing is tried.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product
from urllib.parse import quote, urlencode

from cabestan.compose.routing.answering import Request, answering, fits, rule_of
from cabestan.compose.routing.hosts import claims_of_pattern
from cabestan.compose.routing.patterns import found_in
from cabestan.compose.routing.rule import Match, Not, alternatives
from cabestan.domain.claims import covers
from cabestan.domain.route import SAFE_METHODS, Probe, Route

_MOST_PROBES = 20
#: what parts of a pattern are tried with
_GUESSES = ("1", "a", "www", "a1", "12", "1234", "abc", "2026", "a-b")
_GROUP = re.compile(r"\(\?:(?:[^()\\\[]|\\.|\[\^?\]?[^\]]*\]|\([^()]*\))*\)")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")


def probes(routes: Sequence[Route], stack: str, shared: Collection[str] = ()) -> tuple[Probe, ...]:
    """At most twenty of each route that answers over HTTPS, in the order of the routes, none twice.

    `shared` are names that others route as well: any of their routes may answer for them.
    """
    found: dict[Probe, None] = {}
    secure = [route for route in routes if route.entrypoints != ("http",)]
    for route in secure:
        rule = rule_of(route)
        for conditions in alternatives(rule)[:_MOST_PROBES]:
            request = next((one for one in _requests(conditions) if fits(rule, one)), None)
            if request and request.method in SAFE_METHODS:
                ours = not any(covers(pattern, request.host) for pattern in shared)
                found[_probe(request, _answering_first(secure, request, stack) if ours else ())] = None
    return tuple(found)


def _answering_first(routes: Iterable[Route], request: Request, stack: str) -> tuple[str, ...]:
    """The marks of those with the highest priority: of equals the router takes any."""
    fitting = answering(routes, request)
    return tuple(sorted(route.mark(stack) for route in fitting if route.priority == fitting[0].priority))


def _probe(request: Request, marks: tuple[str, ...]) -> Probe:
    pairs = [(key, value) for key, values in request.query.items() for value in values]
    query = f"?{urlencode(pairs)}" if pairs else ""
    path = quote(request.path, safe="/~@+:!$&'()*,;=")
    return Probe(request.host, path + query, request.method, tuple(request.headers.items()), marks)


def _requests(conditions: tuple[Match | Not, ...]) -> Iterator[Request]:
    """Every combination of guesses for what the conditions leave open."""
    wanted = [match for match in conditions if isinstance(match, Match)]
    hosts = _hosts(wanted)
    paths = _paths(wanted)
    methods = [match.values[0] for match in wanted if match.matcher == "Method"] or ["GET"]
    headers = {match.values[0]: guess for match in wanted if (guess := _value(match, "Header")) is not None}
    query = {match.values[0]: (guess,) for match in wanted if (guess := _value(match, "Query")) is not None}
    for host, path in product(hosts, paths):
        yield Request(host, path, query, methods[0], {name.lower(): value for name, value in headers.items()})


def _hosts(wanted: list[Match]) -> list[str]:
    names = [match.values[0] for match in wanted if match.matcher == "Host"]
    for match in wanted:
        if match.matcher == "HostRegexp" and not names:
            claims = claims_of_pattern(match.values[0])
            names = [guess + claim[1:] for claim in claims if claim.startswith("*.") for guess in _host_guesses()]
            names += [claim for claim in claims if not claim.startswith("*.")]
    return names


def _host_guesses() -> tuple[str, ...]:
    return (*_GUESSES, *(f"{one}.{other}" for one in _GUESSES[:3] for other in _GUESSES[:3]))


def _paths(wanted: list[Match]) -> list[str]:
    paths = [match.values[0] for match in wanted if match.matcher in ("Path", "PathPrefix")]
    paths.sort(key=len, reverse=True)
    for match in wanted:
        if match.matcher == "PathRegexp":
            paths += [path for path in _texts(match.values[0]) if path.startswith("/")]
    return paths or ["/"]


def _texts(pattern: str) -> Iterator[str]:
    """Texts that the pattern fits, made by putting the guesses in place of its groups."""
    for guess in _GUESSES:
        text = _GROUP.sub(guess, pattern.removeprefix("^").removesuffix("$"))
        text = _ESCAPED.sub(r"\1", text).replace(".*", guess)
        if found_in(pattern, text):
            yield text


def _value(match: Match, matcher: str) -> str | None:
    """A value for a header or a part of the query; None where none is wanted, or no guess fits."""
    if match.matcher == matcher:
        return match.values[1] if len(match.values) > 1 else ""
    if match.matcher == f"{matcher}Regexp":
        pattern = match.values[1]
        return next((text for text in (*_GUESSES, *_texts(pattern)) if found_in(pattern, text)), None)
    return None
