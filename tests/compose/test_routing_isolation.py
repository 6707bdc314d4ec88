"""No rule of a project, in any syntax, catches a request for a host name of another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.compose import random_rules
from tests.compose.routing_samples import new, of, old
from tests.live_router import LiveRouter

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.routing.answering import Request, answering, fits, rule_of
from cabestan.compose.routing.rule import Match
from cabestan.compose.routing.trying import probes
from cabestan.domain.claims import Claim, conflicts, covers
from cabestan.domain.route import Route

_CALL = re.compile(r"(\w+)\(((?:`[^`]*`(?:, )?)+)\)")
MINE = ("a.org", "*.a.org", "www.b.org", "b-a.org")


def routes_of(rule: str) -> tuple[Route, ...]:
    """Of a rule in either syntax; none where it is refused."""
    try:
        return of(new(rule) if "(`" in rule or '("' in rule else old(rule))
    except ComposeRefused:
        return ()


def told(rule: str, request: Request) -> bool:
    """An own evaluation of the text that the router reads, by Python's words for its signs."""
    code = _CALL.sub(lambda call: f"m({call[1]!r}, {tuple(re.findall('`([^`]*)`', call[2]))!r})", rule)
    code = code.replace("&&", "and").replace("||", "or").replace("!", "not ")
    judge: Callable[[str, tuple[str, ...]], bool] = lambda name, values: _judged(name, values, request)  # noqa: E731
    return bool(eval(code, {"m": judge}))


def _judged(name: str, values: tuple[str, ...], request: Request) -> bool:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query: Any = request.query
    verdicts: dict[str, Callable[[], bool]] = {
        "Host": lambda: request.host == values[0],
        "HostRegexp": lambda: re.search(values[0], request.host) is not None,
        "Path": lambda: request.path == values[0],
        "PathPrefix": lambda: request.path.startswith(values[0]),
        "PathRegexp": lambda: re.search(values[0], request.path) is not None,
        "Method": lambda: request.method == values[0],
        "Header": lambda: headers.get(values[0].lower()) == values[1],
        "HeaderRegexp": lambda: re.search(values[1], headers.get(values[0].lower(), "\0")) is not None,
        "Query": lambda: values[1] in query.get(values[0], ()),
        "QueryRegexp": lambda: any(re.search(values[1], one) for one in query.get(values[0], ())),
    }
    return verdicts[name]()


RULES = random_rules.old_rules | random_rules.new_rules


@given(RULES, st.sampled_from(MINE), st.lists(random_rules.requests, min_size=1, max_size=20))
@example("HostRegexp(`^a\\.org$|.*`)", "a.org", [Request("a.org")])
@example("Host(`b.org`) || Path(`/a`)", "a.org", [Request("a.org", "/a")])
@example("!Host(`b.org`)", "a.org", [Request("a.org")])
@example("HostRegexp:{s:a.org|.*}.b.org", "a.org", [Request("a.org")])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_what_another_project_may_route_never_fits_a_request_for_mine(
    rule: str, mine: str, requests: list[Request]
) -> None:
    for route in routes_of(rule):
        if conflicts(route.claims, "other/one", [Claim(mine, "my/own")], []):
            continue
        for request in requests:
            assert not (covers(mine, request.host) and told(route.rule, request)), route.rule


@given(RULES, random_rules.requests)
@settings(max_examples=300, deadline=None)
def test_a_rule_fits_nothing_beyond_its_claims_and_is_judged_as_its_text_says(rule: str, request: Request) -> None:
    for route in routes_of(rule):
        verdict = told(route.rule, request)
        assert fits(rule_of(route), request) is verdict
        assert not verdict or any(covers(claim, request.host) for claim in route.claims)


