"""What is wrong, or doubtful, in a file of a project: where, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cabestan.errors import Invalid

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. `code` names its rule (docs/rules); line and column count from 1.

    `path` is the way of keys that leads to the place (`services.web.image`), empty where there is none.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where} {self.path + ': ' if self.path else ''}{self.message} {self.remedy}".strip()


class FindingsRefused(Invalid):
    """Something of a project may not be deployed. `findings` holds every error, and the warnings beside them."""

    code = "refused"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class ImageRefused(FindingsRefused):
    """An image may not be part of a release."""

    code = "image_refused"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once, file by file and line by line."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: (finding.file, finding.line, finding.column)))


def has_error(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)
