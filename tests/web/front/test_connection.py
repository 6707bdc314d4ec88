from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import application, asking, token
from tests.web.front.raw import answer, closed, connect, head, status
from tests.web.serving import serving

from cabestan.web.front.bounds import Bounds

USUAL = Bounds()
HASTY = replace(USUAL, head_seconds=1, body_seconds=1, stalled_seconds=2, told_seconds=1)
FEW = replace(USUAL, connections=6, connections_per_address=6, reserve=2, told=2)


@contextmanager
def bare(world: World, bounds: Bounds = USUAL) -> Iterator[tuple[ExitStack, str]]:
    """What is connected is closed afterwards."""
    with asking(world, bounds) as client, ExitStack() as opened:
        yield opened, str(client.base_url)


def ask(opened: ExitStack, address: str, request: bytes) -> bytes:
    return answer(sending(opened, address, request))


def sending(opened: ExitStack, address: str, request: bytes) -> socket.socket:
    connection = opened.enter_context(connect(address))
    with suppress(ConnectionError):
        connection.sendall(request)
    return connection


def authorized(name: str) -> str:
    return f"Authorization: {token(name)['Authorization']}"


@pytest.mark.parametrize(
    ("request_", "expected", "words"),
    [
        (head("X: " + "x" * 40_000) + b"\r\n", 431, "32768 bytes"),
        (head(*(f"X-{n}: {n}" for n in range(101))) + b"\r\n", 431, "too many headers"),
        (head(path="/" + "x" * 9_000) + b"\r\n", 414, "8192 bytes"),
        (head("Transfer-Encoding: chunked", method="POST") + b"\r\n1;" + b"x" * 60_000, 431, "32768 bytes"),
        (head("Transfer-Encoding: chunked", method="POST") + b"\r\n0\r\nX: " + b"x" * 60_000, 431, "32768 bytes"),
        (b"hello\r\n\r\n", 400, "not a request"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400, "not a request"),
        ((head() + b"\r\n") * 20, 429, "ahead of their answers"),
        (b"\r\n" * 40_000, 431, "32768 bytes"),
    ],
    ids=["header", "headers", "address", "chunk", "trailer", "no-http", "no-address", "pipelined", "empty-lines"],
)
def test_what_is_too_large_is_refused_in_words(world: World, request_: bytes, expected: int, words: str) -> None:
    with bare(world) as (opened, address):
        said = ask(opened, address, request_)
        assert status(said) == expected, said
        assert words in said.decode()
        assert b"connection: close" in said
        assert status(ask(opened, address, head() + b"\r\n")) == 200


def test_a_header_of_many_megabytes_is_read_no_further_than_the_bound(world: World) -> None:
    with bare(world) as (opened, address):
        connection = sending(opened, address, head() + b"X: ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 64 << 20:
                sent += connection.send(b"x" * 65536)
        assert sent < 16 << 20
        assert status(ask(opened, address, head() + b"\r\n")) == 200


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"\r\n"], ids=["nothing", "a-line", "empty-lines"])
def test_a_head_that_does_not_come_is_not_waited_for(world: World, begun: bytes) -> None:
    with bare(world, HASTY) as (opened, address):
        connection = sending(opened, address, begun)
        said = answer(connection)
        assert status(said) == (408 if begun.startswith(b"GET") else 0)


def test_a_head_that_drips_is_late_all_the_same(world: World) -> None:
    with bare(world, HASTY) as (opened, address):
        connection = sending(opened, address, head())
        with suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"X: x\r\n")
                time.sleep(0.02)
            raise AssertionError("was read for twenty seconds")
        assert status(answer(connection)) in (408, 0)  # 0: cut off, as it went on to send


def test_the_second_request_of_a_connection_has_the_same_bounds(world: World) -> None:
    with bare(world, HASTY) as (opened, address):
        connection = sending(opened, address, head() + b"\r\n")
        assert status(answer(connection)) == 200
        connection.sendall(head() + b"X: " + b"x" * 40_000)
        assert status(answer(connection)) == 431
        connection = sending(opened, address, head() + b"\r\n")
        assert status(answer(connection)) == 200
        connection.sendall(head())
        assert status(answer(connection)) == 408


