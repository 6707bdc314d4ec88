from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.unseen import UNSEEN, code_point, name_of, seen

_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_NO_WIDTH = (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x3164, 0xE0041)
_CONTROLS = (0x00, 0x07, 0x08, 0x1B, 0x7F, 0x80, 0x85, 0x9B, 0x2028, 0x2029, 0xD800)


@pytest.mark.parametrize("character", [chr(code) for code in (*_DIRECTIONS, *_NO_WIDTH, *_CONTROLS)], ids=code_point)
def test_what_is_not_seen_is_shown_by_its_code_point(character: str) -> None:
    assert seen(f"a{character}b") == f"a[{code_point(character)}]b"


@pytest.mark.parametrize(
    "text",
    [
        "Zażółć gęślą jaźń\tand\r\nmore\n",
        "שלום עולם",  # Hebrew
        "می\u200cخواهم",  # Persian, with the joiner that its spelling needs
        "क्\u200dष",  # Devanagari, alike
        "👩\u200d💻 ❤\ufe0f\u200d🔥",  # emoji that joiners make one of
        "\ufffd",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert seen(text) == text


def test_a_joiner_that_joins_nothing_is_shown() -> None:
    assert seen("pay\u200dpal \u200c") == "pay[U+200D]pal [U+200C]"


def test_a_character_is_told_by_its_name() -> None:
    assert [name_of(one) for one in ("\u202e", "\x1b")] == ["right-to-left override", "control character"]


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    left = seen(text)
    assert not UNSEEN.search(left)
    assert {c for c in left if category(c) in ("Cc", "Cs", "Zl", "Zp")} <= set("\t\n\r")
