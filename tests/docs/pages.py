"""The pages of the documentation, and what stands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
#: what may stand before or around the command line's name
_PROGRAMS = ("cabestan", "bin/cabestan")
_ENDS = frozenset({"|", "||", "&&", ";", ")", ">"})


@dataclass(frozen=True)
class Block:
    """Fenced text of a page; `kind` is the word after the fence."""

    page: str
    kind: str
    text: str


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> tuple[Block, ...]:
    text = page.read_text(encoding="utf-8")
    return tuple(Block(name_of(page), kind, body) for kind, body in _FENCE.findall(text))


def spans(page: Path) -> tuple[str, ...]:
    """The code within lines of text."""
    return tuple(_CODE.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))))


def links(page: Path) -> tuple[str, ...]:
    """The targets of links that lead to files or headings here."""
    found = _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return tuple(link for link in found if not re.match(r"[a-z]+:", link))


def anchors(page: Path) -> frozenset[str]:
    """Of the headings, as GitHub and its like make them."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return frozenset(heading.replace(" ", "-") for heading in kept)


def command_lines(page: Path) -> Iterator[tuple[str, ...]]:
    """The arguments of each `cabestan …` that the page shows."""
    shell = (line for block in blocks(page) if block.kind == "sh" for line in block.text.splitlines())
    for line in (*shell, *spans(page)):
        yield from _in_line(line)


def _in_line(line: str) -> Iterator[tuple[str, ...]]:
    words = _split(line)
    for at, word in enumerate(words):
        if word.removeprefix("$(") in _PROGRAMS or word.removeprefix("seen=$(") in _PROGRAMS:
            rest = words[at + 1 :]
            end = next((i for i, other in enumerate(rest) if other in _ENDS), len(rest))
            if end and (at == 0 or words[at - 1] in _ENDS or "$(" in word):
                yield tuple(rest[:end])


def _split(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&)")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return []
