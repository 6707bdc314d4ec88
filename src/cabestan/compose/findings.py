"""Collects what is wrong, or doubtful, in a Compose file while it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cabestan.compose.nodes import Spot
from cabestan.compose.placeholder import hide_placeholders
from cabestan.domain.finding import Finding, FindingsRefused, Severity

__all__ = ["MOST_FINDINGS", "NOTHING_WAIVED", "ComposeRefused", "Finding", "Report", "Severity", "Waivers"]

#: a file that is wrong everywhere is told so in at most this many errors, and as many warnings beside them
MOST_FINDINGS = 200
_LONGEST_MESSAGE = 500


class ComposeRefused(FindingsRefused):
    """The Compose file may not be deployed."""

    code = "compose_refused"


@dataclass(frozen=True, slots=True)
class Waivers:
    """Code to who waived it and why. `rules.waivers` makes it, which leaves out what cannot be waived."""

    words: Mapping[str, str] = field(default_factory=dict)
    #: warnings that are errors on this installation
    strict: frozenset[str] = frozenset()


NOTHING_WAIVED = Waivers()


class Report:
    """Collects findings while a file is read, so that a person sees all of them at once.

    An error whose rule is waived for the project is a warning that names the waiver.
    """

    def __init__(self, file: str, waivers: Waivers = NOTHING_WAIVED) -> None:
        self.file = file
        self._waivers = waivers
        self._findings: dict[Finding, None] = {}

    def error(self, code: str, spot: Spot, message: str, remedy: str) -> None:
        if waived := self._waivers.words.get(code):
            self._add(code, "warning", spot, f"{message} ({waived})", remedy)
        else:
            self._add(code, "error", spot, message, remedy)

    def warn(self, code: str, spot: Spot, message: str, remedy: str) -> None:
        self._add(code, "error" if code in self._waivers.strict else "warning", spot, message, remedy)

    def _add(self, code: str, severity: Severity, spot: Spot, message: str, remedy: str) -> None:
        """Warnings are counted apart: however many there are, they take no error's place."""
        if sum(known.severity == severity for known in self._findings) < MOST_FINDINGS:
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
