"""What a Dockerfile takes out of its context: the sources of `COPY`, `ADD` and `RUN --mount`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cabestan.pipeline.instructions import Instruction, instructions, stage_name

_MOUNT = "--mount="
_BIND = "bind"
#: what only BuildKit itself reads: variables, quotes, here-documents
_UNCLEAR = ("$", '"', "'", "\\", "<<")
_ELSEWHERE = ("://", "git@")


@dataclass(frozen=True, slots=True)
class Taken:
    """A path within the context as it is written, which may have wildcards, and the line that names it."""

    source: str
    line: int


def taken(text: str) -> tuple[Taken, ...]:
    """What is certain from the text, of the stages that the image needs: others are not built."""
    stages = _stages(instructions(text))
    needed = _needed(stages)
    return tuple(
        Taken(source, instruction.line)
        for number, stage in enumerate(stages)
        if number in needed
        for instruction in stage
        for source in _sources(instruction)
    )


def _stages(found: Iterable[Instruction]) -> list[list[Instruction]]:
    stages: list[list[Instruction]] = []
    for instruction in found:
        if instruction.word == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(instruction)
    return stages


def _needed(stages: Sequence[Sequence[Instruction]]) -> frozenset[int]:
    """The numbers of the last stage and of those that it takes anything from."""
    takes = _takes(stages)
    needed: set[int] = set()
    left = [len(stages) - 1] if stages else []
    while left:
        number = left.pop()
        if number not in needed:
            needed.add(number)
            left += takes[number]
    return frozenset(needed)


def _takes(stages: Iterable[Sequence[Instruction]]) -> list[list[int]]:
    """The numbers of the stages before it that each stage takes anything from, by their numbers or last names."""
    names: dict[str, int] = {}
    found: list[list[int]] = []
    for number, stage in enumerate(stages):
        found.append([names[name] for one in stage if (name := _from(one).lower()) in names])
        if name := stage_name(stage[0].rest).lower():
            names[name] = number
        names[str(number)] = number
    return found


def _from(instruction: Instruction) -> str:
    """The stage or image that an instruction takes something from; empty where it takes nothing."""
    flags, words = _split(instruction.rest)
    if instruction.word == "FROM":
        return words[0] if words else ""
    given = [flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")]
    given += [fields["from"] for flag in flags if (fields := _mount(flag)) and "from" in fields]
    return given[0] if given else ""


def _sources(instruction: Instruction) -> Iterator[str]:
    flags, words = _split(instruction.rest)
    if instruction.word == "RUN":
        mounts = (_mount(flag) for flag in flags)
        found = [
            m["source"] for m in mounts if m and m.get("type", _BIND) == _BIND and not m.get("from") and "source" in m
        ]
    elif instruction.word in ("COPY", "ADD") and not _from(instruction):
        found = words[:-1]
    else:
        return
    for source in found:
        fetched = instruction.word == "ADD" and (any(mark in source for mark in _ELSEWHERE) or source.endswith(".git"))
        if not fetched and not any(mark in source for mark in _UNCLEAR):
            yield source


def _split(rest: str) -> tuple[list[str], list[str]]:
    """The flags at the beginning, and the words after them, which may be written as a list in JSON."""
    words = rest.split()
    count = next((number for number, word in enumerate(words) if not word.startswith("--")), len(words))
    text = " ".join(words[count:])
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except ValueError:
            listed = None
        if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
            return words[:count], listed
    return words[:count], words[count:]


def _mount(flag: str) -> dict[str, str]:
    """The fields of `--mount=type=bind,source=a,target=/a`; `src` means `source`."""
    if not flag.startswith(_MOUNT):
        return {}
    pairs = (field.partition("=") for field in flag.removeprefix(_MOUNT).split(","))
    return {{"src": "source"}.get(key.strip().lower(), key.strip().lower()): value for key, _, value in pairs}
