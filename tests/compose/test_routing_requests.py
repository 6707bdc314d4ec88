"""Requests as people type them, and those that are made up to try a route."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.compose.routing_samples import new, of, old, services

from cabestan.compose import kept_routes
from cabestan.compose.routing.answering import Request, answering, request_of
from cabestan.compose.routing.trying import probes
from cabestan.domain.route import Probe, Route
from cabestan.errors import Invalid


@pytest.mark.parametrize(
    ("url", "request_"),
    [
        ("a.org", Request("a.org")),
        ("A.org:8080/x%20y?q=1&q=2&z", Request("a.org", "/x y", {"q": ("1", "2"), "z": ("",)})),
        ("https://a.org/", Request("a.org", scheme="https")),
    ],
)
def test_an_address_is_read_as_people_type_it(url: str, request_: Request) -> None:
    assert request_of(url) == request_


@pytest.mark.parametrize("url", ["", "/x", "ftp://a.org", "http://[", "a" * 5000])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="is not an address"):
        request_of(url)


def test_a_route_for_one_scheme_does_not_answer_the_other() -> None:
    (route,) = of(old("Host:a.org", **{"frontend.entryPoints": "https"}))
    found = [len(answering([route], request_of(url))) for url in ("a.org", "http://a.org", "https://a.org")]
    assert found == [1, 0, 1]


PROBES = [
    (old("Host:a.org,b.org;PathPrefix:/x"), [Probe("a.org", "/x"), Probe("b.org", "/x")]),
    (old("HostRegexp:{x:[a-z]+}.a.org"), [Probe("a.a.org", "/")]),
    (old("HostRegexp:x{n:[0-9]{4}}.a.org"), []),
    (old("Host:a.org;Path:/b/{id:[0-9]+}/c"), [Probe("a.org", "/b/1/c")]),
    (old("Host:a.org;Headers:X-A,b;Query:q=1"), [Probe("a.org", "/?q=1", headers=(("x-a", "b"),))]),
    (old("Host:a.org;HeadersRegexp:X-A,^(a|b)$"), [Probe("a.org", "/", headers=(("x-a", "a"),))]),
    (old("Host:a.org;Method:POST,HEAD"), [Probe("a.org", "/", "HEAD")]),
    (old("Host:a.org;Method:POST"), []),
    (new("Host(`a.org`) && !Path(`/`)"), []),
    (new("Host(`a.org`) && ClientIP(`10.0.0.0/8`)"), []),
    (
        new("Host(`a.org`) && (Path(`/x y`) || Path(`/z`))".replace("x y", "x")),
        [Probe("a.org", "/x"), Probe("a.org", "/z")],
    ),
]


@pytest.mark.parametrize(("text", "expected"), PROBES)
def test_a_request_is_made_up_for_each_alternative_that_changes_nothing(text: str, expected: list[Probe]) -> None:
    assert [replace(probe, marks=()) for probe in probes(of(text), "s")] == expected


def test_a_request_is_to_come_by_the_route_that_answers_first_or_an_equal_one() -> None:
    rules = {
        "wide": "Host:a.org",
        "narrow": "Host:a.org;Path:/",
        "one": "Host:b.org;Path:/{x:[ab]}",
        "other": "Host:b.org;Path:/{x:[ac]}",
    }
    found = of(services(**{name: {"traefik.frontend.rule": rule} for name, rule in rules.items()}))
    marks = {route.service: route.mark("s") for route in found}
    expected = {"a.org": [marks["narrow"]], "b.org": sorted((marks["one"], marks["other"]))}
    assert {probe.host: list(probe.marks) for probe in probes(found, "s")} == expected


def test_any_route_may_answer_for_a_name_that_others_route_too() -> None:
    found = probes(of(old("Host:a.org,b.a.org,c.org")), "s", {"a.org", "*.a.org"})
    assert [(probe.host, len(probe.marks)) for probe in found] == [("a.org", 0), ("b.a.org", 0), ("c.org", 1)]


def test_a_mark_is_another_for_each_definition_and_each_stack() -> None:
    (route,) = of(old("Host:a.org"))
    marks = {route.mark("s"), route.mark("t"), replace(route, port=81).mark("s"), replace(route, priority=9).mark("s")}
    assert len(marks) == 4
    assert route.mark("s") == replace(route).mark("s")


def test_routes_are_kept_and_come_back_also_those_of_old() -> None:
    found = of(old("Host:a.org;ReplacePathRegex:^/(.*)$ /$1", **{"frontend.headers.customRequestHeaders": "A:$$b"}))
    assert kept_routes.read(kept_routes.write(found)) == found
    former = {
        "service": "web",
        "hosts": ["a.org", "b.org"],
        "path_prefixes": ["/x"],
        "port": 80,
        "priority": None,
        "rule": "Host:a.org,b.org;PathPrefix:/x",
    }
    assert kept_routes.read([former]) == (
        Route(
            name="web",
            service="web",
            rule="(Host(`a.org`) || Host(`b.org`)) && PathPrefix(`/x`)",
            source=former["rule"],  # type: ignore[arg-type]
            claims=("a.org", "b.org"),
            port=80,
            priority=30,
        ),
    )
