"""What of a log reaches a terminal."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.cli.terminal_text import TerminalText

SGR = re.compile("\x1b\\[[0-9:;]*m")
#: what a terminal may get beside colours
HARMLESS = re.compile("[^\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*")
#: what sequences are made of, and what ends them
PARTS = st.sampled_from(
    ["\x1b", "[", "]", "P", "\\", "\x07", "\x9b", "\x9d", "\x9c", "0", ";", "?", " ", "m", "J", "a", "é", "\n", "\x18"]
)
TEXTS = st.lists(PARTS | st.text(max_size=3), max_size=40).map("".join)


def shown(*blocks: bytes) -> str:
    text = TerminalText()
    return "".join(map(text.feed, blocks))


@pytest.mark.parametrize(
    ("log", "kept"),
    [
        ("grün → 😀\r50 %\b\t!\r\n", "grün → 😀\r50 %\b\t!\r\n"),
        ("\x1b[1;31mred\x1b[0m\x1b[38:5:9mx\x1b[m", "\x1b[1;31mred\x1b[0m\x1b[38:5:9mx\x1b[m"),
        ("a\x9b31mb", "a\x1b[31mb"),
        ("a\x1b[2J\x1b[H\x1b[6n\x1b[?1049h\x1b[!pb", "ab"),
        ("a\x1b[>4;1m\x1b[?4m\x1b[1 mb", "ab"),
        ("a\x1b]0;title\x07b\x1b]52;c;aGk=\x1b\\c\x9d0;title\x9cd", "abcd"),
        ("a\x1bP$qm\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e\x1bktitle\x1b\\f\x90x\x9cg", "abcdefg"),
        ("a\x1bc\x1b(0\x1b#8\x1b7b\x84\x85c", "abc"),
        ("a\x00\x07\x0b\x0c\x0e\x1a\x7fb\u202ec\u2066d", "ab[U+202E]c[U+2066]d"),
        ("a\x1b]never ended\nb\x1b]cut off\x18c\x1b]and\x1b[31md", "a\nbc\x1b[31md"),
        ("a\x1b[12éb\x1b[31\nc", "aéb\nc"),
        ("a\x1b[" + "1" * 61 + "mb", "ab"),
        ("a\x1b", "a"),
    ],
)
def test_colours_and_printable_text_alone_reach_a_terminal(log: str, kept: str) -> None:
    assert shown(log.encode()) == kept
    assert shown(*(bytes([byte]) for byte in log.encode())) == kept


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert shown(b"a\x9b2J\xffb\xe2\x82") == "a\ufffd2J\ufffdb"


@given(TEXTS)
def test_nothing_else_is_ever_left(log: str) -> None:
    assert HARMLESS.fullmatch(SGR.sub("", shown(log.encode())))


@given(TEXTS, st.lists(st.integers(0, 100)))
def test_it_does_not_matter_where_blocks_are_cut(log: str, cuts: list[int]) -> None:
    whole = log.encode()
    places = sorted({min(cut, len(whole)) for cut in (0, *cuts)} | {len(whole)})
    assert shown(*(whole[a:b] for a, b in pairwise(places))) == shown(whole)


def test_what_is_kept_of_text_that_never_ends_stays_small() -> None:
    for beginning in ("\x1b]", "\x1b[", "\x1b("):
        text = TerminalText()
        text.feed(beginning.encode())
        for _ in range(100):
            assert text.feed(b"0" * 1000 if beginning == "\x1b]" else b" " * 1000) == ""
        assert len(vars(text)["_open"]) <= 64
        assert text.feed(b"m\n").endswith("\n")


@pytest.mark.parametrize(
    ("log", "end"), [("a", ""), ("\x1b[8ma", "\x1b[0m"), ("\x1b[8ma\x1b[0m", ""), ("\x1b[8ma\x1b[m", "")]
)
def test_a_colour_does_not_outlast_the_log(log: str, end: str) -> None:
    text = TerminalText()
    text.feed(log.encode())
    assert text.end() == end
