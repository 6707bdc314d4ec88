"""Routes from labels: what is read, what is refused, who comes first."""

from __future__ import annotations

import pytest
from tests.compose.routing_samples import DOMAIN, new, of, old, refused, services
from tests.compose.samples import IMAGE, codes, loaded, refusal, web

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.routing import routes
from cabestan.domain.route import IMAGE_PORT, Middleware, Route

STRIP = (("prefixes", "/api"),)


def test_a_rule_becomes_a_route() -> None:
    rule = "Host: App.example.org , b.example.org;PathPrefix:/ws/"
    assert of(old(rule)) == (
        Route(
            name="web",
            service="web",
            rule="(Host(`app.example.org`) || Host(`b.example.org`)) && PathPrefix(`/ws/`)",
            source=rule,
            claims=("app.example.org", "b.example.org"),
            port=80,
            priority=len(rule),
        ),
    )


OWN = f"Host(`{DOMAIN}`)"
MATCHERS = [
    (
        "HostRegexp:a.example.org,{sub:[a-z]+}.Example.org",
        r"Host(`a.example.org`) || HostRegexp(`^(?:[a-z]+)\.example\.org$`)",
    ),
    ("HostRegexp:{sub}.example.org", r"HostRegexp(`^(?:[^.]+)\.example\.org$`)"),
    ("Path:/a,/b/{id:[0-9]{1,3}}", f"{OWN} && (Path(`/a`) || PathRegexp(`^/b/(?:[0-9]{{1,3}})$`))"),
    ("PathPrefix:/a/{id}", f"{OWN} && PathRegexp(`^/a/(?:[^/]+)`)"),
    ("Method:get, POST", f"{OWN} && (Method(`GET`) || Method(`POST`))"),
    ("Headers:X-A,b,X-C,d", f"{OWN} && Header(`X-A`, `b`) && Header(`X-C`, `d`)"),
    ("HeadersRegexp:X-A,^a(b|c)$", f"{OWN} && HeaderRegexp(`X-A`, `^a(b|c)$`)"),
    (
        "Query:a=b,c={d:[0-9]+},e=",
        f"{OWN} && Query(`a`, `b`) && QueryRegexp(`c`, `^(?:[0-9]+)$`) && QueryRegexp(`e`, `.*`)",
    ),
    ("Host:a.org;Path:/;;", "Host(`a.org`) && Path(`/`)"),
]


@pytest.mark.parametrize(("rule", "expected"), MATCHERS, ids=lambda text: text.partition(":")[0])
def test_each_matcher_of_traefik_1_has_its_rule(rule: str, expected: str) -> None:
    (route,) = of(old(rule))
    assert (route.rule, route.middlewares) == (expected, ())


CHANGES = [
    ("PathStrip:/api", "Path(`/api`)", [Middleware("strip", "stripprefix", STRIP)]),
    ("PathPrefixStrip:/api", "PathPrefix(`/api`)", [Middleware("strip", "stripprefix", STRIP)]),
    (
        "PathStripRegex:/v{n:[0-9]+}",
        "PathRegexp(`^/v(?:[0-9]+)$`)",
        [Middleware("strip-regex", "stripprefixregex", (("regex", "^/v(?:[0-9]+)$"),))],
    ),
    (
        "PathPrefixStripRegex:/v{n:[0-9]+},/x",
        "(PathRegexp(`^/v(?:[0-9]+)`) || PathPrefix(`/x`))",
        [Middleware("strip-regex", "stripprefixregex", (("regex", "^/v(?:[0-9]+),^/x"),))],
    ),
    ("Path:/;AddPrefix:/in", "Path(`/`)", [Middleware("add", "addprefix", (("prefix", "/in"),))]),
    ("Path:/;ReplacePath:/in", "Path(`/`)", [Middleware("replace", "replacepath", (("path", "/in"),))]),
    (
        "Path:/;ReplacePathRegex: ^/a{1,2}(.*) /b$1",
        "Path(`/`)",
        [Middleware("replace-regex", "replacepathregex", (("regex", "^/a{1,2}(.*)"), ("replacement", "/b$1")))],
    ),
    (
        "AddPrefix:/in;PathPrefixStrip:/api",
        "PathPrefix(`/api`)",
        [Middleware("strip", "stripprefix", STRIP), Middleware("add", "addprefix", (("prefix", "/in"),))],
    ),
]