def test_a_body_that_does_not_come_is_not_waited_for(world: World) -> None:
    with bare(world, HASTY) as (opened, address):
        said = ask(opened, address, head("Content-Length: 1000", path="/login", method="POST") + b"\r\nname=")
        assert (status(said), "did not come within 1 seconds" in said.decode()) == (408, True)


def test_a_pack_that_stalls_is_not_waited_for(world: World) -> None:
    """Git has begun to answer: all that can be said is that the answer ends too early."""
    world.user("dev", admin=True)
    world.project()
    with bare(world, HASTY) as (opened, address):
        kind = "Content-Type: application/x-git-receive-pack-request"
        pack = head(
            "Content-Length: 1000", kind, authorized("dev"), path="/shop/api.git/git-receive-pack", method="POST"
        )
        said = ask(opened, address, pack + b"\r\n00")
        assert not said.endswith(b"0\r\n\r\n")


def test_the_rest_of_a_body_that_was_refused_is_not_waited_for(world: World) -> None:
    with bare(world, HASTY) as (opened, address):
        connection = sending(opened, address, head("Content-Length: 9999999", path="/login", method="POST") + b"\r\n")
        assert status(answer(connection)) == 413
        assert closed(connection)


def test_whoever_sends_nothing_makes_room_the_longest_silent_first(world: World) -> None:
    with bare(world, FEW) as (opened, address):
        silent = [opened.enter_context(connect(address)) for _ in range(6)]
        assert status(ask(opened, address, head("Connection: close") + b"\r\n")) == 200
        assert closed(silent[0])
        silent[1].sendall(head() + b"\r\n")
        assert status(answer(silent[1])) == 200


def test_who_waits_for_another_request_makes_room_too(world: World) -> None:
    with bare(world, FEW) as (opened, address):
        for _ in range(20):
            assert status(ask(opened, address, head() + b"\r\n")) == 200


def following(opened: ExitStack, address: str) -> None:
    """An answer that does not end."""
    connection = sending(opened, address, head(authorized("dev"), path="/api/v1/changes") + b"\r\n")
    assert status(connection.recv(4096)) == 200


def test_with_all_places_in_use_a_good_token_is_answered_and_nobody_else(world: World) -> None:
    world.user("dev", admin=True)
    with serving(application(world), replace(FEW, connections=3)) as address, ExitStack() as opened:
        for _ in range(3):
            following(opened, address)
        stranger = ask(opened, address, head(path="/login") + b"\r\n")
        assert status(stranger) == 503
        assert "Too many connections are open." in stranger.decode()
        assert status(ask(opened, address, head("Authorization: Bearer x", path="/api/v1/projects") + b"\r\n")) == 503
        assert status(ask(opened, address, head() + b"\r\n")) == 200
        assert status(ask(opened, address, head(authorized("dev"), path="/api/v1/projects") + b"\r\n")) == 200


def test_beyond_the_reserve_and_beyond_an_addresss_share_it_is_said(world: World) -> None:
    world.user("dev", admin=True)
    with serving(application(world), replace(FEW, connections=1, reserve=1)) as address, ExitStack() as opened:
        for _ in range(2):
            following(opened, address)
        assert status(answer(sending(opened, address, b""))) == 503
    with serving(application(world), replace(FEW, connections_per_address=2)) as address, ExitStack() as opened:
        for _ in range(2):
            following(opened, address)
        said = answer(sending(opened, address, b""))
        assert (status(said), b"Your address has 2 connections already" in said) == (429, True)


def test_a_user_follows_so_much_and_no_more(world: World) -> None:
    world.user("dev", admin=True)
    world.user("other", admin=True)
    with bare(world, replace(USUAL, connections=4, streams_per_user=2)) as (opened, address):
        for _ in range(2):
            following(opened, address)
        wanted = head("Accept: */*", path="/api/v1/changes")
        assert status(ask(opened, address, wanted + f"{authorized('dev')}\r\n\r\n".encode())) == 429
        with httpx.Client(base_url=address, headers=token("other")) as other:
            with other.stream("GET", "/api/v1/changes") as first:
                assert first.status_code == 200
                assert status(ask(opened, address, wanted + f"{authorized('other')}\r\n\r\n".encode())) == 503
            assert other.get("/api/v1/projects").status_code == 200
