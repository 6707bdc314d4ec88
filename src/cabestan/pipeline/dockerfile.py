"""What the convention needs to know of a Dockerfile: what it builds on, what it declares, how it names itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VERSION = re.compile(r"VERSION\s*:?\s+(\d+(?:\.\d+)*[A-Za-z0-9.-]{0,40})$", re.IGNORECASE)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._-]*)+")
_INSTRUCTION = re.compile(r"\s*(FROM|ARG)\s+(.*?)\s*$", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


@dataclass(frozen=True)
class Dockerfile:
    """`bases` as written, stages of its own and `scratch` left out; `arguments` are the ARGs that it declares.

    `named` and `version` come from the leading comments (`# shop/api`, `# VERSION 0.2`); both may be empty.
    """

    bases: tuple[str, ...]
    arguments: Mapping[str, str]
    named: str = ""
    version: str = ""


def parse_dockerfile(text: str) -> Dockerfile:
    bases: list[str] = []
    stages: set[str] = set()
    arguments: dict[str, str] = {}
    for line in _logical_lines(text):
        match = _INSTRUCTION.match(line)
        if not match:
            continue
        if match[1].upper() == "ARG":
            arguments |= _arguments(match[2])
            continue
        base, stage = _from(match[2])
        if base.lower() not in stages and base != "scratch":
            bases.append(base)
        stages.add(stage.lower())
    named, version = _leading_comments(text)
    return Dockerfile(tuple(dict.fromkeys(bases)), arguments, named, version)


def line_of(text: str, base: str) -> int:
    """The line on which a base is written, counted from 1; the first line where that cannot be told."""
    lines = enumerate(text.splitlines(), 1)
    found = (
        number for number, line in lines if (words := line.split()) and words[0].upper() == "FROM" and base in words
    )
    return next(found, 1)


def substitute(reference: str, arguments: Mapping[str, str], given: Mapping[str, str]) -> str:
    """A base with its ARGs filled in: by what the build is given, or by the default that the file has."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return given.get(name) or arguments.get(name) or match[2] or ""

    return _REFERENCE.sub(value, reference)


def _logical_lines(text: str) -> list[str]:
    """Lines joined where they end in a backslash, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return re.sub(r"\\\s*\n", " ", "\n".join(lines)).splitlines()


def _arguments(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split())
    return {name: value.strip("\"'") for name, _, value in pairs}


def _from(text: str) -> tuple[str, str]:
    """Base and stage name of `[--platform=…] BASE [AS STAGE]`."""
    words = [word for word in text.split() if not word.startswith("--")]
    stage = words[2] if len(words) > 2 and words[1].upper() == "AS" else ""
    return (words[0] if words else "scratch"), stage


def _leading_comments(text: str) -> tuple[str, str]:
    named = version = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            break
        comment = stripped.lstrip("# ").strip()
        if match := _VERSION.match(comment):
            version = version or match[1]
        elif _IMAGE.fullmatch(comment):
            named = named or comment
    return named, version
