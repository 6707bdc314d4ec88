from __future__ import annotations

import json
import re

import pytest

from cabestan.errors import Invalid
from cabestan.web.front import texts


@pytest.mark.parametrize("path", [b"/a%00b", b"/%ff", b"/%ed%a0%80", b"/\xff"])
def test_a_path_that_is_no_text_is_refused(path: bytes) -> None:
    with pytest.raises(Invalid, match="The address is not text"):
        texts.check_path(path)


def test_every_other_path_is_taken() -> None:
    for path in (b"/", b"/a%20b", "/grüße".encode(), b"/gr%c3%bc%c3%9fe", b"/%", b"/%zz", b"/%F0%9F%8E%89"):
        texts.check_path(path)


@pytest.mark.parametrize("value", [b"%00", b"%ff", b"x%ed%a0%80", b"\xff", b"%ED%BF%BF"])
def test_a_parameter_that_is_no_text_is_named(value: bytes) -> None:
    with pytest.raises(Invalid, match="The parameter q is not text"):
        texts.check_pairs(b"a=b&q=" + value, 9, "parameter")
    with pytest.raises(Invalid, match=r"The field x.+ is not text"):
        texts.check_pairs(b"a=b&x" + value + b"=1", 9, "field")


def test_pairs_of_text_are_taken_and_no_more_than_the_bound() -> None:
    texts.check_pairs("a=ü+ö&b=%c3%bc&&c".encode(), 4, "field")
    texts.check_pairs(b"", 1, "field")
    with pytest.raises(Invalid, match=r"There are too many fields\. At most 4 are taken."):
        texts.check_pairs(b"a=1&" * 4, 4, "field")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"a": "\\ud800"}', "a"),
        ('{"a": {"b": [1, "x", "\\udfff y"]}}', "a.b.2"),
        ('{"a": 1, "b\\u0000": "x"}', "b\N{REPLACEMENT CHARACTER}"),
        ('{"a": "\x00"}', "a"),
        ('["\\uDB7F"]', "0"),
    ],
)
def test_a_field_of_json_that_is_no_text_is_named(body: str, field: str) -> None:
    with pytest.raises(Invalid, match=f"The field {re.escape(field)} is not text"):
        texts.check_json(body.encode(), 32)


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}'])
def test_bytes_that_are_not_utf_8_are_named_by_their_field(body: bytes) -> None:
    with pytest.raises(Invalid, match="The field a is not text"):
        texts.check_json(body, 32)


@pytest.mark.parametrize("body", [b'"\\ud800"', b"\xff", b"\xff\xfe\x00", b'x "\\ud800'])
def test_what_has_no_fields_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Invalid, match="body is"):
        texts.check_json(body, 32)


def test_text_is_taken_also_with_pairs_of_halves() -> None:
    for value in ("🎉", "ü", "a\\u0000 written out", "\ufffd", ""):
        texts.check_json(json.dumps({"a": value}).encode(), 32)
        texts.check_json(json.dumps({"a": value}, ensure_ascii=False).encode(), 32)
    texts.check_json(b"no JSON at all", 32)


def test_json_is_nested_so_deeply_and_no_deeper() -> None:
    texts.check_json(b"[" * 32 + b"]" * 32, 32)
    texts.check_json(json.dumps([[]] * 1000).encode(), 32)
    texts.check_json(json.dumps({"a": '[[\\"' * 1000}).encode(), 32)
    for body in (b"[" * 33, b'{"a":' * 33, b'["\\\\"' * 33 + b"[", b"[" * 1_000_000):
        with pytest.raises(Invalid, match=r"nested too deeply\. At most 32"):
            texts.check_json(body, 32)


def test_a_string_without_end_is_looked_through_once() -> None:
    """From each of its quotation marks it would take minutes."""
    texts.check_json(b"[{" * 20 + b'"' + b'\\"' * 500_000, 64)
    texts.check_json(b"[" * 33 + b"]" * 33 + b'"' + b"\\\\" * 400_000 + b"\\", 64)
