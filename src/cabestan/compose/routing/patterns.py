"""Regular expressions as the router reads them (RE2, which takes linear time), and Traefik 1's `{name:regex}`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 1000
_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def check_pattern(pattern: str) -> None:
    """Raises ValueError, in the words of RE2, for what is no regular expression."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"it has more than {LONGEST_PATTERN} characters")
    _compiled(pattern)


def found_in(pattern: str, text: str) -> bool:
    """Whether it fits somewhere in the text."""
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        words = error.args[0] if error.args else "no regular expression"
        raise ValueError(words.decode(errors="replace") if isinstance(words, bytes) else str(words)) from error


def escaped(text: str) -> str:
    """The expression that fits this text only."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


def is_template(text: str) -> bool:
    return "{" in text or "}" in text


def from_template(template: str, default: str) -> str:
    """`/{id:[0-9]+}/a.b` as `/(?:[0-9]+)/a\\.b`, without anchors; `{id}` alone stands for `default`.

    Raises ValueError for braces that do not pair, and for a part without a name.
    """
    parts: list[str] = []
    for text, is_pattern in split_template(template):
        if not is_pattern:
            parts.append(escaped(text))
            continue
        name, colon, pattern = text.partition(":")
        if not name.strip() or (colon and not pattern):
            raise ValueError(f"{{{text}}} is not of the form {{name:regex}}")
        parts.append(f"(?:{pattern or default})")
    return "".join(parts)


def split_template(template: str) -> list[tuple[str, bool]]:
    """Text and patterns in turn, the latter without their outer braces; raises ValueError where braces do not pair."""
    parts: list[tuple[str, bool]] = []
    depth = start = 0
    for at, letter in enumerate(template):
        if letter == "{":
            depth += 1
            if depth == 1:
                parts.append((template[start:at], False))
                start = at + 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                parts.append((template[start:at], True))
                start = at + 1
        if depth < 0:
            break
    if depth != 0:
        raise ValueError("its braces do not pair")
    return [part for part in (*parts, (template[start:], False)) if part[0] or part[1]]


def split_outside_braces(text: str, separator: str) -> list[str]:
    """At each separator that is not within braces: what stands between, empty parts left out."""
    parts, depth = [""], 0
    for letter in text:
        depth = max(0, depth + (letter == "{") - (letter == "}"))
        if letter == separator and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
