import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.errors import Invalid
from cabestan.store.logs import LogHub, LogStore
from cabestan.web import streams
from cabestan.web.streams import EVENT_BYTES, cut, end_event, follow, log_event, start_offset


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path)


def text_of(events: list[bytes]) -> str:
    """The text, after checking that the events follow on each other."""
    text, offset = "", None
    for event in events:
        fields = dict(line.split(": ", 1) for line in event.decode().rstrip("\n").split("\n"))
        data = json.loads(fields["data"])
        if fields["event"] == "log":
            assert offset in (None, data["offset"])
            offset = int(fields["id"])
            text += data["text"]
    return text


async def collected(store: LogStore, hub: LogHub, offset: int, ended: Callable[[], str | None]) -> list[bytes]:
    return [event async for event in follow(store.reader("1"), hub, offset=offset, ended=ended)]


def test_an_event_is_an_offset_and_a_text() -> None:
    expected = 'id: 9\nevent: log\ndata: {"offset": 3, "text": "a\\u001b\\"ä\\n"}\n\n'
    assert log_event(3, 'a\x1b"ä\n'.encode()) == expected.encode()
    assert end_event("failed") == b'event: end\ndata: {"status": "failed"}\n\n'


@pytest.mark.parametrize(
    ("last_event_id", "asked", "offset"),
    [(None, None, 0), ("7", "3", 7), (None, "3", 3), ("", "3", 3), ("11", None, 10), ("9" * 18, None, 10)],
)
def test_a_follower_starts_where_it_was(last_event_id: str | None, asked: str | None, offset: int) -> None:
    assert start_offset(last_event_id, asked, size=10) == offset


@pytest.mark.parametrize("given_offset", ["-1", "x", "1.5", "1_0", " 1", "١", "9" * 19])
def test_an_offset_that_is_no_number_of_bytes_is_refused(given_offset: str) -> None:
    with pytest.raises(Invalid, match="not an offset"):
        start_offset(given_offset, None, size=10)


@given(st.text(), st.integers(0, 400), st.booleans())
def test_a_cut_is_never_inside_of_a_character(text: str, size: int, full: bool) -> None:
    data = text.encode()[:size]
    kept = cut(data, full=full, final=False)
    assert data.startswith(kept)
    kept.decode()
    assert len(data) - len(kept) <= 3 or (full and kept.endswith(b"\n"))
    if not full:
        assert cut(data, full=False, final=True) == data


def test_invalid_bytes_do_not_stop_the_stream() -> None:
    assert cut(b"ab\xff", full=False, final=False) == b"ab\xff"
    assert cut(b"ab\x80\x80\x80\x80", full=False, final=False) == b"ab\x80\x80\x80\x80"
    assert '"text": "ab\ufffd"' in log_event(0, b"ab\xff").decode()


def test_a_late_follower_gets_all_in_large_events_cut_at_line_ends(store: LogStore) -> None:
    text = "".join(f"line {n} ünï\n" for n in range(100_000))
    with store.writer("1") as writer:
        writer.feed(text.encode())
    events = asyncio.run(collected(store, LogHub(), 0, lambda: "succeeded"))
    assert text_of(events) == text
    assert events[-1] == end_event("succeeded")
    assert len(events) == len(text.encode()) // EVENT_BYTES + 2
    assert all(event.endswith(b'\\n"}\n\n') for event in events[:-1])


def test_going_on_at_any_event_gives_the_rest(store: LogStore) -> None:
    text = "".join(f"line {n}\n" for n in range(60_000))
    with store.writer("1") as writer:
        writer.feed(text.encode())
    offset = int(asyncio.run(collected(store, LogHub(), 0, lambda: "x"))[0].split(b"\n")[0][4:])
    assert text_of(asyncio.run(collected(store, LogHub(), offset, lambda: "x"))) == text[offset:]
    assert asyncio.run(collected(store, LogHub(), len(text), lambda: "x")) == [end_event("x")]


def test_a_character_is_sent_when_it_is_whole_or_the_job_over(store: LogStore) -> None:
    async def run() -> list[bytes]:
        hub, status = LogHub(), None
        with store.writer("1") as writer:
            writer.feed("a€".encode()[:-1])
            stream = follow(store.reader("1"), hub, offset=0, ended=lambda: status)
            events = [await anext(stream)]
            writer.feed("€€".encode()[2:-1])
            hub.advanced("1")
            events.append(await anext(stream))
            status = "failed"
            return events + [event async for event in stream]

    events = asyncio.run(run())
    assert [json.loads(event.split(b"data: ")[1]).get("text") for event in events] == [
        "a",
        "€",
        "\ufffd",
        None,
    ]


def test_a_silent_log_is_kept_alive(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE", 0.1)

    async def run() -> bytes:
        return await anext(follow(store.reader("1"), LogHub(), offset=0, ended=lambda: None))

    assert asyncio.run(run()) == b": still here\n\n"


def test_many_followers_share_the_work_and_get_every_line(store: LogStore) -> None:
    """200 followers of 1,000 lines/s."""
    hub, status = LogHub(), [None]

    def write() -> None:
        with store.writer("1") as writer:
            started = time.monotonic()
            for n in range(2_000):
                time.sleep(max(0.0, started + n / 1000 - time.monotonic()))
                writer.feed(b"line %d\r\n" % n)
                hub.advanced("1")
        status[0] = "succeeded"
        hub.advanced("1")

    async def one() -> int:
        lines = 0
        async for event in follow(store.reader("1"), hub, offset=0, ended=lambda: status[0]):
            if event.startswith(b"id: "):
                start, end = json.loads(event.split(b"data: ")[1])["offset"], int(event.split(b"\n")[0][4:])
                lines += event.count(b"\\n")
                assert start < end
        return lines

    async def run() -> list[int]:
        threading.Thread(target=write).start()
        return await asyncio.gather(*(one() for _ in range(200)))

    assert asyncio.run(run()) == [2_000] * 200


def test_a_slow_follower_holds_up_nobody_and_loses_nothing(store: LogStore) -> None:
    async def run() -> tuple[str, str]:
        hub, status = LogHub(), [None]
        slow = follow(store.reader("1"), hub, offset=0, ended=lambda: status[0])
        fast = asyncio.create_task(collected(store, hub, 0, lambda: status[0]))
        with store.writer("1") as writer:
            for n in range(200):
                writer.feed(f"{n}{'x' * 5000}\n".encode())
                hub.advanced("1")
                if n == 100:
                    first = await anext(slow)
                await asyncio.sleep(0.002)
        status[0] = "done"
        whole = text_of(await fast)
        return whole, text_of([first, *[event async for event in slow]])

    fast, slow = asyncio.run(run())
    assert fast == slow == "".join(f"{n}{'x' * 5000}\n" for n in range(200))


def test_a_follower_that_goes_leaves_the_others_their_events(store: LogStore) -> None:
    async def run() -> list[bytes]:
        hub, status = LogHub(), [None]
        staying = asyncio.create_task(collected(store, hub, 0, lambda: status[0]))
        leaving = [asyncio.create_task(collected(store, hub, 0, lambda: status[0])) for _ in range(5)]
        with store.writer("1") as writer:
            writer.feed(b"one\n")
            hub.advanced("1")
            for task in leaving:
                await asyncio.sleep(0.01)
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
            writer.feed(b"two\n")
        status[0] = "done"
        hub.advanced("1")
        return await staying

    assert text_of(asyncio.run(run())) == "one\ntwo\n"
