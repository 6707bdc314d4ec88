"""The instructions of a Dockerfile with their lines, and which of them hold for the image that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)")
_BYTE_ORDER_MARK = "\ufeff"
#: a word that begins one, as BuildKit knows it; what else begins so is unclear
_HERE_DOCUMENT = re.compile(r"[0-9]*<<(-?)([\"']?)(\w[\w.-]*)\2", re.ASCII)
_LIKE_ONE = re.compile(r"[0-9]*<<(?!<)", re.ASCII)
#: words without anything by which one reader of Dockerfiles may tell words apart in another way than another one
_PLAIN = re.compile(r"(?:[!#%&(-\[\]-_a-z{|}~]|\$(?!\{))*")
#: where one might begin for a reader who tells them apart in some other way
_MAY_BEGIN = re.compile(r"(?:^|\s)([0-9]*<<-?[^<\s]\S{0,40})")
_ON_ONE_LINE = (
    "Keep quotes, backslashes and ${…} off the line that begins a here-document; a command that needs them goes into a "
    "RUN of its own, or into a script that is copied."
)
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*")
#: a comment of another form ends them
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
#: characters that may join lines, the usual one first
ESCAPES = ("\\", "`")
#: what may stand behind one of them; other spaces are none to BuildKit
_BLANKS = " \t"
#: the instructions, and the flags that each takes
FLAGS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "MAINTAINER"), frozenset[str]()),
    **dict.fromkeys(("ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"), frozenset[str]()),
    "ADD": frozenset({"chmod", "checksum", "chown", "keep-git-dir", "link"}),
    "COPY": frozenset({"chmod", "chown", "from", "link"}),
    "FROM": frozenset({"platform"}),
    "HEALTHCHECK": frozenset({"interval", "retries", "start-interval", "start-period", "timeout"}),
    "RUN": frozenset({"mount", "network"}),
}
#: the instructions whose text may go on in a here-document, or that have such a one in them
_WITH_TEXT = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """`word` in upper case; `rest` is what follows it, its lines joined. Both `line` and `last` count from 1.

    `last` is the line on which it ends, its here-documents left out, whose lines are the `documents`, each with the
    line that ends it. `unclear` says what cannot be told for certain, and `remedy` what to write instead; then the rest
    is as good a guess as any. A line that is no instruction has no word.
    """

    line: int
    word: str
    rest: str
    last: int = field(default=0, compare=False)
    documents: tuple[str, ...] = field(default=(), compare=False)
    unclear: str = field(default="", compare=False)
    remedy: str = field(default="", compare=False)


def instructions(text: str) -> tuple[Instruction, ...]:
    """All of them, comments left out. Lines are joined as the directive at the top says."""
    escape = escape_of(text)
    lines = enumerate(_lines(text), start=1)
    found = []
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole, last = _joined(number, line, lines, escape)
        word, rest = split_word(whole)
        found.append(_with_documents(Instruction(number, word, rest, last), lines, escape))
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


def escape_of(text: str) -> str:
    """The character that joins lines; a directive at the very top may choose another one."""
    chosen = directives(text).get("escape", "")
    return chosen if chosen in ESCAPES else ESCAPES[0]


def _joined(number: int, line: str, lines: Iterator[tuple[int, str]], escape: str) -> tuple[str, int]:
    """The line with those that it goes on in, and the number of the last; comments and empty lines do not count."""
    parts, last = [line], number
    while (bare := parts[-1].rstrip(_BLANKS)).endswith(escape) and not bare.endswith(escape * 2):
        parts[-1] = bare[:-1]
        following = next((pair for pair in lines if (more := pair[1].strip()) and not more.startswith("#")), None)
        if following is None:
            break
        last = following[0]
        parts.append(following[1])
    return "".join(parts), last


def _with_documents(found: Instruction, lines: Iterator[tuple[int, str]], escape: str) -> Instruction:
    if not found.word:
        remedy = "Write the instruction's word in plain letters; # begins a comment."
        return replace(found, unclear="This line is no instruction.", remedy=remedy)
    if found.rest.rstrip(_BLANKS).endswith(escape):
        what = f"Whether {escape} joins this line with the next one is not certain."
        return replace(found, unclear=what, remedy=f"End the line with one {escape}, or with none.")
    if found.word not in _WITH_TEXT or "<<" not in found.rest:
        return found
    marks, begins = _marks(found.rest)
    if begins or (marks and found.word == "ONBUILD"):
        what = f"Whether {begins or f'<<{marks[0][1]}'} begins a here-document is not certain."
        return replace(found, unclear=what, remedy=_ON_ONE_LINE)
    documents: list[str] = []
    for tabs, name in marks:
        body = _document(lines, name, tabs=tabs)
        if body is None:
            remedy = f"Put {name} on a line of its own below, without spaces."
            return replace(found, unclear=f"The here-document {name} has no end.", remedy=remedy)
        documents.append(body)
    return replace(found, documents=tuple(documents))


def _marks(rest: str) -> tuple[list[tuple[bool, str]], str]:
    """Of each here-document, whether tabs before its lines go, and its name; and what may begin one or not."""
    words = rest.split()
    known = [_HERE_DOCUMENT.fullmatch(word) for word in words]
    pairs = zip(words, known, strict=True)
    if all(found or (_PLAIN.fullmatch(word) and not _LIKE_ONE.match(word)) for word, found in pairs):
        return [(bool(found[1]), found[3]) for found in known if found], ""
    if "${" in rest:
        return [], "<<"
    match = _MAY_BEGIN.search(rest)
    return [], match[1] if match else ""


def _document(lines: Iterator[tuple[int, str]], name: str, *, tabs: bool) -> str | None:
    found = []
    for _, line in lines:
        found.append(line)
        if (line.lstrip("\t") if tabs else line) == name:
            return "\n".join(found)
    return None