@pytest.mark.parametrize(("rule", "expected", "changes"), CHANGES, ids=lambda value: str(value)[:20])
def test_each_modifier_of_traefik_1_has_its_middleware(rule: str, expected: str, changes: list[Middleware]) -> None:
    (route,) = of(old(rule))
    assert (route.rule, list(route.middlewares)) == (f"{OWN} && {expected}", changes)


@pytest.mark.parametrize(
    "rule",
    [
        "Host:",
        "Host:*.example.org",
        "Host:{any:.*}",
        "Host:a`) || Host(`b",
        "Host:a b",
        "Host:a/b",
        "Host:a:80",
        "Host:10.0.0.1",
        "Host:-a",
        "Host:a..b",
        "Host:é.org",
        "Host:" + "a" * 64,
        "Host:a.org;Host:b.org",
        "Host:a.org;PathPrefix:b",
        "Host:a.org;PathPrefix:/a`) || PathPrefix(`/",
        "Host:a.org;Path:/{id:[0-9]+",
        "Host:a.org;Path:/{:[0-9]+}",
        "Host:a.org;Path:/{id:(}",
        "Host:a.org;PathPrefixStrip:/{id}",
        "Host:a.org;PathPrefixStripRegex:/{id:a{1,2}}",
        "Host:a.org;Method:G T",
        "Host:a.org;Headers:X-A",
        "Host:a.org;Headers:X A,b",
        "Host:a.org;HeadersRegexp:X-A,(",
        "Host:a.org;Query:a",
        "Host:a.org;ReplacePathRegex:^/a",
        "Host:a.org;AddPrefix:a",
        "HostRegexp:{any:.*}",
        "HostRegexp:{any:.*}.org",
        "HostRegexp:{any:.*}example.org",
        "HostRegexp:a.{any:.*}",
        "HostRegexp:{any:(?i).*}.example.org",
    ],
)
def test_a_value_that_is_not_understood_is_refused(rule: str) -> None:
    assert refused(old(rule)) == ["route"]


@pytest.mark.parametrize("rule", ["HostSNI:a.org", "host:a", "Host(`a`)", "Host:a.org;Cookie:a", "x"])
def test_a_matcher_that_there_is_not_is_refused(rule: str) -> None:
    assert refused(old(rule)) == ["route-matcher"]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("traefik.frontend.auth.digest.users: a", "route-label"),
        ("traefik.frontend.auth.forward.address: http://a", "route-label"),
        ("traefik.frontend.errors.x.backend: a", "route-label"),
        ("traefik.frontend.headers.SSLForceHost: 'true'", "route-label"),
        ("traefik.frontend.auth.basic: bob:secret", "route"),
        ("traefik.frontend.auth.basic: 'bob:$$1$$a$$b'", "route"),
        ("traefik.frontend.redirect.regex: ^a", "route"),
        ("traefik.frontend.redirect.entryPoint: ftp", "route"),
        ("traefik.frontend.entryPoints: metrics", "route"),
        ("traefik.frontend.headers.customRequestHeaders: X", "route"),
        ("traefik.frontend.passHostHeader: maybe", "route"),
        ("traefik.protocol: ftp", "route"),
        ("traefik.port: 0", "route"),
        ("traefik.port: http", "route"),
        ("traefik.port: 70000", "route"),
        ("traefik.frontend.priority: high", "route"),
        ("traefik.frontend.priority: -1", "route"),
        ("traefik.enable: maybe", "route"),
        ("traefik.tcp.routers.x.rule: HostSNI(`*`)", "route-label"),
        ("traefik.udp.routers.x.entrypoints: a", "route-label"),
        ("traefik.http.serverstransports.x.insecureskipverify: 'true'", "route-label"),
        ("TRAEFIK.http.routers.x.rule: Host(`a.org`)", "route"),
    ],
)
def test_a_label_that_is_not_understood_is_refused_with_its_line(label: str, code: str) -> None:
    text = web(f"expose: [80]\nlabels:\n  traefik.frontend.rule: Host:a.org\n  {label}\n")
    place = 6 if "TRAEFIK" in label else 7
    assert codes(text) == [(code, place)]


@pytest.mark.parametrize(
    "labels",
    [
        ("frontend.rule: Nope:a", "protocol: ftp", "port: 0", "frontend.entryPoints: ftp"),
        (
            "http.routers.r.rule: Nope(`a`)",
            "http.services.s.loadbalancer.server.scheme: ftp",
            "http.services.s.loadbalancer.server.port: 0",
            "http.routers.r.entrypoints: ftp",
        ),
    ],
    ids=["Traefik 1", "Traefik 3"],
)
def test_all_that_is_wrong_with_a_route_is_told_at_once(labels: tuple[str, ...]) -> None:
    lines = "".join(f"\n  traefik.{label}" for label in labels)
    assert codes(web(f"labels:{lines}")) == [("route-matcher", 5), ("route", 6), ("route", 7), ("route", 8)]


