"""What a plain YAML scalar means to Docker: the rules of go-yaml, measured with `docker stack config`.

`yes`, `no`, `on`, `off` are text; `017`, `0o17` and `1_5` are the number 15; `1.50` is the number 1.5. One
intended difference: Docker turns dates into `2020-01-01 00:00:00 +0000 UTC`, here they stay as written.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from cabestan.compose.nodes import Value

_NAMES: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[oO](?P<oct>[0-7]+)|0[bB](?P<bin>[01]+)"
    r"|0(?P<old>[0-7]+)|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII,
)
_BASES = {"hex": 16, "oct": 8, "bin": 2, "old": 8, "dec": 10}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LOOSE_UNDERSCORE = re.compile(r"(?<![0-9])_|_(?![0-9])", re.ASCII)
#: longer digits are text to everybody; the bound keeps conversion cheap
_LONGEST_NUMBER = 400


def resolve(text: str) -> Value:
    """The value of a plain scalar."""
    if text in _NAMES:
        return _NAMES[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if text[0] == "." and _LOOSE_UNDERSCORE.search(text):
        return text
    plain = text.replace("_", "")
    integer = _integer(plain)
    return _float(plain, text) if integer is None else integer


def _integer(plain: str) -> int | None:
    found = _INTEGER.fullmatch(plain)
    if found is None:
        return None
    kind = found.lastgroup or "dec"
    number = int(found[kind], _BASES[kind]) * (-1 if found["sign"] == "-" else 1)
    return number if -(2**63) <= number < 2**64 else None


def _float(plain: str, text: str) -> float | str:
    if not _FLOAT.fullmatch(plain):
        return text
    number = float(plain)
    return number if math.isfinite(number) else text


def number_text(number: int | float) -> str:
    """The number as Docker writes it where text is wanted: 1.50 is `1.5`, 1e6 is `1e+06`."""
    if isinstance(number, int):
        return str(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int), "infinities are refused where they are read"
    power = len(digits) + exponent - 1
    if number == 0 or -4 <= power < 6:
        return _positional(number)
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _positional(number: float) -> str:
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
