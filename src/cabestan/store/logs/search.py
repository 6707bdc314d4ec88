"""Finding the lines of a log that hold a text, without ever having more than a chunk of it in memory."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import AnyStr

from cabestan.errors import Invalid

#: a longer text is refused (characters)
LONGEST_QUERY = 1000


@dataclass(frozen=True)
class Found:
    """What one search found."""

    #: the numbers of the lines, from 1
    lines: list[int]
    #: the byte up to which it looked, where the next search goes on; None when it came to the log's end
    next: int | None
    #: whether there is a further line in what it looked through: there are more than were asked for
    more: bool = False


def longest_match(query: str) -> int:
    """Bytes, whatever the case: a character has four at most, and stands for one of the query's at least."""
    return 4 * len(query.casefold())


def matching_lines(chunks: Iterable[bytes], query: str, *, first: int = 1, limit: int, ignore_case: bool) -> list[int]:
    """The numbers of the first `limit` lines with `query` in them, where the chunks begin in line `first`.

    Raises Invalid for an unusable query.
    """
    if not query or len(query) > LONGEST_QUERY or "\n" in query:
        raise Invalid(
            "The text to search for is empty, too long or of several lines.", "Search for a part of one line."
        )
    if ignore_case and not query.isascii():
        return _first(_matches(_folded(chunks), query.casefold(), "\n", first), limit)
    if ignore_case:
        return _first(_matches((chunk.lower() for chunk in chunks), query.lower().encode(), b"\n", first), limit)
    return _first(_matches(chunks, query.encode("utf-8", "surrogateescape"), b"\n", first), limit)


def _first(numbers: Iterator[int], limit: int) -> list[int]:
    return [number for number, _ in zip(numbers, range(limit), strict=False)]


def _folded(chunks: Iterable[bytes]) -> Iterator[str]:
    decode: Callable[[bytes], str] = getincrementaldecoder("utf-8")("replace").decode
    return (decode(chunk).casefold() for chunk in chunks)


def _matches(chunks: Iterable[AnyStr], query: AnyStr, line_end: AnyStr, number: int) -> Iterator[int]:
    found, tail = 0, query[:0]
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
