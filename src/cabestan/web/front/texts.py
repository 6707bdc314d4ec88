"""What is no text: half characters, NUL, bytes that are not UTF-8. Nothing of it gets past here, in whichever field."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from cabestan.errors import Invalid

_SHOWN = 100
#: in JSON, what may stand for a half character or NUL
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
#: also one that nobody ends, to the end of all: else it would be looked for from each quotation mark in it
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_REMEDY = "Send text in UTF-8, without NUL and without half characters."


def check_path(raw_path: bytes) -> None:
    """Raises Invalid."""
    if not _is_text(unquote_to_bytes(raw_path)):
        raise Invalid("The address is not text: it has NUL, or is not UTF-8.", _REMEDY)


def check_pairs(pairs: bytes, most: int, kind: str) -> None:
    """Of a form, or after the question mark of an address: `kind` is what one is called. Raises Invalid."""
    if pairs.count(b"&") >= most:
        raise Invalid(f"There are too many {kind}s.", f"At most {most} are taken.")
    for pair in pairs.replace(b"+", b" ").split(b"&"):
        name, _, value = (unquote_to_bytes(part) for part in pair.partition(b"="))
        if not (_is_text(name) and _is_text(value)):
            raise _no_text(f"{kind} {_shown(name.decode('utf-8', 'replace'))}")


def check_json(body: bytes, deepest: int) -> None:
    """What is not JSON at all is left to whoever reads it. Raises Invalid."""
    if body.count(b"[") + body.count(b"{") > deepest and _depth(body) > deepest:
        raise Invalid(
            "The JSON is nested too deeply.", f"At most {deepest} lists and objects may stand in one another."
        )
    if _is_text(body) and not _ESCAPED.search(body):
        return
    try:
        content = json.loads(body.decode("utf-8", "surrogateescape"), strict=False)
    except ValueError as error:
        raise Invalid("The body is neither JSON nor text.", _REMEDY) from error
    for field in _no_texts(content, ""):
        raise _no_text(f"field {_shown(field)}" if field else "body")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in data


def _no_texts(content: Any, at: str) -> Iterator[str]:
    """Where they stand, as `variables.0.name`."""
    match content:
        case str() if _NO_TEXT.search(content):
            yield at
        case list():
            for place, one in enumerate(content):
                yield from _no_texts(one, f"{at}.{place}")
        case dict():
            for name, one in content.items():
                inner = f"{at}.{name}"
                yield from [inner] if _NO_TEXT.search(name) else _no_texts(one, inner)


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for bracket in _BRACKETS.finditer(_STRING.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_text(place: str) -> Invalid:
    return Invalid(f"The {place} is not text: it has NUL, a half character, or is not UTF-8.", _REMEDY)


def _shown(name: str) -> str:
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", name.removeprefix("."))[:_SHOWN]
