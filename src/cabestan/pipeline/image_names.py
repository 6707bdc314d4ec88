"""Where a Dockerfile names images, and how its instructions read with other names in their places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cabestan.pipeline.instructions import Instruction, instructions, split_word, stage_name

_NOTHING = "scratch"
_FROM = "--from="
_MOUNT = "--mount="

Rename = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Named:
    """An image, as it is written on a line (counted from 1) in `FROM`, `COPY --from` or `RUN --mount=from`."""

    written: str
    line: int


def named_images(text: str) -> tuple[Named, ...]:
    """All of them, stages of the file and `scratch` left out."""
    found: list[Named] = []
    for instruction, is_stage in _with_stages(instructions(text)):
        _renamed(instruction.word, instruction.rest, _noting(found, instruction.line, is_stage))
    return tuple(found)


def renamed(text: str, names: Mapping[str, str]) -> Iterator[tuple[Instruction, str]]:
    """Each instruction, and what follows its word with what `names` has in the place of each image."""
    for instruction, is_stage in _with_stages(instructions(text)):
        yield instruction, _renamed(instruction.word, instruction.rest, _replacing(names, is_stage))


def _with_stages(found: Iterable[Instruction]) -> Iterator[tuple[Instruction, Callable[[str], bool]]]:
    """Each instruction, and what tells whether a name is that of a stage before it."""
    stages: set[str] = {_NOTHING}
    for instruction in found:
        yield instruction, lambda written: written.lower() in stages or written.isdecimal()
        if instruction.word == "FROM":
            stages.add(stage_name(instruction.rest).lower())


def _noting(found: list[Named], line: int, is_stage: Callable[[str], bool]) -> Rename:
    def note(written: str) -> str:
        if not is_stage(written):
            found.append(Named(written, line))
        return written

    return note


def _replacing(names: Mapping[str, str], is_stage: Callable[[str], bool]) -> Rename:
    return lambda written: written if is_stage(written) else names.get(written, written)


def _renamed(word: str, rest: str, rename: Rename) -> str:
    """What follows the instruction's word, each image in it renamed."""
    if word == "ONBUILD":
        inner, inner_rest = split_word(rest)
        return f"{inner} {_renamed(inner, inner_rest, rename)}"
    flags, arguments = split_flags(rest)
    if word == "FROM" and arguments:
        base, *others = arguments.split()
        arguments = " ".join((rename(base), *others))
    elif word == "COPY":
        flags = [_renamed_copy(flag, rename) for flag in flags]
    elif word == "RUN":
        flags = [_renamed_mount(flag, rename) for flag in flags]
    return " ".join((*flags, arguments)).rstrip()


def _renamed_copy(flag: str, rename: Rename) -> str:
    return f"{_FROM}{rename(flag.removeprefix(_FROM))}" if flag.startswith(_FROM) else flag


def _renamed_mount(flag: str, rename: Rename) -> str:
    """`--mount=type=bind,from=IMAGE,…`: a line of CSV, of which those with quotes are refused."""
    if not flag.startswith(_MOUNT):
        return flag
    fields = flag.removeprefix(_MOUNT).split(",")
    return f"{_MOUNT}{','.join(_renamed_field(field, rename) for field in fields)}"


def _renamed_field(field: str, rename: Rename) -> str:
    key, is_pair, value = field.partition("=")
    return f"{key}={rename(value)}" if is_pair and key.strip().lower() == "from" else field


def split_flags(rest: str) -> tuple[list[str], str]:
    """The flags at the beginning, freed from their quotes and backslashes as BuildKit frees them, and the others."""
    flags: list[str] = []
    place = _next_word(rest, 0)
    while rest.startswith("--", place):
        flag, place = _flag_at(rest, place)
        flags.append(flag)
        if flag == "--":
            break
    return flags, rest[place:]


def _next_word(text: str, place: int) -> int:
    """Where it begins."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _flag_at(rest: str, place: int) -> tuple[str, int]:
    """The flag that begins there, and where the next word does."""
    flag: list[str] = []
    quote = ""
    while place < len(rest):
        character = rest[place]
        if character == "\\":
            place += 1
            flag.append(rest[place : place + 1])
        elif quote:
            if character == quote:
                quote = ""
            else:
                flag.append(character)
        elif character in "\"'":
            quote = character
        elif character.isspace():
            break
        else:
            flag.append(character)
        place += 1
    return "".join(flag), _next_word(rest, place)
