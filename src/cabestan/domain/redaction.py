"""Keeping secret values out of text that is stored or shown.

Masked are: the value, each line of a value of several lines, its base64 form (alone or as part of a longer
text, such as `user:password`, and wrapped at 76 characters), its URL-encoded form and the one that it has
between the quotes of JSON and of Go. What cannot be masked: values (and lines of values) shorter than
`SHORTEST` characters, since they would also hide innocent text, any other coding, and the base64 characters
at both ends that hold a few bits of the value beside those of its neighbours.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator

#: shorter values are not masked (characters)
SHORTEST = 6
MASK = b"[secret]"
#: more than this many bytes are never held back, whatever a secret looks like (a value that overlaps itself)
HELD_AT_MOST = 1 << 20

Span = tuple[int, int]


class Redactor:
    """Masks the secrets in a stream of bytes, cut at any place. It has no state: what it holds back is
    given again.

    Every byte that belongs to an occurrence of a secret is masked; overlapping occurrences give one mask.
    The result does not depend on where the stream was cut.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets for form in forms_of(secret)}
        self._patterns = sorted(found, key=len, reverse=True)
        self._longest = max(map(len, self._patterns), default=1)

    def redact(self, data: bytes) -> bytes:
        """Masks a text that is whole."""
        return _masked(data, len(data), self._spans(data))

    def text(self, text: str) -> str:
        """The same for words that are to be shown."""
        return self.redact(text.encode(errors="replace")).decode(errors="replace")

    def redact_start(self, data: bytes) -> tuple[bytes, int]:
        """Masks what is certain already: (masked text, bytes of `data` used). Give the rest again, with
        what follows.
        """
        if not self._patterns:
            return data, len(data)
        spans = self._spans(data)
        end = self._certain(data, spans)
        return _masked(data, end, [span for span in spans if span[1] <= end]), end

    def _spans(self, data: bytes) -> list[Span]:
        return _merged(sorted(span for pattern in self._patterns for span in _occurrences(data, pattern)))

    def _certain(self, data: bytes, spans: list[Span]) -> int:
        """The place up to which nothing that follows can change the masking."""
        start = self._unfinished(data)
        inside = next((span for span in reversed(spans) if span[0] < start < span[1]), None)
        if inside is None:
            return start
        return inside[0] if len(data) - inside[0] <= HELD_AT_MOST else inside[1]

    def _unfinished(self, data: bytes) -> int:
        """The first place from which the rest of `data` begins a secret, or the end of `data`."""
        base = max(0, len(data) - self._longest + 1)
        tail = data[base:]
        return base + min((_overlap_start(tail, pattern) for pattern in self._patterns), default=len(tail))


def forms_of(secret: str) -> Iterator[bytes]:
    """The byte strings under which a secret can appear in a log."""
    secret = secret.replace("\r\n", "\n").strip("\n")
    if len(secret) < SHORTEST:
        return
    yield secret.encode()
    yield from (line.encode() for line in secret.split("\n") if len(line) >= SHORTEST)
    yield from (json.dumps(secret, ensure_ascii=ascii)[1:-1].encode() for ascii in (False, True))
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield urllib.parse.quote(secret).encode()
    yield from _base64_forms(secret.encode())


def _base64_forms(value: bytes) -> Iterator[bytes]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from (_base64_core(encode(bytes(shift) + value), shift, len(value)) for shift in range(3))
    wrapped = base64.encodebytes(value).splitlines()
    yield from (line for line in wrapped if len(wrapped) > 1 and len(line) >= 2 * SHORTEST)


def _base64_core(encoded: bytes, shift: int, length: int) -> bytes:
    """The characters that depend on the value alone, when `shift` other bytes stand before it in its group
    of 3.
    """
    return encoded[(0, 2, 3)[shift] : (shift + length) * 8 // 6]


def _occurrences(data: bytes, pattern: bytes) -> Iterator[Span]:
    at = data.find(pattern)
    while at >= 0:
        yield at, at + len(pattern)
        at = data.find(pattern, at + 1)


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping spans as one; those that only touch stay apart."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _masked(data: bytes, end: int, spans: list[Span]) -> bytes:
    if not spans:
        return data[:end]
    pieces, at = [], 0
    for start, stop in spans:
        pieces += [data[at:start], MASK]
        at = stop
    return b"".join([*pieces, data[at:end]])


def _overlap_start(tail: bytes, pattern: bytes) -> int:
    """Where in `tail` its longest ending that begins `pattern` (but is not all of it) starts."""
    at = tail.find(pattern[:1], max(0, len(tail) - len(pattern) + 1))
    while at >= 0 and not pattern.startswith(tail[at:]):
        at = tail.find(pattern[:1], at + 1)
    return at if at >= 0 else len(tail)
