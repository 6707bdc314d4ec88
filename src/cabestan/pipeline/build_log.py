"""Why a build failed, out of what BuildKit printed: the step that failed, and its own last lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cabestan.domain.outcome import exit_hint
from cabestan.domain.why import Why, last_lines

#: so many lines of a log are looked at, from its end
LOOKED_AT = 500
Lines = Sequence[tuple[int, str]]
_FAILED = re.compile(r"#(\d+) ERROR: (.*)")
_BLOCK = re.compile(r" > (.+):")
_OUTPUT = re.compile(r"#(\d+) \d+\.\d+ (.*)")
_NAME = re.compile(r"\[(?:(?P<stage>\S+) )?(?P<place>\d+/\d+)\] (?P<what>.+)")
_EXIT_CODE = re.compile(r"exit code: (\d+)$")
_NOT_THERE = re.compile(r'"(?P<path>[^"]+)"(?:: | )not found')
_BASE = re.compile(r"\[internal\] load metadata for (.+)")
_UNSOLVED = "ERROR: failed to solve: "
_UNREAD = re.compile(r"dockerfile parse error.*? line (\d+): (.*)")
_LONGEST = 160


@dataclass(frozen=True)
class _Step:
    """`name` as BuildKit has it: `[two 2/3] RUN make`; `at` is the line of its error."""

    name: str
    error: str
    output: tuple[tuple[int, str], ...]
    at: int


def why_failed(lines: Lines) -> tuple[Why, int]:
    """Of a log's last lines, each with its number: why, and the line that the log is best read from."""
    shown = [(number, text) for number, line in lines for text in last_lines([line], 1)]
    if step := _failed_step(shown):
        said = last_lines(text for _, text in step.output)
        return _of_step(step, said), step.output[-len(said)][0] if said else step.at
    if refused := next((one for one in reversed(shown) if one[1].startswith(_UNSOLVED)), None):
        return _of_refusal(refused[1].removeprefix(_UNSOLVED)), refused[0]
    said = last_lines(text for _, text in shown[-8:])
    return Why("The build ended before it was done. Its last lines:", said), shown[-len(said)][0] if said else 0


def _failed_step(lines: Lines) -> _Step | None:
    place = next((place for place in reversed(range(len(lines))) if _FAILED.fullmatch(lines[place][1])), None)
    found = _FAILED.fullmatch(lines[place][1]) if place is not None else None
    if place is None or not found:
        return None
    names = (named[1] for _, text in lines[place:] if (named := _BLOCK.fullmatch(text)))
    own = f"#{found[1]} ["
    earlier = (text.partition(" ")[2] for _, text in reversed(lines[:place]) if text.startswith(own))
    output = ((number, text) for number, text in lines[:place] if text.startswith(f"#{found[1]} "))
    told = tuple((number, said[2]) for number, text in output if (said := _OUTPUT.fullmatch(text)) and said[2].strip())
    return _Step(next(names, "") or next(earlier, "A step"), found[2], told, lines[place][0])


def _of_step(step: _Step, said: tuple[str, ...]) -> Why:
    if base := _BASE.fullmatch(step.name):
        return Why(f"The base image {base[1]} cannot be had.", last_lines([step.error]), _BASE_REMEDY)
    named = _NAME.fullmatch(step.name)
    what = _short(named["what"] if named else step.name)
    place = f"Step {named['place']}{_of_stage(named['stage'])} of the Dockerfile" if named else "A step of the build"
    if code := _EXIT_CODE.search(step.error):
        return Why(f"{place} ended with exit code {code[1]}: {what}", said, exit_hint(int(code[1])))
    if missing := _NOT_THERE.search(step.error):
        return Why(f"{place} needs {missing['path']}, which is not there: {what}", said, _MISSING_REMEDY)
    return Why(f"{place} failed: {what}", (*said, *last_lines([step.error])))


_BASE_REMEDY = "Is its name right, and does its registry answer?"
_MISSING_REMEDY = "Is it committed, does .dockerignore leave it out? Paths count from the build's context."


def _of_stage(stage: str | None) -> str:
    return f" of stage {stage}" if stage else ""


def _of_refusal(words: str) -> Why:
    if found := _UNREAD.search(words):
        return Why(f"Dockerfile, line {found[1]}: {found[2]}.")
    return Why("The build was refused.", last_lines([words]))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
