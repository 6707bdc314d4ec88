from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.samples import IMAGE, codes, loaded, web

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.routes import is_host, routes, to_traefik_rule
from cabestan.domain.route import Route


def _labelled(rule: str, more: str = "") -> str:
    return web(f"expose: [80]\nlabels:\n  traefik.frontend.rule: {rule!r}\n{more}")


def _routes(text: str) -> tuple[Route, ...]:
    return routes(loaded(text).compose)


def test_a_rule_becomes_a_route() -> None:
    (route,) = _routes(_labelled("Host: App.example.org , b.example.org;PathPrefix:/ws/"))

    assert route == Route(
        "web",
        ("app.example.org", "b.example.org"),
        ("/ws/",),
        80,
        None,
        "Host: App.example.org , b.example.org;PathPrefix:/ws/",
    )
    assert to_traefik_rule(route) == ("(Host(`app.example.org`) || Host(`b.example.org`)) && PathPrefix(`/ws/`)")


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("PathPrefix:/", "route"),
        ("", "route-matcher"),
        ("Host:", "route"),
        ("Host:a,", "route"),
        ("Host:*.example.org", "route"),
        ("Host:{any:.*}", "route"),
        ("Host:a`) || Host(`b", "route"),
        ("Host:a b", "route"),
        ("Host:a/b", "route"),
        ("Host:a:80", "route"),
        ("Host:10.0.0.1", "route"),
        ("Host:-a", "route"),
        ("Host:a..b", "route"),
        ("Host:é.org", "route"),
        ("Host:" + "a" * 64, "route"),
        ("Host:a;Host:b", "route"),
        ("Host:a;PathPrefix:b", "route"),
        ("Host:a;PathPrefix:/a`) || PathPrefix(`/", "route"),
        ("Host:a;PathPrefix:/{id:[0-9]+}", "route"),
        ("Host:a;PathPrefix:/a/../b", "route"),
        ("HostRegexp:{any:.*}", "route-matcher"),
        ("Host:a;Path:/a", "route-matcher"),
        ("Host:a;Headers:a,b", "route-matcher"),
        ("Host(`a`)", "route-matcher"),
        ("host:a", "route-matcher"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused_with_its_line(rule: str, code: str) -> None:
    assert (code, 6) in codes(_labelled(rule))


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("traefik.frontend.auth.basic: a", "route-label"),
        ("traefik.http.routers.x.rule: Host(`other`)", "route-label"),
        ("TRAEFIK.http.routers.x.rule: Host(`other`)", "route-label"),
        ("traefik.port: 0", "route"),
        ("traefik.port: http", "route"),
        ("traefik.port: 70000", "route"),
        ("traefik.frontend.priority: high", "route"),
        ("traefik.frontend.priority: -1", "route"),
        ("traefik.enable: maybe", "route"),
    ],
)
def test_a_label_that_is_not_understood_is_refused_with_its_line(label: str, code: str) -> None:
    assert codes(_labelled("Host:a", f"  {label}\n")) == [(code, 7)]


@pytest.mark.parametrize("expose", ["", "expose: [80, 81]", "expose: ['80-81']", "expose: ['53/udp']"])
def test_the_port_must_be_plain(expose: str) -> None:
    assert [code for code, _ in codes(web(f"{expose}\nlabels: [traefik.frontend.rule=Host:a]"))] == ["route-port"]


def test_a_service_that_is_enabled_needs_a_rule() -> None:
    assert codes(web("labels: [traefik.enable=true]")) == [("route", 4)]


def test_a_service_that_runs_once_cannot_be_routed() -> None:
    assert codes(_labelled("Host:a").replace("expose:", "restart: no\n    expose:")) == [("route", 7)]


def test_a_service_that_is_not_enabled_has_no_route() -> None:
    assert _routes(_labelled("Host:a", "  traefik.enable: 'false'\n")) == ()


def _two(first: str, second: str) -> str:
    service = "  {}: {{image: {}, expose: [80], labels: [{}]}}\n"
    return "services:\n" + service.format("web", IMAGE, first) + service.format("ws", IMAGE, second)


def test_one_address_cannot_lead_to_two_services() -> None:
    rule = "traefik.frontend.rule=Host:a"

    assert codes(_two(f'"{rule}"', f'"{rule},b"')) == [("route-twice", 3)]


def test_a_route_that_a_higher_priority_hides_warns() -> None:
    wide, narrow = "traefik.frontend.rule=Host:a", '"traefik.frontend.rule=Host:a;PathPrefix:/ws/"'
    text = _two(f"{wide}, traefik.frontend.priority=2", f"{narrow}, traefik.frontend.priority=1")
    other = _two(f"{wide}, traefik.frontend.priority=1", f"{narrow}, traefik.frontend.priority=2")

    assert [(finding.code, finding.line) for finding in loaded(text).warnings] == [("route-hidden", 3)]
    assert loaded(other).warnings == ()


@given(st.text(max_size=40) | st.text(alphabet="Host:PathPrefix/;,`'()|& a.b{}", max_size=60))
def test_no_rule_smuggles_anything_into_the_router(rule: str) -> None:
    for candidate in (rule, f"Host:{rule}", f"Host:a;PathPrefix:{rule}"):
        escaped = candidate.replace("\\", "\\\\").replace("$", "$$")
        try:
            found = _routes(web(f"expose: [80]\nlabels: {{traefik.frontend.rule: {escaped!r}}}"))
        except ComposeRefused:
            continue
        for route in found:
            assert all(is_host(host) for host in route.hosts)
            expected = len(route.hosts) + len(route.path_prefixes)
            assert to_traefik_rule(route).count("`") == 2 * expected


def test_a_route_that_was_not_checked_makes_no_rule() -> None:
    with pytest.raises(ValueError, match="not a route"):
        to_traefik_rule(Route("web", ("a`",), (), 80, None, ""))
