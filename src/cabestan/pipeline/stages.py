"""The part of a Dockerfile that makes one of its stages, for a build with `target`."""

from __future__ import annotations

from cabestan.pipeline.instructions import Instruction, instructions, stage_name


def until_target(text: str, target: str) -> str:
    """The text up to the end of the stage, which so is its last one; all of it without a target, or such a stage."""
    stages = _stages(text)
    names = [stage_name(stage.rest).lower() for stage in stages]
    if not target or not has_stage(text, target):
        return text
    at = names.index(target.lower()) if target.lower() in names else int(target)
    if at + 1 >= len(stages):
        return text
    return "".join(text.splitlines(keepends=True)[: stages[at + 1].line - 1])


def has_stage(text: str, target: str) -> bool:
    """By its name, in any case, or by its number."""
    return target.lower() in stage_names(text) or (target.isdecimal() and int(target) < len(_stages(text)))


def stage_names(text: str) -> tuple[str, ...]:
    """Of the stages that have one."""
    return tuple(name.lower() for stage in _stages(text) if (name := stage_name(stage.rest)))


def _stages(text: str) -> tuple[Instruction, ...]:
    return tuple(instruction for instruction in instructions(text) if instruction.word == "FROM")
