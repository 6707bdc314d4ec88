from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.engine.world import World
from tests.samples import set_status
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.store import users
from cabestan.store.schema import users as user_rows
from cabestan.web import live
from cabestan.web.live import LiveStream

#: nothing of it, as long as it does not grow
LOG = "/api/v1/jobs/1/log/stream?offset=1000000"
CHANGES = "/api/v1/changes"
JOURNAL = "/api/v1/projects/shop/api/environments/staging/logs/stream"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RIGHTS_SECONDS", 0.1)


@pytest.fixture
def project(world: World) -> Project:
    """With a job that does not end."""
    made = world.project()
    world.user("dev", shop=Role.DEVELOPER, other=Role.REPORTER)
    world.released(made)
    with world.services.database.writing() as tx:
        set_status(tx, Subject.JOB, 1, "running")
    return made


def without_role(world: World) -> None:
    with world.services.database.writing() as tx:
        users.set_role(tx, users.get(tx, "dev").id, "shop", None)


def without_token(world: World) -> None:
    with world.services.database.writing() as tx:
        users.drop_token(tx, "token-of-dev")


def without_user(world: World) -> None:
    with world.services.database.writing() as tx:
        tx.execute(sa.delete(user_rows).where(user_rows.c.name == "dev"))


@contextmanager
def following(client: httpx.Client, path: str) -> Iterator[Iterator[str]]:
    """The lines of a stream that has begun."""
    with client.stream("GET", path, timeout=5) as answer:
        assert answer.status_code == 200
        yield answer.iter_lines()


@pytest.mark.parametrize(
    ("path", "lose"),
    [
        (LOG, without_role),
        (LOG, without_token),
        (LOG, without_user),
        (CHANGES, without_token),
        (CHANGES, without_user),
        (JOURNAL, without_role),
        (JOURNAL, without_token),
    ],
)
@pytest.mark.usefixtures("quick", "project")
def test_a_stream_ends_with_the_rights(world: World, path: str, lose: Callable[[World], None]) -> None:
    with asking(world, **token("dev")) as client, following(client, path) as lines:
        lose(world)
        assert set(lines) <= {": listening", ": still here", ""}  # a silence of 5 seconds would fail


@pytest.mark.parametrize("path", [LOG, CHANGES, JOURNAL])
@pytest.mark.usefixtures("quick", "project")
def test_a_stream_ends_with_the_logout(world: World, path: str) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "dev")
        with following(client, path) as lines:
            assert client.post("/logout", headers={"X-CSRF-Token": csrf}).status_code == 303
            assert set(lines) <= {": listening", ": still here", ""}


@pytest.mark.usefixtures("quick")
def test_changes_of_a_project_are_told_while_it_may_be_seen(world: World, project: Project) -> None:
    def told(lines: Iterator[str]) -> list[str]:
        """Of two projects, up to the second one."""
        world.services.changes.publish("shop/api")
        world.services.changes.publish("other/api")
        topics: list[str] = []
        while "project:other/api" not in topics:
            topics += [line.removeprefix("data: ") for line in [next(lines)] if line.startswith("data: ")]
        return topics

    def until(wanted: list[str], lines: Iterator[str]) -> None:
        deadline = time.monotonic() + 5
        while told(lines) != wanted:
            assert time.monotonic() < deadline

    with asking(world, **token("dev")) as client, following(client, CHANGES) as lines:
        assert next(lines) == ": listening"
        both, one = ["project:shop/api", "project:other/api"], ["project:other/api"]
        assert told(lines) == both
        without_role(world)
        until(one, lines)
        with world.services.database.writing() as tx:
            users.set_role(tx, users.get(tx, "dev").id, "shop/api", Role.REPORTER)
        until(both, lines)


def sent(events: AsyncIterator[str], allowed: Callable[[], bool]) -> list[Any]:
    """The bodies, and whether more was to come."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(asyncio.wait_for(LiveStream(events, allowed).stream_response(send), 5))
    assert messages.pop(0)["type"] == "http.response.start"
    return [(message["body"], message["more_body"]) for message in messages]


async def one_and_silence(closed: list[str]) -> AsyncIterator[str]:
    try:
        yield "one"
        await asyncio.Event().wait()
    finally:
        closed.append("closed")


@pytest.mark.usefixtures("quick")
def test_a_stream_without_rights_is_closed_and_its_answer_ended_in_order() -> None:
    looks, closed = iter([True, True, False]), []  # type: ignore[var-annotated]
    assert sent(one_and_silence(closed), lambda: next(looks)) == [(b"one", True), (b"", False)]
    assert (list(looks), closed) == ([], ["closed"])


@pytest.mark.usefixtures("quick")
def test_a_stream_ends_where_the_rights_cannot_be_read() -> None:
    closed: list[str] = []
    with pytest.raises(ZeroDivisionError):
        sent(one_and_silence(closed), lambda: bool(1 // 0))
    assert closed == ["closed"]


def test_a_stream_that_ends_by_itself_asks_for_no_rights() -> None:
    async def two() -> AsyncIterator[str]:
        yield "one"
        yield "two"

    assert sent(two(), lambda: bool(1 // 0)) == [(b"one", True), (b"two", True), (b"", False)]


def test_a_streams_own_failure_is_not_hidden() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "one"
        raise KeyError

    with pytest.raises(KeyError):
        sent(broken(), lambda: True)


def test_the_rights_are_read_again_within_15_seconds() -> None:
    assert live.RIGHTS_SECONDS <= 15
