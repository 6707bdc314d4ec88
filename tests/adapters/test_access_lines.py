"""What the router says of requests: whose they were, and what of them is kept."""

import json

import pytest

from cabestan.adapters.access_lines import environment_of, line_of, parse_request

REQUEST = {
    "ClientHost": "192.0.2.7",
    "DownstreamStatus": 404,
    "Duration": 12_345_678,
    "RequestHost": "shop.example.org",
    "RequestMethod": "GET",
    "RequestPath": "/reset?token=canary",
    "RouterName": "cabestan-12-shop-api-staging-web-secure@swarm",
    "level": "info",
    "time": "2026-11-30T23:13:12Z",
}


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        ("cabestan-12-shop-api-staging-web@swarm", 12),
        ("down-cabestan-3-shop-api-web-secure@file", 3),
        ("cabestan-x-shop@swarm", None),
        ("other-12-shop@swarm", None),
        ("nothing-here@file", None),
        ("noncabestan-12-shop@swarm", None),
    ],
)
def test_a_request_belongs_to_the_environment_of_its_route(router: str, expected: int | None) -> None:
    assert environment_of(router, "cabestan") == expected


def test_a_line_tells_what_was_asked_and_answered_without_the_query() -> None:
    request = parse_request(json.dumps(REQUEST).encode())
    assert request
    assert json.loads(line_of(request)) == {
        "message": "404 GET shop.example.org/reset?…",
        "status": 404,
        "method": "GET",
        "host": "shop.example.org",
        "path": "/reset?…",
        "ms": 12.3,
        "client": "192.0.2.7",
    }


NO_REQUESTS = [b"", b"plain", b'{"level": "warn"}', b'{"RouterName": 1}', b'{"RouterName"', b'["RouterName"]']


@pytest.mark.parametrize("text", NO_REQUESTS)
def test_what_else_the_router_says_is_no_request(text: bytes) -> None:
    assert parse_request(text) is None
