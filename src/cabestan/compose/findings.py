"""What is wrong, or doubtful, in a Compose file: where, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cabestan.compose.nodes import Spot
from cabestan.compose.placeholder import hide_placeholders
from cabestan.errors import Invalid

Severity = Literal["error", "warning"]

#: a file that is wrong everywhere is told so in at most this many findings
MOST_FINDINGS = 200
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. `code` is a stable word for tools and documentation; line and column count from 1."""

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
        return f"{where} {self.path}: {self.message} {self.remedy}".strip()


class ComposeRefused(Invalid):
    """The Compose file may not be deployed. `findings` holds every error, and the warnings beside them."""

    code = "compose_refused"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class Report:
    """Collects findings while a file is read, so that a person sees all of them at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._findings: dict[Finding, None] = {}

    def error(self, code: str, spot: Spot, message: str, remedy: str) -> None:
        self._add(code, "error", spot, message, remedy)

    def warn(self, code: str, spot: Spot, message: str, remedy: str) -> None:
        self._add(code, "warning", spot, message, remedy)

    def _add(self, code: str, severity: Severity, spot: Spot, message: str, remedy: str) -> None:
        if len(self._findings) < MOST_FINDINGS:
            words = hide_placeholders(message)[:_LONGEST_MESSAGE]
            path = hide_placeholders(spot.path)
            finding = Finding(code, severity, spot.file or self.file, spot.line, spot.column, path, words, remedy)
            self._findings[finding] = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the file; those of further files come after."""
        return tuple(sorted(self._findings, key=self._order))

    def _order(self, finding: Finding) -> tuple[bool, str, int, int]:
        return finding.file != self.file, finding.file, finding.line, finding.column

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def refuse_if_wrong(self) -> None:
        """Raises ComposeRefused if there is any error."""
        if any(finding.severity == "error" for finding in self._findings):
            raise ComposeRefused(self.findings)