def test_a_label_without_a_value_makes_no_middleware() -> None:
    labels = {"backend.buffering.maxRequestBodyBytes": "", "backend.circuitbreaker.expression": ""}
    assert of(old("Host:a.org", **labels))[0].middlewares == ()


@pytest.mark.parametrize("name", ["auth", "web:auth"])
def test_what_labels_of_traefik_1_make_has_no_name_for_others(name: str) -> None:
    text = services(
        web={"traefik.frontend.rule": "Host:a.org", "traefik.frontend.auth.basic": f"ann:{APR1}"},
        other={"traefik.http.routers.r.rule": "Host(`b.org`)", "traefik.http.routers.r.middlewares": name},
    )
    assert refused(text) == ["route"]


def test_the_remedy_of_a_label_names_what_to_write_instead() -> None:
    (finding,) = refusal(old("Host:a.org", **{"frontend.auth.forward.address": "http://a"}))
    assert finding.remedy == "Have the application ask; the router asks no other addresses."


def test_labels_that_mean_nothing_here_are_passed_over_with_a_warning() -> None:
    text = old("Host:a.org", backend="b", weight="3", **{"docker.network": "n", "backend.loadbalancer.method": "drr"})
    warnings = loaded(text).warnings
    assert [(w.code, w.message.split(":")[0]) for w in warnings] == [
        ("route-ignored", "traefik.backend is passed over"),
        ("route-ignored", "traefik.weight is passed over"),
        ("route-ignored", "traefik.docker.network is passed over"),
        ("route-ignored", "traefik.backend.loadbalancer.method is passed over"),
    ]


@pytest.mark.parametrize("label", ["docker.network", "docker.lbswarm", "swarm.network", "swarm.lbswarm"])
def test_so_are_the_networks_of_later_ones(label: str) -> None:
    (warning,) = loaded(new("Host(`a.org`)", {f"traefik.{label}": "true"})).warnings
    assert (warning.code, warning.message.split(":")[0]) == ("route-ignored", f"traefik.{label} is passed over")


APR1, BCRYPT = "$apr1$FNdSDLrp$TAXy/4ZjKQtNCupEyQ4tl1", "$2y$05$" + "a" * 53
SHA = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="


def test_what_is_done_to_requests_is_done_in_one_order() -> None:
    text = services(
        web={
            "traefik.frontend.rule": "Host:a.org;PathPrefixStrip:/api",
            "traefik.frontend.auth.basic.users": f" ann:{APR1},\n ben:{BCRYPT}, cid:{SHA}\n",
            "traefik.frontend.auth.basic.removeHeader": "true",
            "traefik.frontend.redirect.regex": "^http://a.org/old(.*)",
            "traefik.frontend.redirect.replacement": "http://a.org/new$1",
            "traefik.frontend.redirect.permanent": "true",
            "traefik.frontend.headers.customRequestHeaders": "X-A:b||X-C: d:e",
            "traefik.frontend.headers.customResponseHeaders": "Server:",
            "traefik.frontend.headers.allowedHosts": "a.org,b.org",
            "traefik.frontend.headers.STSSeconds": "60",
            "traefik.frontend.headers.frameDeny": "TRUE",
            "traefik.frontend.headers.SSLRedirect": "true",
            "traefik.frontend.headers.SSLTemporaryRedirect": "true",
            "traefik.frontend.whiteList.sourceRange": "10.0.0.0/8, ::1",
            "traefik.frontend.rateLimit.rateSet.few.average": "5",
            "traefik.frontend.rateLimit.extractorFunc": "request.header.X-A",
            "traefik.backend.maxconn.amount": "9",
            "traefik.frontend.passHostHeader": "false",
            "traefik.backend.loadbalancer.stickiness": "true",
            "traefik.backend.loadbalancer.stickiness.cookieName": "c",
            "traefik.protocol": "h2c",
        }
    )
    (route,) = of(text)
    assert route.middlewares == (
        Middleware("allow", "ipallowlist", (("sourcerange", "10.0.0.0/8,::1"),)),
        Middleware(
            "redirect",
            "redirectregex",
            (("permanent", "true"), ("regex", "^http://a.org/old(.*)"), ("replacement", "http://a.org/new$1")),
        ),
        Middleware("rate-few", "ratelimit", (("average", "5"), ("sourcecriterion.requestheadername", "X-A"))),
        Middleware("connections", "inflightreq", (("amount", "9"),)),
        Middleware(
            "auth",
            "basicauth",
            (("removeheader", "true"), ("users", f"ann:{APR1},ben:{BCRYPT},cid:{SHA}")),
        ),
        Middleware(
            "headers",
            "headers",
            (
                ("allowedhosts", "a.org,b.org"),
                ("customrequestheaders.X-A", "b"),
                ("customrequestheaders.X-C", "d:e"),
                ("customresponseheaders.Server", ""),
                ("framedeny", "true"),
                ("stsseconds", "60"),
            ),
        ),
        Middleware("strip", "stripprefix", STRIP),
    )
    assert route.options == (("passhostheader", "false"), ("sticky.cookie", "true"), ("sticky.cookie.name", "c"))
    assert (route.scheme, route.entrypoints) == ("h2c", ("https",))


