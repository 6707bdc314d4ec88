"""Labels of Traefik 2 and 3: routers, services and middlewares, and what may not be named."""

from __future__ import annotations

import pytest
from tests.compose.routing_samples import new, of, refused, services
from tests.compose.samples import loaded, refusal, rendered

from cabestan.domain.route import Middleware

HOST = "Host(`a.org`)"


def test_a_router_uses_services_and_middlewares_of_the_whole_file() -> None:
    text = services(
        web={
            "traefik.http.routers.R.Rule": HOST,
            "traefik.http.routers.R.service": "back",
            "traefik.http.routers.R.middlewares": "all",
            "traefik.http.routers.R.priority": "9",
            "traefik.http.routers.R.tls.certresolver": "mine",
        },
        back={
            "traefik.enable": "false",
            "traefik.http.services.back.loadbalancer.server.port": "8080",
            "traefik.http.services.back.loadbalancer.server.scheme": "h2c",
            "traefik.http.services.back.loadbalancer.passHostHeader": "false",
            "traefik.http.middlewares.all.chain.middlewares": "one,two",
            "traefik.http.middlewares.one.ipWhiteList.sourceRange": "10.0.0.0/8",
            "traefik.http.middlewares.two.headers.sslRedirect": "true",
            "traefik.http.middlewares.two.headers.customResponseHeaders.X-Kind": "a",
        },
    )
    (route,) = of(text)
    assert (route.name, route.service, route.port, route.scheme, route.priority) == ("back", "back", 8080, "h2c", 9)
    assert route.entrypoints == ("https",)
    assert route.options == (("passhostheader", "false"),)
    assert route.middlewares == (
        Middleware("one", "ipallowlist", (("sourcerange", "10.0.0.0/8"),)),
        Middleware("two", "headers", (("customresponseheaders.X-Kind", "a"),)),
    )
    assert [warning.code for warning in loaded(text).warnings] == ["route-ignored"]


def test_names_in_the_router_begin_with_the_stack() -> None:
    text = new(HOST, {"traefik.http.routers.r.middlewares": "small", "traefik.http.middlewares.small.compress": "true"})
    labels = rendered(text).document["services"]["web"]["deploy"]["labels"]
    stack = "cabestan-demo-hello-staging_web"
    names = {label.split(".")[3] for label in labels if label.startswith("traefik.http.")}
    assert names == {stack, f"http_{stack}", f"{stack}-mark", f"{stack}-retry", f"{stack}_small"}
    assert labels[f"traefik.http.middlewares.{stack}_small.compress"] == "true"


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        ({"routers.r.middlewares": "auth@file"}, "route"),
        ({"routers.r.middlewares": "none"}, "route"),
        ({"routers.r.service": "api@internal"}, "route"),
        ({"routers.r.service": "none@swarm"}, "route"),
        ({"routers.r.entrypoints": "ping"}, "route"),
        ({"routers.r.entrypoints": "traefik"}, "route"),
        ({"routers.r.tls.options": "mine@file"}, "route-label"),
        ({"routers.r.tls.domains": "x"}, "route-label"),
        ({"routers.r.observability.accesslogs": "false"}, "route-label"),
        ({"routers.r.priority": "99999999999"}, "route"),
        ({"services.s.loadbalancer.server.url": "http://10.0.0.1"}, "route-label"),
        ({"services.s.loadbalancer.serverstransport": "x@file"}, "route-label"),
        ({"services.s.loadbalancer.healthcheck.hostname": "x"}, "route-label"),
        ({"services.s.weighted.services": "x"}, "route-label"),
        ({"services.s.loadbalancer.server.port": "x"}, "route"),
        ({"services.s.loadbalancer.server.scheme": "ftp"}, "route"),
        ({"services.s.loadbalancer.sticky.cookie.name": "a b"}, "route"),
        ({"middlewares.m.forwardauth.address": "http://10.0.0.1"}, "route-label"),
        ({"middlewares.m.plugin.x.y": "z"}, "route-label"),
        ({"middlewares.m.errors.service": "s"}, "route-label"),
        ({"middlewares.m.basicauth.usersfile": "/etc/passwd"}, "route-label"),
        ({"middlewares.m.basicauth.users": "bob:plain"}, "route"),
        ({"middlewares.m.stripprefix.prefixes": "a"}, "route"),
        ({"middlewares.m.replacepathregex.regex": "("}, "route"),
        ({"middlewares.m.headers.framedeny": "maybe"}, "route"),
        ({"middlewares.m.headers.customrequestheaders.A.b": "c"}, "route"),
        ({"middlewares.m.headers.nonsense": "a"}, "route-label"),
        ({"middlewares.m.compress": "true", "middlewares.m.retry.attempts": "3"}, "route"),
        ({"middlewares.m.chain.middlewares": "a", "middlewares.m.retry.attempts": "3"}, "route"),
        ({"middlewares.m.chain.middlewares": "m", "routers.r.middlewares": "m"}, "route"),
        ({"nonsense.x.y": "z"}, "route-label"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_what_is_not_known_or_not_the_projects_own_is_refused(labels: dict[str, str], code: str) -> None:
    assert refused(new(HOST, {f"traefik.http.{label}": value for label, value in labels.items()})) == [code]


def test_a_name_that_two_services_define_is_refused() -> None:
    label = "traefik.http.middlewares.m.compress"
    text = services(web={"traefik.http.routers.r.rule": HOST, label: "true"}, other={label: "true"})
    (finding,) = refusal(text)
    assert (finding.code, finding.message) == ("route", "m is defined by web as well.")


def test_a_router_without_a_rule_and_one_that_could_lead_to_several_services_are_refused() -> None:
    assert refused(services(web={"traefik.http.routers.r.priority": "1"})) == ["route"]
    several = {f"traefik.http.services.{name}.loadbalancer.server.port": "80" for name in "ab"}
    assert refused(new(HOST, several)) == ["route"]
