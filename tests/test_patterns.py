"""No pattern of ours may take one text apart in ways that double with each character, which hangs whoever asks it."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import cabestan

_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_ALL = frozenset(range(256))
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.walk_packages(cabestan.__path__, "cabestan."):
        if not re.search(r"__main__$|\.migrations\.", module.name):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{module.name}.{name}", value


def _one(code: Any, value: Any) -> frozenset[int]:
    """The characters, of the first 256, that an element of one character takes."""
    if code is sre.LITERAL:
        return frozenset({value}) & _ALL
    if code is sre.NOT_LITERAL:
        return _ALL - {value}
    if code is sre.ANY:
        return _ALL
    if code is sre.RANGE:
        return frozenset(range(value[0], value[1] + 1)) & _ALL
    if code is sre.CATEGORY:
        return frozenset(n for n in _ALL if re.match(_CATEGORIES[value], chr(n)))
    found = frozenset[int]().union(*(_one(*part) for part in value if part[0] is not sre.NEGATE))
    return _ALL - found if value[0][0] is sre.NEGATE else found


def _inner(code: Any, value: Any) -> list[Any]:
    """The sequences within an element; none within one of one character."""
    if code in _REPEATS or code is sre.POSSESSIVE_REPEAT:
        return [value[2]]
    if code is sre.SUBPATTERN:
        return [value[3]]
    if code is sre.ATOMIC_GROUP:
        return [value]
    return list(value[1]) if code is sre.BRANCH else []


def _may_be_empty(items: Any) -> bool:
    return all(_is_optional(*item) for item in items)


def _is_optional(code: Any, value: Any) -> bool:
    if code in _REPEATS or code is sre.POSSESSIVE_REPEAT:
        return value[0] == 0 or _may_be_empty(value[2])
    if code in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
        return True
    return any(_may_be_empty(inner) for inner in _inner(code, value))


def _edge(items: Any, *, at_end: bool) -> Iterator[tuple[Any, Any]]:
    """The elements with which it may begin, or end."""
    for item in reversed(items) if at_end else items:
        yield item
        if not _is_optional(*item):
            return


def _first(items: Any) -> frozenset[int]:
    """The characters with which it may begin."""
    found = frozenset[int]()
    for code, value in _edge(items, at_end=False):
        inner = _inner(code, value)
        if inner:
            found = found.union(*(_first(one) for one in inner))
        elif code not in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            found |= _ALL if code in (sre.GROUPREF, sre.GROUPREF_EXISTS) else _one(code, value)
    return found


def _endless_at_end(items: Any) -> Iterator[Any]:
    """What is repeated without end, and may be the last of the sequence."""
    for code, value in _edge(items, at_end=True):
        if code in _REPEATS and value[1] is sre.MAXREPEAT:
            yield value[2]
        for inner in _inner(code, value):
            yield from _endless_at_end(inner)


def _doubles(items: Any) -> bool:
    """Whether a repetition has in it another one, at its end, that could take what the next round begins with."""
    for code, value in items:
        if code in _REPEATS and value[1] is sre.MAXREPEAT:
            begins = _first(value[2])
            if any(begins & _first(last) for last in _endless_at_end(value[2])):
                return True
        if any(_doubles(inner) for inner in _inner(code, value)):
            return True
    return False


def doubles(pattern: str, flags: int = 0) -> bool:
    return _doubles(parser.parse(pattern, flags))


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        (r"(?:[:@][\w.:-]+)*", True),
        (r"(a+)+", True),
        (r"(?:a*b?)*", True),
        (r"(?:x(?:a|b+))*", False),
        (r"(?:,[a-z]+)*", False),
        (r"(?:[a-z]+\.)*[a-z]+", False),
        (r"(?:\s*x\s*)*", True),
    ],
)
def test_patterns_are_told_apart(pattern: str, wrong: bool) -> None:
    assert doubles(pattern) == wrong


def test_no_pattern_doubles_its_work_with_each_character() -> None:
    found = dict(_patterns())
    assert len(found) > 100
    assert [name for name, pattern in found.items() if doubles(pattern.pattern, pattern.flags & re.VERBOSE)] == []
