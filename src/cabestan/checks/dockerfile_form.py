"""Whether a Dockerfile can be read at all: what BuildKit itself would refuse, told before anything is built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cabestan.domain.finding import Finding
from cabestan.pipeline.instructions import FLAGS, Instruction, instructions

_MAY_BE_EMPTY = frozenset({"CMD", "ENTRYPOINT"})
_CORRECT = "Correct or remove it."


def check_form(file: str, text: str) -> tuple[Finding, ...]:
    """Errors, each with its line."""
    found = tuple(one for one in instructions(text) if one.word)
    troubles = [*_strange_lines(text, found), *_order(found)]
    for one in found:
        troubles += ((one.line, words, remedy) for words, remedy in _troubles(one))
    return tuple(
        Finding("dockerfile-form", "error", file, line, 1, "", message, remedy)
        for line, message, remedy in sorted(troubles)
    )


def _strange_lines(text: str, found: Sequence[Instruction]) -> Iterator[tuple[int, str, str]]:
    """The first line between two instructions that is neither empty nor a comment, nor text of the one before."""
    lines = [line.removeprefix("\ufeff").strip() for line in text.split("\n")]
    known = 0
    for one in (*found, Instruction(len(lines) + 1, "", "")):
        between = range(known + 1, one.line)
        number = next((n for n in between if lines[n - 1] and not lines[n - 1].startswith("#")), 0)
        if number:
            yield number, f"{lines[number - 1][:60]!r} is no instruction.", _CORRECT
        # the lines of a here-document come after its instruction's last one
        known = len(lines) if "<<" in one.rest else one.last


def _order(found: Sequence[Instruction]) -> Iterator[tuple[int, str, str]]:
    first = next((one for one in found if one.word != "ARG"), None)
    if first is None:
        yield 1, "The file has no FROM, so there is nothing to build on.", "Begin it with FROM IMAGE."
    elif first.word != "FROM" and first.word in FLAGS:
        yield (
            first.line,
            f"{first.word} stands before the first FROM.",
            "Begin with FROM; only ARG may stand before it.",
        )


def _troubles(one: Instruction) -> Iterator[tuple[str, str]]:
    words = [word for word in one.rest.split() if not word.startswith("--")]
    if one.word not in FLAGS:
        yield f"{one.word[:40]} is no instruction of a Dockerfile.", _CORRECT
    elif not words and one.word not in _MAY_BE_EMPTY:
        yield f"{one.word} says nothing.", _CORRECT
    elif one.word == "FROM" and len(words) != 1 and (len(words) != 3 or words[1].lower() != "as"):
        yield f"FROM {' '.join(words)[:60]} is not understood.", "Write FROM IMAGE or FROM IMAGE AS NAME."
    elif one.word in ("COPY", "ADD") and len(words) == 1 and not words[0].startswith("["):
        yield f"{one.word} {words[0][:60]} does not say where to.", f"Write {one.word} SOURCE TARGET."
