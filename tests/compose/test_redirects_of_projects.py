"""A project that sends plain requests to HTTPS itself gets the platform's redirect, which knows the port."""

import pytest

from cabestan.compose.entrances import Entrances
from cabestan.compose.routing.traefik3 import router_labels
from cabestan.domain.route import Middleware, Route


@pytest.mark.parametrize(
    ("asked", "chains"),
    [
        ((), {"s_web": "s_web-mark,s_web-retry,s_web_auth", "http_s_web": "to-https@file"}),
        (("http", "https"), {"s_web": "s_web-mark,s_web-retry,s_web_auth", "http_s_web": "to-https@file"}),
        (("http",), {"http_s_web": "to-https@file"}),
    ],
)
def test_the_redirect_of_a_project_is_the_platforms(asked: tuple[str, ...], chains: dict[str, str]) -> None:
    redirect = Middleware("redirect", "redirectscheme", (("scheme", "https"), ("permanent", "true")))
    auth = Middleware("auth", "basicauth", (("users", "a:b"),))
    route = Route(
        name="web",
        service="web",
        rule="Host(`a.org`)",
        source="Host:a.org",
        claims=("a.org",),
        port=80,
        priority=1,
        entrypoints=asked,
        middlewares=(redirect, auth),
    )
    labels = router_labels([route], "s", "net", Entrances(plain_http=True))
    start, end = "traefik.http.routers.", ".middlewares"
    found = {name[len(start) : -len(end)]: value for name, value in labels.items() if name.endswith(end)}
    assert found == chains
    assert not [name for name in labels if "redirectscheme" in name]
