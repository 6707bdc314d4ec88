"""The instructions of a Dockerfile with their lines, and which of them hold for the image that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_HERE_DOCUMENT = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
#: the instructions whose text may go on in a here-document
_WITH_TEXT = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """`word` in upper case; `rest` is what follows it, its lines joined. `line` counts from 1."""

    line: int
    word: str
    rest: str


def instructions(text: str) -> tuple[Instruction, ...]:
    """All of them, comments and here-documents left out."""
    escape = _escape(text)
    lines = enumerate(text.splitlines(), start=1)
    found = []
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = _joined(line, lines, escape)
        if match := _WORD.match(whole):
            instruction = Instruction(number, match[1].upper(), whole[match.end() :].strip())
            _skip_here_documents(instruction, lines)
            found.append(instruction)
    return tuple(found)


def of_the_image(text: str) -> tuple[Instruction, ...]:
    """Those of the last stage, and before them those of the stages of the same file that it stands on."""
    stages: dict[str, tuple[Instruction, ...]] = {}
    current: list[Instruction] = []
    name = ""
    for instruction in instructions(text):
        if instruction.word == "FROM":
            stages[name] = tuple(current)
            base, name = _from(instruction.rest, len(stages))
            current = list(stages.get(base, ()))
        current.append(instruction)
    return tuple(current)


def _escape(text: str) -> str:
    """The character that joins lines; a directive at the very top may choose another one."""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if match := _ESCAPE.fullmatch(line.strip()):
            return match[1]
    return "\\"


def _joined(line: str, lines: Iterator[tuple[int, str]], escape: str) -> str:
    """The line with those that it goes on in; comments between them do not count."""
    whole = line
    while whole.rstrip().endswith(escape):
        whole = whole.rstrip()[:-1]
        following = next((more for _, more in lines if not more.lstrip().startswith("#")), None)
        if following is None:
            break
        whole += f" {following}"
    return whole


def _skip_here_documents(instruction: Instruction, lines: Iterator[tuple[int, str]]) -> None:
    if instruction.word not in _WITH_TEXT:
        return
    for match in _HERE_DOCUMENT.finditer(instruction.rest):
        for _, line in lines:
            if line.strip() == match[2]:
                break


def _from(rest: str, number: int) -> tuple[str, str]:
    """Base and stage name of `[--platform=…] BASE [AS STAGE]`; a stage without a name is called by a number."""
    words = [word.lower() for word in rest.split() if not word.startswith("--")]
    name = words[2] if len(words) > 2 and words[1] == "as" else f"({number})"
    return (words[0] if words else ""), name
