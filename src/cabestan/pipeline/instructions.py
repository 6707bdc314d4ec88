"""The instructions of a Dockerfile with their lines, and which of them hold for the image that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_BYTE_ORDER_MARK = "\ufeff"
_HERE_DOCUMENT = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*")
#: a comment of another form ends them
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
#: characters that may join lines, the usual one first
ESCAPES = ("\\", "`")
#: what may stand behind one of them; other spaces are none to BuildKit
_BLANKS = " \t"
#: the instructions whose text may go on in a here-document
_WITH_TEXT = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """`word` in upper case; `rest` is what follows it, its lines joined. Both `line` and `last` count from 1.

    `last` is the line on which it ends, its here-documents left out.
    """

    line: int
    word: str
    rest: str
    last: int = field(default=0, compare=False)


def instructions(text: str, *, here_documents: bool = True, escape: str = "") -> tuple[Instruction, ...]:
    """All of them, comments left out, and the lines of here-documents, unless these are not to be known.

    The engine's own frontend knows them from version 23 on, and that of `# syntax=docker/dockerfile:1` does. Lines are
    joined by `escape`, or as the directive at the top says.
    """
    escape = escape or _escape(text)
    lines = enumerate(_lines(text), start=1)
    found = []
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole, last = _joined(number, line, lines, escape)
        word, rest = split_word(whole)
        if word:
            instruction = Instruction(number, word, rest, last)
            if here_documents:
                _skip_here_documents(instruction, lines)
            found.append(instruction)
    return tuple(found)


def split_word(text: str) -> tuple[str, str]:
    """The instruction's word in upper case, and what follows it; both empty where there is none."""
    match = _WORD.match(text)
    return (match[1].upper(), text[match.end() :].strip()) if match else ("", "")


def stage_name(rest: str) -> str:
    """That of a `FROM`; empty where it gives none."""
    words = [word for word in rest.split() if not word.startswith("--")]
    return words[2] if len(words) > 2 and words[1].lower() == "as" else ""


def directives(text: str) -> Mapping[str, str]:
    """Those at the very top, such as `# escape=`, their names in lower case."""
    found: dict[str, str] = {}
    for line in _lines(text):
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match or match[1].lower() not in _DIRECTIVES:
            break
        found.setdefault(match[1].lower(), match[2])
    return found


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.removeprefix(_BYTE_ORDER_MARK).split("\n")]


def of_the_image(text: str) -> tuple[Instruction, ...]:
    """Those of the last stage, and before them those of the stages of the same file that it stands on."""
    stages: dict[str, tuple[Instruction, ...]] = {}
    current: list[Instruction] = []
    name = ""
    for instruction in instructions(text):
        if instruction.word == "FROM":
            stages[name] = tuple(current)
            words = [word.lower() for word in instruction.rest.split() if not word.startswith("--")]
            # one without a name is called by a number
            name = stage_name(instruction.rest).lower() or f"({len(stages)})"
            current = list(stages.get(words[0] if words else "", ()))
        current.append(instruction)
    return tuple(current)


def _escape(text: str) -> str:
    """The character that joins lines; a directive at the very top may choose another one."""
    chosen = directives(text).get("escape", "")
    return chosen if chosen in ESCAPES else ESCAPES[0]


def _joined(number: int, line: str, lines: Iterator[tuple[int, str]], escape: str) -> tuple[str, int]:
    """The line with those that it goes on in, and the number of the last; comments and empty lines do not count."""
    whole, last = line, number
    while whole.rstrip(_BLANKS).endswith(escape):
        whole = whole.rstrip(_BLANKS)[:-1]
        following = next((pair for pair in lines if (more := pair[1].strip()) and not more.startswith("#")), None)
        if following is None:
            break
        last = following[0]
        whole += following[1]
    return whole, last


def _skip_here_documents(instruction: Instruction, lines: Iterator[tuple[int, str]]) -> None:
    if instruction.word not in _WITH_TEXT:
        return
    for match in _HERE_DOCUMENT.finditer(instruction.rest):
        for _, line in lines:
            if line.strip() == match[2]:
                break
