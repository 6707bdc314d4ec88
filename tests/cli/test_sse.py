"""Parsing server-sent events."""

import json

import pytest

from cabestan.cli.sse import Event, EventParser

STREAM = (
    'id: 9\nevent: log\ndata: {"offset": 0, "text": "ö → 😀"}\n\n: still here\n\nevent: end\ndata: {"a":\ndata: 1}\n\n'
).encode()
EVENTS = [
    Event(b"log", b"9", '{"offset": 0, "text": "ö → 😀"}'.encode()),
    Event(b"end", b"", b'{"a":\n1}'),
]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_come_out_whole_wherever_the_stream_was_cut(size: int, line_end: bytes) -> None:
    stream = STREAM.replace(b"\n", line_end)
    parser = EventParser()
    blocks = [stream[start : start + size] for start in range(0, len(stream), size)]
    found = [event for block in blocks for event in parser.feed(block)]
    if line_end == b"\r":  # a last \r may yet be the first half of \r\n
        found += parser.feed(b"\n")
    assert found == EVENTS


def test_an_event_without_its_empty_line_does_not_come_out() -> None:
    assert list(EventParser().feed(STREAM[:-1])) == EVENTS[:1]


def test_many_large_events_are_parsed_whole() -> None:
    text = ("x" * 89 + "\n") * 700
    event = f"id: 1\nevent: log\ndata: {json.dumps({'offset': 0, 'text': text})}\n\n".encode()
    stream = event * 300
    parser, lines = EventParser(), 0
    for start in range(0, len(stream), 65536):
        for found in parser.feed(stream[start : start + 65536]):
            lines += json.loads(found.data)["text"].count("\n")
    assert lines == 210_000
