"""What applications say, by the API: to whom, in which order, live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, token
from tests.web.test_api import keys

from cabestan.domain.access import Role
from cabestan.domain.journal import Origin, Position, Said, Source
from cabestan.engine.journal.ledger import journal_key
from cabestan.store.journal import JournalWriter, Taken

AT = "/api/v1/projects/shop/api/environments/staging/logs"
WEB, DB = Source("web", Origin.SERVICE, 2, 7, "aaa"), Source("db", Origin.MANAGED)
ASKED = Source("web", Origin.ACCESS)


def said(writer: JournalWriter, *texts: str, source: Source = WEB, at: int = 0, error: bool = False) -> None:
    lines = [(source, Said((at + place) * 10**9, error, text.encode())) for place, text in enumerate(texts)]
    writer.append(Taken(lines, {source.container: Position()}))


@pytest.fixture
def writer(world: World) -> Iterator[JournalWriter]:
    environment = world.environment(world.project(), "staging")
    world.user("reporter", shop=Role.REPORTER)
    world.user("foreign", other=Role.MAINTAINER)
    made = world.services.journals.writer(environment.id)
    yield made
    made.close()


@pytest.fixture
def client(world: World, writer: JournalWriter) -> Iterator[httpx.Client]:
    with asking(world, **token("reporter")) as asked:
        yield asked


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [line["line"] for line in answer.json()["lines"]]


def test_a_line_tells_who_when_and_what(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, '{"level": "warn"}', at=1_796_080_392, error=True)
    (line,) = client.get(AT).json()["lines"]
    assert set(line) == keys("line")
    assert line == {
        "number": 1,
        "time": "2026-11-30T23:13:12.000000000Z",
        "service": "web",
        "replica": 2,
        "release": 7,
        "kind": "service",
        "stream": "stderr",
        "continued": False,
        "line": '{"level": "warn"}',
        "fields": {"level": "warn"},
    }


def test_lines_are_asked_for_from_both_ends(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, *map(str, range(10)))
    newest = client.get(AT, params={"lines": 3})
    assert (texts(newest), newest.json()["next"], newest.json()["before"]) == (["7", "8", "9"], 11, True)
    assert texts(client.get(AT, params={"lines": 3, "before": 8})) == ["4", "5", "6"]
    on = client.get(AT, params={"lines": 3, "from": 5})
    assert (texts(on), on.json()["next"]) == (["4", "5", "6"], 8)


def test_conditions_go_together(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, '{"a": {"b": 1}, "msg": "slow"}', "slow", '{"a": {"b": 2}}')
    said(writer, "slow query", source=DB, at=10)
    said(writer, "GET / slow", source=ASKED, at=11)
    said(writer, "slow to stderr", at=12, error=True)
    assert texts(client.get(AT, params={"regexp": "^slow"})) == ["slow", "slow query", "slow to stderr"]
    assert texts(
        client.get(AT, params={"regexp": "slow", "service": ["db", "web"], "since": "1970-01-01T00:00:02"})
    ) == [
        "slow query",
        "slow to stderr",
    ]
    assert texts(client.get(AT, params={"field": "a.b=1"})) == ['{"a": {"b": 1}, "msg": "slow"}']
    assert texts(client.get(AT, params={"access": True, "regexp": "GET"})) == ["GET / slow"]
    assert texts(client.get(AT, params={"stderr": True})) == ["slow to stderr"]
    assert texts(client.get(AT, params={"replica": 0})) == ["slow query"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"regexp": "("}, "regular expression '(' is none"),
        ({"since": "yesterday"}, "'yesterday' is no time"),
        ({"field": "level"}, "'level' is not of the form NAME=VALUE"),
        ({"lines": 10_001}, "lines"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, wrong: dict[str, Any], told: str) -> None:
    answer = client.get(AT, params=wrong)
    assert answer.status_code == 422
    assert told in answer.text


def test_who_said_something_is_told(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "x")
    said(writer, "x", source=DB)
    assert client.get(f"{AT}/sources").json()["items"] == [
        {"service": "db", "kind": "managed", "replica": 0},
        {"service": "web", "kind": "service", "replica": 2},
    ]


def test_strangers_find_nothing(world: World, writer: JournalWriter) -> None:
    said(writer, "private")
    with asking(world, **token("foreign")) as client:
        for path in (AT, f"{AT}/stream", f"{AT}/sources"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert "private" not in answer.text


def events(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    for line in lines:
        if line.startswith("id: "):
            number = int(line[4:])
        if line.startswith("data: "):
            yield number, [one["line"] for one in json.loads(line[6:])]


def test_what_is_said_comes_live_and_goes_on_where_it_was(
    world: World, client: httpx.Client, writer: JournalWriter
) -> None:
    said(writer, "before")
    (environment_id,) = world.services.journals.present()
    key = journal_key(environment_id)
    with client.stream("GET", f"{AT}/stream", params={"regexp": "a"}, timeout=5) as answer:
        found = events(answer.iter_lines())
        said(writer, "no", "a1", "a2", at=1)
        world.services.hub.advanced(key)
        assert next(found) == (5, ["a1", "a2"])
        said(writer, "a3", at=4)
        world.services.hub.advanced(key)
        assert next(found) == (6, ["a3"])
    with client.stream("GET", f"{AT}/stream", headers={"Last-Event-ID": "4"}, timeout=5) as answer:
        assert next(events(answer.iter_lines())) == (6, ["a2", "a3"])
