from __future__ import annotations

from typing import Any

from starlette.responses import Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer
from tests.cli.things import THEN

ROUTE: dict[str, Any] = {
    "project": "demo/hello",
    "environment": "staging",
    "service": "web",
    "name": "web",
    "hosts": ["a.org"],
    "rule": "Host(`a.org`)",
    "source": "Host:a.org",
    "port": 8000,
    "scheme": "http",
    "priority": 10,
    "entrypoints": [],
    "middlewares": [{"kind": "compress", "options": {}}],
}
HOST = {"pattern": "*.a.org", "kind": "rule", "owner": "demo", "environment": "", "by": "ada", "since": THEN}


def test_routes_are_listed_of_all_projects_or_of_one(cli: Cli, server: FakeServer) -> None:
    server.lists("/routes", ROUTE)
    assert cli("route", "list", "--json").json == [ROUTE]
    assert "Host(`a.org`)" in cli("route", "list", "-p", "demo/hello").out
    assert server.asked == [Asked("GET", "/routes?limit=200"), Asked("GET", "/routes?limit=200&project=demo%2Fhello")]


def test_who_answers_is_told_with_those_that_come_after(cli: Cli, server: FakeServer) -> None:
    verdict = {"host": "a.org", "answers": ROUTE, "others": [ROUTE | {"service": "wide"}], "holders": ["demo/hello"]}
    server.on("GET", "/routes/match", verdict)
    done = cli("route", "match", "https://a.org/x", "--method", "POST")
    assert (done.code, done.err) == (0, "")
    assert [word in done.out for word in ("web", "compress", "Fits as well", "wide")] == [True] * 4
    assert cli("route", "match", "a.org", "--json").json == verdict
    assert [asked.path.partition("?")[2] for asked in server.asked] == [
        "url=https%3A%2F%2Fa.org%2Fx&method=POST",
        "url=a.org&method=GET",
    ]


def test_that_nobody_answers_is_told_with_an_exit_code(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/routes/match", {"host": "a.org", "answers": None, "others": [], "holders": ["demo/hello"]})
    done = cli("route", "match", "a.org/x")
    assert (done.code, done.out) == (1, "")
    assert done.err == "No route that you may see answers a.org/x. demo/hello routes the host, but not this.\n"
    assert cli("route", "match", "a.org/x", "--json").code == 1


def test_host_names_are_listed_given_away_taken_back_and_given_up(cli: Cli, server: FakeServer) -> None:
    server.lists("/hosts", HOST)
    server.on("PUT", "/hosts/*.a.org", HOST)
    server.on("DELETE", "/hosts/*.a.org", Response(status_code=204))
    server.on("DELETE", "/projects/demo/hello/hosts/b.org", Response(status_code=204))
    assert cli("host", "list", "--json").json == [HOST]
    assert cli("host", "assign", "*.a.org", "demo", "--json").json == HOST
    assert cli("host", "withdraw", "*.a.org").err == "No rule for *.a.org any more.\n"
    assert cli("host", "release", "b.org", "-p", "demo/hello").err == "demo/hello has given up b.org.\n"
    assert [(asked.method, asked.body) for asked in server.asked] == [
        ("GET", None),
        ("PUT", {"owner": "demo"}),
        ("DELETE", None),
        ("DELETE", None),
    ]
