"""What `.env` says: it is for development, so it is only compared with what the platform will set."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cabestan.compose.findings import Report
from cabestan.compose.nodes import Spot
from cabestan.domain.finding import Finding

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$", re.ASCII)
_REFERENCE = re.compile(r"(?<!\$)(?:\$\$)*\$\{?([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
#: what the platform sets by itself, for each commit, each environment or a managed service
_OF_THE_PLATFORM = re.compile(r"CI|CI_\w+|(?:MYSQL|POSTGRES|MONGODB|REDIS|MAILS|INFLUXDB)_\w+", re.ASCII)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    value: str
    line: int


def parse(text: str) -> tuple[Assignment, ...]:
    """The assignments of a `.env`; quotes around a value are taken off, other lines passed over."""
    found = ((number, _LINE.match(line)) for number, line in enumerate(text.splitlines(), start=1))
    return tuple(Assignment(match[1], _unquoted(match[2]), number) for number, match in found if match)


def used_in(text: str) -> frozenset[str]:
    """The variables that a Compose file asks for."""
    return frozenset(_REFERENCE.findall(text))


def check(file: str, text: str, used: Collection[str], known: Mapping[str, str]) -> tuple[Finding, ...]:
    """`known` are variables whose values on the platform are known for certain."""
    report = Report(file)
    for assignment in parse(text):
        name, spot = assignment.name, Spot(assignment.line, 1, "")
        if name in known and known[name] != assignment.value:
            message = f"{name} is {known[name][:_SHOWN]!r} on the platform, and {assignment.value[:_SHOWN]!r} here."
            report.warn("env-file-differs", spot, message, "Write the same here, or see that it is meant so.")
        elif name in used and name not in known and not _OF_THE_PLATFORM.fullmatch(name):
            message = f"{name} is set here only, and no deployment reads this file."
            report.warn("env-file-only", spot, message, f"Set it for the platform: cabestan variable set {name}=VALUE")
    return report.findings


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()