@given(st.text(max_size=40) | st.text(alphabet="HostPathPrefix:/;,`'\"()|&! a.b{}$\\[]", max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_smuggles_anything_into_the_router(text: str) -> None:
    printable = "".join(letter for letter in text if letter.isprintable() and not "\ue000" <= letter <= "\uf8ff")
    for candidate in (printable, f"Host:{printable}", f"Host:a.org;PathPrefix:/{printable}"):
        for make in (old, new):
            try:
                found = of(make(candidate))
            except ComposeRefused:
                continue
            for route in found:
                assert set(route.claims)
                assert not set("`&|()! ") & set("".join(route.claims))
                told(route.rule, Request("a.org"))


@given(RULES)
@settings(max_examples=100, deadline=None)
def test_what_is_tried_after_a_deployment_fits_its_route(rule: str) -> None:
    for route in routes_of(rule):
        for probe in probes([route], "s"):
            path, _, query = probe.path.partition("?")
            values = {key: (value,) for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)}
            request = Request(probe.host, path, values, probe.method, {k.lower(): v for k, v in probe.headers})
            assert told(route.rule, request)
            assert probe.method == "GET"


def _some(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Always the same ones."""
    found: list[Any] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def test_the_running_router_judges_as_we_do(tmp_path: Path) -> None:
    """Every rule has a priority of its own, so that each request tells of all above the one that answers."""
    rules = dict.fromkeys(route.rule for rule in _some(RULES, 250) for route in routes_of(rule))
    routes = [Route(str(number), "web", rule, "", (), 80, priority=number + 1) for number, rule in enumerate(rules)]
    with LiveRouter(tmp_path, [(route.rule, route.priority) for route in routes]) as router:
        asked = answered = 0
        for request in _some(random_rules.requests, 200):
            best = next(iter(answering(routes, request)), None)
            query = "&".join(f"{key}={value}" for key, values in request.query.items() for value in values)
            path = f"{request.path}?{query}" if query else request.path
            got = router.ask(request.host, path, request.method, dict(request.headers))
            assert got == (best.name if best else ""), (request, best and best.rule)
            asked, answered = asked + 1, answered + bool(got)
        assert router.log == ""
    assert len(routes) > 60
    assert answered > 50


@pytest.mark.parametrize(
    ("rule", "claims"),
    [
        (r"HostRegexp(`^[a-z]+\.a\.org$`)", ("*.a.org",)),
        (r"HostRegexp(`^www\.a\.org$`)", ("www.a.org",)),
        (r"HostRegexp(`{sub:[a-z]+}.a.org`)", ("*.a.org",)),
        (r"HostRegexp(`a.org`)", ("a.org",)),
        (r"HostRegexp(`^a\.org$|\.b\.org$`)", ("*.b.org", "a.org")),
        ("Host(`a.org`, `b.org`)", ("a.org", "b.org")),
        (r"HostRegexp(`^.+\.a\.org$`) && (Host(`x.a.org`) || Host(`b.org`))", ("b.org", "x.a.org")),
        ("!!Host(`a.org`)", ("a.org",)),
        ("Path(`/x`) && !Host(`a.org`) && Host(`b.org`)", ("b.org",)),
        ("Path(`/x`) || Method(`GET`)", ("env.example.org",)),
    ],
)
def test_a_rule_claims_what_it_can_reach(rule: str, claims: tuple[str, ...]) -> None:
    (route,) = of(new(rule))
    assert route.claims == claims


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`a.org`) || Path(`/x`)",
        "!Host(`a.org`)",
        "!(Host(`a.org`) && Path(`/x`))",
        "(Host(`a.org`) || Method(`GET`)) && Path(`/x`)",
        "Host(`a.org`) && (",
        "Host(`a.org`) Path(`/x`)",
        "Host(`a.org`) & Path(`/x`)",
        "Host(a.org)",
        "Host()",
        "Host(`*`)",
        "HostRegexp(`.*`)",
        r"HostRegexp(`^.*\.org$`)",
        r"HostRegexp(`^.*a\.org$`)",
        r"HostRegexp(`\.a\.org`)",
        r"HostRegexp(`(?i)\.a\.org$`)",
        r"HostRegexp(`(?m)\.a\.org$`)",
        r"HostRegexp(`\.a\.org$|`)",
        r"HostRegexp(`\.a\.org$|x`)",
        r"HostRegexp(`^[\]\.a\.org$|x].*`)",
        r"HostRegexp(`\Q.a.org\E$`)",
        r"HostRegexp(`\.a\.org?$`)",
        r"HostRegexp(`\.a\.o(rg)$`)",
        "HostRegexp(`{any:.*}`)",
        "Host(`a.org`) && Path(`a`)",
        "Host(`a.org`) && ClientIP(`me`)",
        'Host(`a.org`) && ClientIP("fe80::1%`) || HostRegexp(`.*")',
        "Host(`a.org`) && ClientIP(`fe80::1%eth0`)",
        "Host(`a.org`) && Header(`X-A`)",
    ],
)
def test_a_rule_that_could_reach_beyond_is_refused(rule: str) -> None:
    with pytest.raises(ComposeRefused) as refused:
        of(new(rule))
    assert {finding.code for finding in refused.value.findings} == {"route"}


def test_a_rule_that_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(ComposeRefused, match="nested more than 30 deep"):
        of(new("(" * 40 + "Host(`a.org`)" + ")" * 40))


def test_a_pattern_whose_groups_are_nested_too_deep_is_refused() -> None:
    with pytest.raises(ComposeRefused, match="groups are nested more than 30 deep"):
        of(new(f"HostRegexp(`{'(' * 490}x{')' * 490}[.]a[.]org$`)"))


@pytest.mark.parametrize("value", ["a`) || Host(`b", "a\nb"])
def test_a_value_that_would_end_its_quotes_never_becomes_part_of_a_rule(value: str) -> None:
    with pytest.raises(ValueError, match="backtick or a control character"):
        Match("Path", (value,))
