"""The labels by which requests come in."""

from cabestan.compose.entrances import Entering, Entrances, entrance_labels

ROUTE = Entering("Host(`a.org`)", "s_web", 17, ("*.a.org", "a.org", "b.localhost", "www.a.org"), ("retry", "auth"))
SECURE = {
    "s_web.rule": "Host(`a.org`)",
    "s_web.service": "s_web",
    "s_web.entrypoints": "websecure",
    "s_web.tls": "true",
    "s_web.middlewares": "retry,auth",
    "s_web.priority": "17",
}
SENT_ON = {
    "http_s_web.rule": "Host(`a.org`)",
    "http_s_web.service": "s_web",
    "http_s_web.entrypoints": "web",
    "http_s_web.middlewares": "to-https@file",
    "http_s_web.priority": "5",
}
ANSWERED = SENT_ON | {"http_s_web.middlewares": "retry,auth", "http_s_web.priority": "17"}


def _labels(entrances: Entrances, *, schemes: tuple[str, ...] = (), sends_to_https: bool = False) -> dict[str, str]:
    route = Entering(ROUTE.rule, ROUTE.service, 17, ROUTE.claims, ROUTE.middlewares, schemes, sends_to_https)
    made = entrance_labels("s_web", route, entrances)
    return {name.removeprefix("traefik.http.routers."): value for name, value in made.items()}


def test_plain_requests_are_sent_to_https_after_every_rule_of_a_project() -> None:
    assert _labels(Entrances()) == SECURE | SENT_ON
    assert _labels(Entrances(), schemes=("https",)) == SECURE | SENT_ON
    assert _labels(Entrances(plain_http=True), schemes=("https",)) == SECURE | SENT_ON
    assert _labels(Entrances(plain_http=True), sends_to_https=True) == SECURE | SENT_ON


def test_plain_requests_are_answered_where_asked_by_the_same_rules() -> None:
    assert _labels(Entrances(plain_http=True)) == SECURE | ANSWERED
    assert _labels(Entrances(), schemes=("http",)) == ANSWERED
    assert _labels(Entrances(), schemes=("http",), sends_to_https=True) == SENT_ON


def test_each_public_name_has_a_certificate_of_its_own_over_acme() -> None:
    def certificates(entrances: Entrances) -> dict[str, str]:
        return {name: value for name, value in _labels(entrances).items() if name.startswith("s_web.tls.")}

    assert certificates(Entrances(resolver="acme")) == {
        "s_web.tls.certresolver": "acme",
        "s_web.tls.domains[0].main": "a.org",
        "s_web.tls.domains[1].main": "www.a.org",
    }
    assert list(certificates(Entrances(resolver="acme", wildcards=True)).values()) == [
        "acme",
        "*.a.org",
        "a.org",
        "www.a.org",
    ]
    assert certificates(Entrances()) == {}
    assert certificates(Entrances(resolver="acme", private_domains=("a.org",))) == {}