def test_an_empty_list_of_users_asks_for_no_password() -> None:
    assert of(old("Host:a.org", **{"frontend.auth.basic": ""}))[0].middlewares == ()


def test_a_service_has_several_frontends_and_what_has_no_name_holds_for_all() -> None:
    text = services(
        web={
            "traefik.frontend.rule": "Host:a.org",
            "traefik.port": "1000",
            "traefik.frontend.auth.basic": f"ann:{APR1}",
            "traefik.api.frontend.rule": "Host:a.org;PathPrefix:/api",
            "traefik.api.port": "2000",
            "traefik.api.frontend.auth.basic": "",
            "traefik.all.frontend.priority": "5",
        }
    )
    api, everything = of(text)
    assert (api.name, api.port, api.middlewares, api.rule) == (
        "web-api",
        2000,
        (),
        "Host(`a.org`) && PathPrefix(`/api`)",
    )
    assert (everything.name, everything.port, everything.priority, everything.rule) == (
        "web-all",
        1000,
        5,
        "Host(`a.org`)",
    )
    assert [step.kind for step in everything.middlewares] == ["basicauth"]


IN_BOTH_WORDS = pytest.mark.parametrize(
    "label", ["traefik.frontend.rule=Host:a.org", "traefik.http.routers.r.rule=Host(`a.org`)"]
)


@pytest.mark.parametrize("expose", ["expose: [80, 81]", "expose: ['80-81']"])
@IN_BOTH_WORDS
def test_the_port_must_be_plain(expose: str, label: str) -> None:
    assert refused(web(f"{expose}\nlabels: ['{label}']")) == ["route-port"]


@pytest.mark.parametrize("expose", ["", "expose: ['53/udp']"])
@IN_BOTH_WORDS
def test_without_a_port_of_its_own_a_service_has_the_lowest_of_its_image(expose: str, label: str) -> None:
    compose = loaded(web(f"{expose}\nlabels: ['{label}']")).compose
    assert [route.port for route in routes(compose.with_ports({IMAGE: (443, 8000)}))] == [443]
    assert [route.port for route in routes(compose)] == [IMAGE_PORT]


@IN_BOTH_WORDS
def test_an_image_that_declares_no_port_is_refused_once_that_is_known(label: str) -> None:
    compose = loaded(web(f"labels: ['{label}']")).compose.with_ports({IMAGE: ()})
    with pytest.raises(ComposeRefused) as refusal_:
        routes(compose)
    (finding,) = refusal_.value.findings
    assert (finding.code, finding.line) == ("route-port", 4)
    assert finding.message == f"The service exposes no port, and its image {IMAGE} declares none."


@pytest.mark.parametrize("more", ["expose: [9000]", "ports: ['80:9000']"])
def test_what_the_service_says_itself_comes_before_its_image(more: str) -> None:
    compose = loaded(web(f"{more}\nlabels: ['traefik.frontend.rule=Host:a.org']")).compose
    assert [route.port for route in routes(compose.with_ports({IMAGE: (80,)}))] == [9000]
    compose = loaded(web("labels: ['traefik.frontend.rule=Host:a.org', traefik.port=9001]")).compose
    assert [route.port for route in routes(compose.with_ports({IMAGE: (80,)}))] == [9001]


def test_a_service_that_is_enabled_needs_a_rule() -> None:
    assert codes(web("labels: [traefik.enable=true]")) == [("route", 4)]


