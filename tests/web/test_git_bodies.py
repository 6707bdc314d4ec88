"""What a push begins with, before Git reads a byte of it."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from fastapi import Request

from cabestan.adapters.pkt_lines import FLUSH, Commands, pkt_line
from cabestan.errors import Invalid, TooLarge
from cabestan.web.git_bodies import COMMAND_LINES, PUSH_OPTIONS, Body, read_commands

REF = pkt_line(b"%s %s refs/heads/a" % (b"0" * 40, b"1" * 40))


def body(*pieces: bytes, encoding: str = "") -> Body:
    """Of a request that comes in these pieces."""
    left = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    left.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, object]:
        return left.pop(0)

    headers = [(b"content-encoding", encoding.encode())] if encoding else []
    return Body(Request({"type": "http", "method": "POST", "headers": headers}, receive))


def commands(of: Body, most: int = 500) -> tuple[bytes, Commands]:
    return asyncio.run(read_commands(of, most))


async def _rest(of: Body) -> bytes:
    return b"".join([piece async for piece in of.rest()])


def test_the_list_ends_with_its_mark_and_what_follows_is_left() -> None:
    async def read() -> tuple[bytes, Commands, bytes]:
        of = body(REF[:7], REF[7:] + FLUSH + b"PA", b"CK")
        raw, found = await read_commands(of, 500)
        return raw, found, await _rest(of)

    moved = Commands(refs=["refs/heads/a"], wanted={"refs/heads/a": "1" * 40})
    assert asyncio.run(read()) == (REF + FLUSH, moved, b"PACK")


def test_options_of_a_push_follow_its_refs_where_it_says_so() -> None:
    ref = pkt_line(b"%s %s refs/heads/a\0 push-options" % (b"0" * 40, b"1" * 40))
    options = pkt_line(b"no-follow\n") + pkt_line(b"x=y") + FLUSH

    async def read() -> tuple[bytes, list[str], bytes]:
        of = body(ref + FLUSH + options + b"PACK")
        raw, found = await read_commands(of, 500)
        return raw, found.options, await _rest(of)

    assert asyncio.run(read()) == (ref + FLUSH + options, ["no-follow", "x=y"], b"PACK")
    known = Commands()
    with pytest.raises(TooLarge, match=f"more than {PUSH_OPTIONS} options"):
        asyncio.run(read_commands(body(ref + FLUSH + pkt_line(b"x") * (PUSH_OPTIONS + 1)), 500, known))
    assert known.refs == ["refs/heads/a"]


@pytest.mark.parametrize("head", [b"0001", b"0002", b"0003", b"0004"])
def test_a_mark_that_ends_the_list_for_git_alone_is_refused(head: bytes) -> None:
    with pytest.raises(Invalid, match="not what Git sends"):
        commands(body(gzip.compress(REF + head * 150_000), encoding="gzip"))


def test_a_large_piece_is_not_copied_for_each_of_its_heads() -> None:
    """Of 64 MB, for each of a million heads."""
    heads = 1_000_000

    async def read() -> set[bytes]:
        of = body(b"0123" * (heads * 16))
        return {await of.exactly(4) for _ in range(heads)}

    assert asyncio.run(read()) == {b"0123"}


def test_a_list_of_more_lines_than_anybody_has_is_refused() -> None:
    line = pkt_line(b"x")
    raw, _ = commands(body(line * COMMAND_LINES + FLUSH))
    assert raw == line * COMMAND_LINES + FLUSH
    with pytest.raises(TooLarge, match=f"more than {COMMAND_LINES} lines"):
        commands(body(line * (COMMAND_LINES + 1) + FLUSH))
