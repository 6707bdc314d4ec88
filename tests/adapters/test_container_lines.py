"""What the engine sends of a container's log, in blocks cut anywhere, as lines with their times."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from cabestan.adapters.container_lines import (
    LONGEST_LINE,
    Lines,
    Message,
    framed_messages,
    nanoseconds,
    terminal_messages,
)
from cabestan.domain.journal import Said

_STAMP = "2026-11-30T23:13:12.{:09}Z"
_SECOND = 1_796_080_392 * 10**9


def frame(text: bytes, nano: int = 0, kind: int = 1) -> bytes:
    body = _STAMP.format(nano).encode() + b" " + text
    return struct.pack(">BxxxI", kind, len(body)) + body


def test_a_time_is_exact_to_the_nanosecond() -> None:
    assert nanoseconds(b"2026-11-30T23:13:12.123456789Z") == _SECOND + 123456789


@given(st.lists(st.tuples(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"")), st.booleans())), st.data())
def test_frames_cut_anywhere_give_the_same_messages(texts: list[tuple[bytes, bool]], data: st.DataObject) -> None:
    whole = b"".join(frame(text + b"\n", place, 2 if error else 1) for place, (text, error) in enumerate(texts))
    found, rest = [], b""
    at = 0
    while at < len(whole):
        size = data.draw(st.integers(1, len(whole)))
        messages, rest = framed_messages(rest + whole[at : at + size])
        found += messages
        at += size
    expected = [Message(_SECOND + place, error, text, True) for place, (text, error) in enumerate(texts)]
    assert (found, rest) == (expected, b"")


def test_pieces_of_a_long_line_are_put_together_for_each_kind_of_output() -> None:
    stream = frame(b"a" * 10, 1) + frame(b"err\n", 2, 2) + frame(b"b" * 10, 1) + frame(b"c\n", 3)
    messages, _ = framed_messages(stream)
    assert Lines().feed(messages) == [
        Said(_SECOND + 2, True, b"err"),
        Said(_SECOND + 1, False, b"a" * 10 + b"b" * 10 + b"c", 3),
    ]


def test_a_terminals_lines_have_their_pieces_times_taken_out() -> None:
    stamp = _STAMP.format(5).encode() + b" "
    stream = stamp + b"short\r\n" + stamp + b"x" * (16 << 10) + stamp + b"end\r\n" + stamp + b"begun"
    messages, rest = terminal_messages(stream)
    assert rest == stamp + b"begun"
    assert Lines().feed(messages) == [
        Said(_SECOND + 5, False, b"short"),
        Said(_SECOND + 5, False, b"x" * (16 << 10) + b"end", 2),
    ]


def test_a_line_that_is_too_long_is_cut_and_says_so() -> None:
    messages, _ = framed_messages(frame(b"x" * (LONGEST_LINE + 7) + b"\n"))
    (said,) = Lines().feed(messages)
    assert said.text == b"x" * LONGEST_LINE + "… (7 bytes more)".encode()


def test_what_was_begun_and_not_ended_is_a_line_at_the_end() -> None:
    lines = Lines()
    messages, _ = framed_messages(frame(b"no line end", 9))
    assert lines.feed(messages) == []
    (said,) = lines.end()
    assert (said.text, said.time) == (b"no line end", _SECOND + 9)


def test_a_trace_is_told_from_what_follows_it() -> None:
    stream = b"".join(map(frame, (b"boom\n", b"  at one\n", b"next\n")))
    assert [said.continued for said in Lines().feed(framed_messages(stream)[0])] == [False, True, False]