def test_a_service_that_runs_once_cannot_be_routed() -> None:
    assert refused(web("restart: no\nexpose: [80]\nlabels: [traefik.frontend.rule=Host:a.org]")) == ["route"]


def test_a_service_that_is_not_enabled_has_no_route() -> None:
    assert of(old("Host:a.org", enable="false")) == ()


WIDE, NARROW = "Host:a.org", "Host:a.org;PathPrefix:/ws/"


def _two(first: tuple[str, str], second: tuple[str, str]) -> str:
    one, other = (
        {"traefik.frontend.rule": rule, **({"traefik.frontend.priority": priority} if priority else {})}
        for rule, priority in (first, second)
    )
    return services(web=one, ws=other)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Host:a.org", "Host:A.org"),
        ("Host:a.org,b.org", "Host:b.org,a.org"),
        ("Host:a.org;Method:GET", "Method:get;Host:a.org"),
    ],
)
def test_requests_cannot_lead_to_two_services(first: str, second: str) -> None:
    assert codes(_two((first, ""), (second, "9"))) == [("route-twice", 3)]


def test_the_higher_priority_wins_and_without_one_the_longer_rule() -> None:
    web_, ws = of(_two((WIDE, "1"), (NARROW, "2")))
    assert (web_.priority, ws.priority) == (1, 2)
    for none in ("", "0"):
        web_, ws = of(_two((WIDE, none), (NARROW, none)))
        assert (web_.priority, ws.priority) == (len(WIDE), len(NARROW))


def test_a_route_that_would_never_be_reached_is_put_first_with_a_warning() -> None:
    text = _two((WIDE, "2"), (NARROW, "1"))
    web_, ws = of(text)
    assert (web_.priority, ws.priority) == (2, 3)
    (warning,) = loaded(text).warnings
    assert (warning.code, warning.line, warning.remedy) == (
        "route-hidden",
        3,
        "Give ws the higher priority: the higher number wins.",
    )
    assert loaded(_two((WIDE, "1"), (NARROW, "2"))).warnings == ()


def test_routes_that_hide_each_other_in_a_row_are_put_in_order() -> None:
    rules = {"a": "HostRegexp:{x}.a.org", "b": "Host:b.a.org", "c": "Host:b.a.org;Path:/c/d;Method:GET"}
    labels = {name: {"traefik.frontend.rule": rule, "traefik.frontend.priority": "7"} for name, rule in rules.items()}
    assert [route.priority for route in of(services(**labels))] == [7, 8, 9]


def test_a_route_that_only_sends_on_to_https_is_left_to_the_platform() -> None:
    text = services(
        web={
            "traefik.http.routers.plain.rule": "Host(`a.org`)",
            "traefik.http.routers.plain.entrypoints": "web",
            "traefik.http.routers.plain.middlewares": "up",
            "traefik.http.middlewares.up.redirectscheme.scheme": "https",
            "traefik.http.routers.secure.rule": "Host(`a.org`)",
            "traefik.http.routers.secure.entrypoints": "websecure",
            "traefik.http.routers.secure.tls": "true",
        }
    )
    (route,) = of(text)
    assert (route.name, route.entrypoints, route.middlewares) == ("web-secure", ("https",), ())
    assert [warning.code for warning in loaded(text).warnings] == ["route-ignored"]


def test_rules_of_traefik_1_and_later_ones_do_not_mix() -> None:
    assert refused(new("Host(`a.org`)", {"traefik.frontend.rule": "Host:a.org"})) == ["route"]


def _entrypoints(*entrypoints: str) -> dict[str, tuple[str, ...]]:
    """Of routers with one rule and these entry points: those that they get."""
    labels = {f"traefik.http.routers.r{number}.rule": "Host(`a.org`)" for number in range(len(entrypoints))}
    labels |= {f"traefik.http.routers.r{number}.entrypoints": words for number, words in enumerate(entrypoints)}
    return {route.name: route.entrypoints for route in of(services(web=labels))}


def test_a_route_for_http_answers_over_https_too_unless_another_does() -> None:
    assert _entrypoints("web") == {"web": ("http", "https")}
    assert _entrypoints("web", "websecure") == {"web-r0": ("http",), "web-r1": ("https",)}
    assert _entrypoints("web,websecure") == {"web": ("http", "https")}


def test_a_redirect_to_https_is_the_platforms_matter() -> None:
    (route,) = of(old("Host:a.org", **{"frontend.redirect.entryPoint": "https", "frontend.entryPoints": "http,https"}))
    assert (route.entrypoints, route.middlewares) == (("https",), ())
