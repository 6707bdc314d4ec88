"""What the convention needs to know of a Dockerfile: what it builds on, what it declares, how it names itself."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from cabestan.errors import Invalid
from cabestan.pipeline.image_names import named_images
from cabestan.pipeline.instructions import Instruction, instructions
from cabestan.pipeline.refused import DockerfileRefused

#: of one file, for each is looked at beside the others
MOST_INSTRUCTIONS, MOST_STAGES, MOST_IMAGES, MOST_ARGUMENTS = 5_000, 200, 200, 200
#: characters of what has variables in it, with what is filled in
LONGEST_VALUE = 4096
_VERSION = re.compile(r"VERSION\s*:?\s+(\d+(?:\.\d+)*[A-Za-z0-9.-]{0,40})$", re.IGNORECASE)
#: as long as a commit's hash, which is a tag, too; what a job pushes has another name
_LONGEST_VERSION = 32
_LONGEST_COMMENT = 500
_IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._-]*)+")
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
#: as Docker names what `uname -m` does
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Dockerfile:
    """`bases` are the images that it takes anything from, as written, stages of its own and `scratch` left out.

    `arguments` are the ARGs that it declares. `named` and `version` come from the leading comments (`# shop/api`,
    `# VERSION 0.2`); both may be empty. `lines` tells where each base is named first, counted from 1.
    """

    bases: tuple[str, ...]
    arguments: Mapping[str, str]
    named: str = ""
    version: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


class ValueTooLong(Invalid):
    """What has variables in it is longer than any name, or would be with their values."""

    def __init__(self, reference: str) -> None:
        what = f"{reference[:80]} has more than {LONGEST_VALUE} characters when it is filled in."
        super().__init__(what, "Shorten it, or the values that it names.")


def parse_dockerfile(text: str, file: str = "Dockerfile") -> Dockerfile:
    """Raises DockerfileRefused for one with more of anything than is looked at."""
    found = instructions(text)
    _refuse_too_many(file, found)
    lines: dict[str, int] = {}
    for image in named_images(text):
        lines.setdefault(image.written, image.line)
        if len(lines) > MOST_IMAGES:
            raise _too_many(file, image.line, MOST_IMAGES, "images")
    named, version = _leading_comments(text)
    return Dockerfile(tuple(lines), _arguments(file, found), named, version, lines)


def substitute(reference: str, arguments: Mapping[str, str], given: Mapping[str, str]) -> str:
    """A base with its ARGs filled in: by what the build is given, or by the default that the file has.

    Raises ValueTooLong.
    """
    left = LONGEST_VALUE - len(reference)

    def value(match: re.Match[str]) -> str:
        nonlocal left
        name = match[1] or match[3]
        set_here = given[name] if name in given else arguments.get(name) or platform_arguments().get(name)
        filled = set_here or match[2] or ""
        left -= len(filled)
        if left < 0:
            raise ValueTooLong(reference)
        return filled

    if "$" not in reference:
        return reference
    if left < 0:
        raise ValueTooLong(reference)
    return _REFERENCE.sub(value, reference)


def filled_in(file: str, found: Dockerfile, written: str, given: Mapping[str, str]) -> str:
    """A base of the file, as `substitute` has it. Raises DockerfileRefused."""
    try:
        return substitute(written, found.arguments, given)
    except ValueTooLong as error:
        raise _too_long(file, found.lines.get(written, 1), error) from error


@cache
def platform_arguments() -> Mapping[str, str]:
    """What BuildKit fills in by itself, by the platform that it builds for: this machine's."""
    machine = platform.machine()
    architecture = _ARCHITECTURES.get(machine, machine)
    values = {"PLATFORM": f"linux/{architecture}", "OS": "linux", "ARCH": architecture, "VARIANT": ""}
    return {f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in values.items()}


def _refuse_too_many(file: str, found: Sequence[Instruction]) -> None:
    if len(found) > MOST_INSTRUCTIONS:
        raise _too_many(file, found[MOST_INSTRUCTIONS].line, MOST_INSTRUCTIONS, "instructions")
    stages = [one.line for one in found if one.word == "FROM"]
    if len(stages) > MOST_STAGES:
        raise _too_many(file, stages[MOST_STAGES], MOST_STAGES, "stages")


def _too_many(file: str, line: int, most: int, what: str) -> DockerfileRefused:
    message = f"The file has more than {most} {what}."
    return DockerfileRefused("too-large", message, "Make it smaller, or several Dockerfiles of it.", file, line)


def _too_long(file: str, line: int, error: ValueTooLong) -> DockerfileRefused:
    return DockerfileRefused("too-large", error.message, error.remedy, file, line)


def _arguments(file: str, instructions: Iterable[Instruction]) -> dict[str, str]:
    """Those before the first stage, which `FROM` sees, go before others of the same name."""
    found: dict[str, str] = {}
    in_stage = False
    for instruction in instructions:
        in_stage = in_stage or instruction.word == "FROM"
        if instruction.word != "ARG":
            continue
        pairs = _pairs(instruction.rest)
        if len(found.keys() | pairs.keys()) > MOST_ARGUMENTS:
            raise _too_many(file, instruction.line, MOST_ARGUMENTS, "ARGs")
        found = pairs | found if in_stage else found | _filled(file, instruction.line, pairs, found)
    return found


def _filled(file: str, line: int, pairs: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Defaults may name ARGs that stand before them."""
    try:
        return {name: substitute(value, before, {}) for name, value in pairs.items()}
    except ValueTooLong as error:
        raise _too_long(file, line, error) from error


def _pairs(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split())
    return {name: value.strip("\"'") for name, _, value in pairs}


def _leading_comments(text: str) -> tuple[str, str]:
    named = version = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            break
        comment = stripped.lstrip("# ").strip()
        if len(comment) > _LONGEST_COMMENT:
            continue
        match = _VERSION.match(comment)
        if match and len(match[1]) <= _LONGEST_VERSION:
            version = version or match[1]
        elif _IMAGE.fullmatch(comment):
            named = named or comment
    return named, version
