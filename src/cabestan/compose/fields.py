"""Typed reading of single values: each function gives the value, or reports why not and gives nothing.

What interpolation produced is always text, so numbers and truth values are taken from text as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from cabestan.compose.findings import Report
from cabestan.compose.nodes import Field, Items, Scalar, Table
from cabestan.compose.policy import Keys, check_keys
from cabestan.compose.scalars import number_text
from cabestan.compose.words import split_words

_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:h|ms|us|m|s))+", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?[ ]?(?:[kmgKMG]?[bB]?)", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)


def wrong(report: Report, field: Field, wanted: str, remedy: str = "") -> None:
    """Reports a value of the wrong kind."""
    name = field.path.rpartition(".")[2]
    if field.empty:
        message = f"{name} has no value; it must be {wanted}."
        report.error("no-value", field.spot, message, remedy or "Give it a value, or remove it.")
    else:
        report.error("wrong-type", field.spot, f"{name} must be {wanted}.", remedy or "Correct it.")


def table(report: Report, field: Field, keys: Keys | None = None) -> bool:
    """Whether the field is a mapping; reports it if not, and the keys that the level does not allow."""
    if not isinstance(field.node, Table):
        wrong(report, field, "a mapping")
        return False
    if keys is not None:
        check_keys(report, field, keys)
    return True


def entries(report: Report, field: Field | None) -> Iterator[tuple[str, Field]]:
    """Those of a mapping that may be missing or empty; reports what is no mapping."""
    if field is not None and not field.empty and table(report, field):
        yield from field.entries()


def text(report: Report, field: Field) -> str | None:
    """Text that is not empty. Numbers are refused, as Docker does: quotes keep them as they are."""
    value = field.value
    if isinstance(value, str) and value:
        return value
    if value == "" and isinstance(field.node, Scalar) and field.node.written:
        name = field.path.rpartition(".")[2]
        message = f"{name} is {field.node.written[:80]}, which is empty here."
        remedy = "Set the variable for the environment, or give it a default as in ${NAME:-default}."
        report.error("no-value", field.spot, message, remedy)
        return None
    is_other = isinstance(field.node, Scalar) and not field.empty and value != ""
    wrong(report, field, "text", "Put it in quotes." if is_other else "")
    return None


def matching(report: Report, field: Field, pattern: re.Pattern[str], wanted: str) -> str | None:
    value = text(report, field)
    if value is not None and not pattern.fullmatch(value):
        report.error("wrong-value", field.spot, f"{value[:80]!r} is not {wanted}.", f"Write {wanted}.")
        return None
    return value


def duration(report: Report, field: Field) -> str | None:
    """A duration in Docker's words. A bare number is none: nobody can tell its unit."""
    if _DIGITS.fullmatch(field.text):
        remedy = f"Write {field.text}s for seconds, or another of h, m, ms."
        report.error("wrong-value", field.spot, f"{field.text} has no unit.", remedy)
        return None
    return matching(report, field, _DURATION, "a duration such as 1m30s (units h, m, s, ms, us)")


def size(report: Report, field: Field) -> str | None:
    """A number of bytes with an optional unit, as text: `50M`."""
    value = field.value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    return matching(report, field, _SIZE, "a size such as 50M (units b, k, m, g)")


def choice(report: Report, field: Field, allowed: Collection[str]) -> str | None:
    value = text(report, field)
    if value is not None and value not in allowed:
        words = ", ".join(allowed)
        report.error("wrong-value", field.spot, f"{value[:80]!r} is not one of {words}.", "Write one of them.")
        return None
    return value


def flag(report: Report, field: Field) -> bool | None:
    value = field.value
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    wrong(report, field, "true or false")
    return None


def integer(report: Report, field: Field, least: int, most: int) -> int | None:
    value = field.value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    wrong(report, field, f"a number from {least} to {most}")
    return None


def members(report: Report, field: Field) -> tuple[Field, ...]:
    """The members of a list; reports what is no list."""
    if not isinstance(field.node, Items):
        wrong(report, field, "a list")
    return tuple(field.items())


def words(report: Report, field: Field) -> tuple[str, ...]:
    """A command: a list of words, or a line that is split. Nothing where the image's own is kept."""
    if isinstance(field.node, Items):
        return tuple(word for item in field.items() if (word := _word(report, item)) is not None)
    if field.empty:
        return ()
    value = field.value
    if not isinstance(value, str):
        wrong(report, field, "text or a list of words", "Put it in quotes.")
        return ()
    try:
        return split_words(value)
    except ValueError as error:
        report.error("bad-command", field.spot, f"The command cannot be split: {error}.", "Write it as a list.")
        return ()


def _word(report: Report, item: Field) -> str | None:
    value = item.value
    if isinstance(value, str):
        return value
    wrong(report, item, "text", "Put it in quotes.")
    return None


def pairs(report: Report, field: Field) -> dict[str, tuple[str | None, Field]]:
    """Names with values from a mapping or a list of `name=value`; None where there is no value."""
    if isinstance(field.node, Table):
        return {key: (_pair_value(report, value), value) for key, value in field.entries()}
    found: dict[str, tuple[str | None, Field]] = {}
    for item in members(report, field):
        line = text(report, item)
        if line is None:
            continue
        name, equals, value = line.partition("=")
        if name in found:
            report.warn("given-twice", item.spot, f"{name} is given twice; the last one wins.", "Keep one.")
        found[name] = (value if equals else None, item)
    return found


def _pair_value(report: Report, field: Field) -> str | None:
    """A single value as the text that a container gets; None for an empty one."""
    if not isinstance(field.node, Scalar):
        wrong(report, field, "a single value")
        return None
    value = field.value
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value != value or value in (float("inf"), float("-inf")):
        wrong(report, field, "a number that has digits", "Put it in quotes.")
        return None
    result = number_text(value)
    if result != field.text:
        message = f"{field.text} is read as the number {result}."
        report.warn("number-rewritten", field.spot, message, f'Write "{field.text}" to keep it as it is.')
    return result
