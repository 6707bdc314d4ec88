"""The labels by which requests come in."""

from cabestan.compose.entrances import Entrances, router_labels

RULE = "Host(`a.org`) || Host(`b.localhost`)"


def _labels(entrances: Entrances, priority: int | None = None) -> dict[str, str]:
    made = router_labels(
        "s_web",
        rule=RULE,
        service="s_web",
        hosts=("a.org", "b.localhost", "www.a.org"),
        entrances=entrances,
        middlewares=("auth", "retry"),
        priority=priority,
    )
    return {name.removeprefix("traefik.http.routers."): value for name, value in made.items()}


def test_plain_requests_are_sent_to_https() -> None:
    assert _labels(Entrances(), 7) == {
        "s_web.rule": RULE,
        "s_web.service": "s_web",
        "s_web.entrypoints": "websecure",
        "s_web.tls": "true",
        "s_web.middlewares": "auth,retry",
        "s_web.priority": "7",
        "http_s_web.rule": RULE,
        "http_s_web.service": "s_web",
        "http_s_web.entrypoints": "web",
        "http_s_web.middlewares": "to-https@file",
        "http_s_web.priority": "7",
    }


def test_plain_requests_are_answered_where_asked_by_the_same_rules() -> None:
    labels = _labels(Entrances(plain_http=True))
    assert labels["http_s_web.middlewares"] == labels["s_web.middlewares"] == "auth,retry"


def test_each_public_name_has_a_certificate_of_its_own_over_acme() -> None:
    def certificates(entrances: Entrances) -> dict[str, str]:
        return {name: value for name, value in _labels(entrances).items() if name.startswith("s_web.tls.")}

    assert certificates(Entrances(resolver="acme")) == {
        "s_web.tls.certresolver": "acme",
        "s_web.tls.domains[0].main": "a.org",
        "s_web.tls.domains[1].main": "www.a.org",
    }
    assert certificates(Entrances()) == {}
    assert certificates(Entrances(resolver="acme", private_domains=("a.org",))) == {}


def test_what_the_file_asks_for_counts_more_than_the_environment() -> None:
    def routers(asked: tuple[str, ...], *, plain_http: bool) -> dict[str, str]:
        made = router_labels(
            "s_web",
            rule=RULE,
            service="s",
            hosts=(),
            entrances=Entrances(plain_http=plain_http),
            middlewares=("retry",),
            asked=asked,
        )
        return {label.split(".")[3]: value for label, value in made.items() if label.endswith(".middlewares")}

    for plain_http in (True, False):
        assert routers(("https",), plain_http=plain_http) == {"s_web": "retry", "http_s_web": "to-https@file"}
        assert routers(("http", "https"), plain_http=plain_http) == {"s_web": "retry", "http_s_web": "retry"}
        assert routers(("http",), plain_http=plain_http) == {"http_s_web": "retry"}
