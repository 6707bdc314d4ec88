import base64
import itertools
import json
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.redaction import HELD_AT_MOST, MASK, Redactor, forms_of

SECRET = "tr0ub4dor&3 horse"


def naive(secrets: list[str], data: bytes) -> bytes:
    """Marks every byte of every occurrence, and where an occurrence goes on beyond a byte."""
    covered, joined = bytearray(len(data)), bytearray(len(data) + 1)
    for form in {form for secret in secrets for form in forms_of(secret)}:
        for found in re.finditer(b"(?=%s)" % re.escape(form), data, re.DOTALL):
            start, end = found.start(), found.start() + len(form)
            covered[start:end] = b"\1" * len(form)
            joined[start + 1 : end] = b"\1" * (len(form) - 1)
    out = bytearray()
    for at, byte in enumerate(data):
        if not covered[at]:
            out.append(byte)
        elif not joined[at]:
            out += MASK
    return bytes(out)


def streamed(redactor: Redactor, blocks: list[bytes]) -> bytes:
    out, pending = b"", b""
    for block in blocks:
        shown, used = redactor.redact_start(pending + block)
        pending = (pending + block)[used:]
        out += shown
    return out + redactor.redact(pending)


def blocks_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (SECRET, "[secret]"),
        (f"a {SECRET}{SECRET} b", "a [secret][secret] b"),
        (urllib.parse.quote(SECRET), "[secret]"),
        (urllib.parse.quote(SECRET, safe=""), "[secret]"),
        (urllib.parse.quote_plus(SECRET), "[secret]"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_each_form_of_a_secret_is_masked(printed: str, shown: str) -> None:
    assert Redactor([SECRET]).redact(printed.encode()) == shown.encode()


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_inside_of_base64_is_masked(user: str, encode) -> None:
    secret = "päß-wörd-ÿÿÿ>>>???"
    shown = Redactor([secret]).redact(b"Basic " + encode((user + secret).encode() + b" end"))
    assert MASK in shown
    assert len(shown) < len(b"Basic " + MASK) + len(encode(user.encode())) + 12


def test_base64_wrapped_over_lines_is_masked() -> None:
    secret = "".join(chr(33 + n % 90) for n in range(200))
    shown = Redactor([secret]).redact(base64.encodebytes(secret.encode()))
    assert shown == b"[secret]\n[secret]\n[secret]\n[secret]\n"


def test_each_line_of_a_secret_of_several_lines_is_masked() -> None:
    secret = "-----BEGIN KEY-----\r\nabcdefgh\r\nxyz\r\n-----END KEY-----\r\n"
    redactor = Redactor([secret])
    assert redactor.redact(b"key: abcdefgh, xyz\n") == b"key: [secret], xyz\n"
    assert redactor.redact(b"> -----BEGIN KEY-----\nabcdefgh\nxyz\n-----END KEY-----\n") == b"> [secret]\n"


@pytest.mark.parametrize("secret", ['with "quotes" and \\', "line one\nline two", 'braces {{"{{"}}', "h\u00f6rnchen"])
def test_a_secret_between_quotes_is_masked(secret: str) -> None:
    """As programs write it that quote what they were given."""
    for printed in (json.dumps({"said": secret}), json.dumps({"said": secret}, ensure_ascii=False)):
        assert Redactor([secret]).text(printed) == '{"said": "[secret]"}'


def test_values_too_short_to_be_secret_are_left_alone() -> None:
    assert Redactor(["", "12345", "\n"]).redact(b"12345 \n") == b"12345 \n"


def test_only_what_may_begin_a_secret_is_held_back() -> None:
    redactor = Redactor(["password123"])
    assert redactor.redact_start(b"Enter the pass") == (b"Enter the ", 10)
    assert redactor.redact_start(b"pass: ") == (b"pass: ", 6)
    assert redactor.redact_start(b"password123") == (MASK, 11)
    assert redactor.redact_start(b"password123pa") == (MASK, 11)


def test_a_secret_that_overlaps_itself_does_not_hold_back_for_ever() -> None:
    data = b"abcabcab" * ((HELD_AT_MOST + 16) // 8)
    shown, used = Redactor(["abcabcabc", "cabcababca"]).redact_start(data)
    assert used > HELD_AT_MOST / 2
    assert len(shown) < used


alphabet = st.sampled_from("ab\nc")
secrets_of = st.lists(st.text(alphabet, min_size=6, max_size=9), max_size=4)


@given(secrets_of, st.data())
def test_the_result_does_not_depend_on_where_the_stream_is_cut(secrets: list[str], data: st.DataObject) -> None:
    parts = st.one_of(st.text(alphabet, max_size=6), st.sampled_from(secrets or ["x"]))
    text = "".join(data.draw(st.lists(parts, max_size=12))).encode()
    blocks = blocks_of(text, data.draw(st.lists(st.integers(0, 1000), max_size=20)))
    redactor = Redactor(secrets)
    assert streamed(redactor, blocks) == redactor.redact(text) == naive(secrets, text)


@given(st.text(min_size=6), st.text(), st.text(), st.lists(st.integers(0, 10_000), max_size=8))
def test_no_secret_ever_comes_through(secret: str, before: str, after: str, cuts: list[int]) -> None:
    redactor = Redactor([secret])
    for form in forms_of(secret):
        text = before.encode() + form + after.encode()
        assert streamed(redactor, blocks_of(text, cuts)) == naive([secret], text)
