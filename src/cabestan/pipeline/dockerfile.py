"""What the convention needs to know of a Dockerfile: what it builds on, what it declares, how it names itself."""

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cabestan.pipeline.image_names import named_images
from cabestan.pipeline.instructions import instructions

_VERSION = re.compile(r"VERSION\s*:?\s+(\d+(?:\.\d+)*[A-Za-z0-9.-]{0,40})$", re.IGNORECASE)
#: as long as a commit's hash, which is a tag, too; what a job pushes has another name
_LONGEST_VERSION = 32
_IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._-]*)+")
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
#: as Docker names what `uname -m` does
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Dockerfile:
    """`bases` are the images that it takes anything from, as written, stages of its own and `scratch` left out.

    `arguments` are the ARGs that it declares. `named` and `version` come from the leading comments (`# shop/api`,
    `# VERSION 0.2`); both may be empty.
    """

    bases: tuple[str, ...]
    arguments: Mapping[str, str]
    named: str = ""
    version: str = ""


def parse_dockerfile(text: str) -> Dockerfile:
    named, version = _leading_comments(text)
    bases = tuple(dict.fromkeys(image.written for image in named_images(text)))
    return Dockerfile(bases, _arguments(text), named, version)


def line_of(text: str, base: str) -> int:
    """The line on which an image is named, counted from 1; the first line where that cannot be told."""
    return next((image.line for image in named_images(text) if image.written == base), 1)


def substitute(reference: str, arguments: Mapping[str, str], given: Mapping[str, str]) -> str:
    """A base with its ARGs filled in: by what the build is given, or by the default that the file has."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        set_here = given[name] if name in given else arguments.get(name) or platform_arguments().get(name)
        return set_here or match[2] or ""

    return _REFERENCE.sub(value, reference)


@cache
def platform_arguments() -> Mapping[str, str]:
    """What BuildKit fills in by itself, by the platform that it builds for: this machine's."""
    machine = platform.machine()
    architecture = _ARCHITECTURES.get(machine, machine)
    values = {"PLATFORM": f"linux/{architecture}", "OS": "linux", "ARCH": architecture, "VARIANT": ""}
    return {f"{side}{name}": value for side in ("TARGET", "BUILD") for name, value in values.items()}


def _arguments(text: str) -> dict[str, str]:
    """Those before the first stage, which `FROM` sees, go before others of the same name."""
    found: dict[str, str] = {}
    in_stage = False
    for instruction in instructions(text):
        in_stage = in_stage or instruction.word == "FROM"
        if instruction.word == "ARG":
            pairs = _pairs(instruction.rest) if in_stage else _filled(_pairs(instruction.rest), found)
            found = pairs | found if in_stage else found | pairs
    return found


def _filled(pairs: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Defaults may name ARGs that stand before them."""
    return {name: substitute(value, before, {}) for name, value in pairs.items()}


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
        match = _VERSION.match(comment)
        if match and len(match[1]) <= _LONGEST_VERSION:
            version = version or match[1]
        elif _IMAGE.fullmatch(comment):
            named = named or comment
    return named, version
