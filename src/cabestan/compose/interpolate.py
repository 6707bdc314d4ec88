"""Variables in Compose files: `$X ${X} ${X:-d} ${X-d} ${X:?m} ${X?m} ${X:+a} ${X+a}`, nested; `$$` is `$`.

The Compose specification's forms. `docker stack` knows neither `+` nor nesting. For all that both know, the
results are the same but for four slips of Docker's reader: `${A-b:-c}` is a variable `A-b` to it, `$A-b` one
with a default, `$$` in a default stays as it is, and a lone `$` may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from cabestan.errors import Invalid

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPERATOR = re.compile(r":?[-?+]")
_PLAIN = re.compile(r"[^$}]+|\}")
_PLAIN_INSIDE = re.compile(r"[^$}]+")
_DEEPEST = 10
#: characters that one value may become
LONGEST_VALUE = 64 * 1024


class InterpolationRefused(Invalid):
    """A form that does not exist, or a required variable that is missing; `offset` counts from 0."""

    code = "interpolation"

    def __init__(self, message: str, remedy: str, offset: int) -> None:
        super().__init__(message, remedy)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Expansion:
    """The text, and the variables that were asked for, are not set and have no default.

    `asked` are all without a default, set or not, each with the words of `${NAME:?words}` where it is required.
    """

    text: str
    unset: tuple[str, ...]
    asked: Mapping[str, str | None] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class _Reference:
    """`${name operator word}`; the operator is empty where there is none."""

    name: str
    operator: str
    word: tuple[_Part, ...]
    offset: int


_Part = str | _Reference


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables filled in; unset ones are empty. Raises InterpolationRefused."""
    return expand(text, variables).text


def expand(text: str, variables: Mapping[str, str]) -> Expansion:
    """As `interpolate`, and tells which variables were missing."""
    evaluation = _Evaluation(variables)
    return Expansion(evaluation.text(_Parser(text).template()), tuple(evaluation.unset), evaluation.asked)


class _Parser:
    """Reads a template whole, so that a malformed form is refused even where it is not used."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def template(self, depth: int = 0) -> tuple[_Part, ...]:
        """The parts up to the end, or inside braces (depth > 0) up to the brace that closes."""
        plain = _PLAIN_INSIDE if depth else _PLAIN
        parts: list[_Part] = []
        while self._at < len(self._text):
            if found := plain.match(self._text, self._at):
                parts.append(found[0])
                self._at = found.end()
            elif self._text[self._at] == "}":
                break
            else:
                parts.append(self._dollar(depth))
        return tuple(parts)

    def _dollar(self, depth: int) -> _Part:
        start = self._at
        self._at += 1
        if self._text.startswith("$", self._at):
            self._at += 1
            return "$"
        if self._text.startswith("{", self._at):
            self._at += 1
            return self._braced(start, depth + 1)
        return _Reference(self._name(start), "", (), start)

    def _braced(self, start: int, depth: int) -> _Reference:
        if depth > _DEEPEST:
            raise InterpolationRefused(f"More than {_DEEPEST} variables in one another.", "Make it simpler.", start)
        name = self._name(start)
        operator = ""
        word: tuple[_Part, ...] = ()
        if found := _OPERATOR.match(self._text, self._at):
            operator = found[0]
            self._at = found.end()
            word = self.template(depth)
        if not self._text.startswith("}", self._at):
            self._refuse(start)
        self._at += 1
        return _Reference(name, operator, word, start)

    def _name(self, start: int) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            self._refuse(start)
        self._at = found.end()
        return found[0]

    def _refuse(self, start: int) -> NoReturn:
        form = self._text[start : start + 20]
        message = f"{form!r} at character {start + 1} is no variable."
        raise InterpolationRefused(message, "Write ${NAME}, or $$ for a dollar sign.", start)


class _Evaluation:
    """Fills in a template; only the branch that is used is evaluated."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.unset: dict[str, None] = {}
        self.asked: dict[str, str | None] = {}

    def text(self, parts: tuple[_Part, ...]) -> str:
        pieces: list[str] = []
        length = 0
        for part in parts:
            piece = part if isinstance(part, str) else self._value(part)
            length += len(piece)
            if length > LONGEST_VALUE:
                message = f"The value grows over {LONGEST_VALUE} characters."
                raise InterpolationRefused(message, "Use fewer or shorter variables.", 0)
            pieces.append(piece)
        return "".join(pieces)

    def _value(self, reference: _Reference) -> str:
        value = self._variables.get(reference.name)
        given = value is not None and (value != "" or not reference.operator.startswith(":"))
        if not reference.operator:
            self.asked.setdefault(reference.name, None)
        match reference.operator[-1:]:
            case "-":
                return value if given and value is not None else self.text(reference.word)
            case "+":
                return self.text(reference.word) if given else ""
            case "?":
                self.asked[reference.name] = "".join(part for part in reference.word if isinstance(part, str))
                if not given:
                    self._missing(reference)
        if value is None:
            self.unset[reference.name] = None
        return value or ""

    def _missing(self, reference: _Reference) -> NoReturn:
        why = self.text(reference.word)
        message = f"The variable {reference.name} is required" + (f": {why}." if why else ".")
        raise InterpolationRefused(message, f"Set {reference.name} for this environment.", reference.offset)
