"""Finding the lines of a log that hold a text, without ever having more than a chunk of it in memory."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import AnyStr

from cabestan.errors import Invalid

#: a longer text is refused (characters)
LONGEST_QUERY = 1000


def matching_lines(chunks: Iterable[bytes], query: str, *, limit: int, ignore_case: bool) -> list[int]:
    """The numbers, from 1, of the first `limit` lines with `query` in them. Raises Invalid for an unusable
    query.
    """
    if not query or len(query) > LONGEST_QUERY or "\n" in query:
        raise Invalid(
            "The text to search for is empty, too long or of several lines.", "Search for a part of one line."
        )
    if ignore_case and not query.isascii():
        return _first(_matches(_folded(chunks), query.casefold(), "\n"), limit)
    if ignore_case:
        return _first(_matches((chunk.lower() for chunk in chunks), query.lower().encode(), b"\n"), limit)
    return _first(_matches(chunks, query.encode("utf-8", "surrogateescape"), b"\n"), limit)


def _first(numbers: Iterator[int], limit: int) -> list[int]:
    return [number for number, _ in zip(numbers, range(limit), strict=False)]


def _folded(chunks: Iterable[bytes]) -> Iterator[str]:
    decode: Callable[[bytes], str] = getincrementaldecoder("utf-8")("replace").decode
    return (decode(chunk).casefold() for chunk in chunks)


def _matches(chunks: Iterable[AnyStr], query: AnyStr, line_end: AnyStr) -> Iterator[int]:
    number, found, tail = 1, 0, query[:0]
    for chunk in chunks:
        data = tail + chunk
        counted = 0
        at = data.find(query)
        while at >= 0:
            number += data.count(line_end, counted, at)
            counted = at
            if number != found:
                yield number
            found = number
            next_line = data.find(line_end, at)
            at = data.find(query, next_line) if next_line >= 0 else -1
        keep = max(counted, len(data) - len(query) + 1)
        number += data.count(line_end, counted, keep)
        tail = data[keep:]
