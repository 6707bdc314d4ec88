"""Findings for people: file, line and column, the line itself with a caret, why, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cabestan.domain.finding import Finding

#: what could move the cursor, colour what follows, or reorder what is read
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_LINE = 160
#: gives the text of a file, None where it cannot be shown
Texts = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Palette:
    """The sequences around words; all empty where there is no terminal."""

    error: str = ""
    warning: str = ""
    place: str = ""
    quiet: str = ""
    end: str = ""

    def of(self, severity: str) -> str:
        return self.error if severity == "error" else self.warning


PLAIN = Palette()
COLOURED = Palette("\x1b[1;31m", "\x1b[1;33m", "\x1b[1m", "\x1b[2m", "\x1b[0m")


def report(findings: Iterable[Finding], texts: Texts, palette: Palette = PLAIN) -> str:
    """All findings, errors first, and how many there are. Ends with a line end."""
    findings = tuple(sorted(findings, key=lambda finding: finding.severity != "error"))
    lines: dict[str, list[str]] = {}
    for finding in findings:
        if finding.file not in lines:
            lines[finding.file] = (texts(finding.file) or "").splitlines()
    parts = [_finding(finding, lines[finding.file], palette) for finding in findings]
    return "".join(f"{part}\n" for part in parts) + f"{summary(findings)}\n"


def summary(findings: Iterable[Finding]) -> str:
    severities = [finding.severity for finding in findings]
    if not severities:
        return "Nothing found."
    counts = ((severities.count("error"), "error"), (severities.count("warning"), "warning"))
    words = ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)
    return f"{words}."


def _finding(finding: Finding, lines: list[str], palette: Palette) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}:"
    head = (
        f"{palette.place}{plain(place)}{palette.end} {palette.of(finding.severity)}{finding.severity}:{palette.end} "
        f"{plain(finding.message)} {palette.quiet}[{finding.code}]{palette.end}"
    )
    remedy = f"  {palette.quiet}→{palette.end} {plain(finding.remedy)}" if finding.remedy else ""
    return "\n".join(part for part in (head, excerpt(finding, lines, palette), remedy) if part) + "\n"


def excerpt(finding: Finding, lines: list[str], palette: Palette = PLAIN) -> str:
    """The line with a caret below; nothing where the file does not have it."""
    if not 0 < finding.line <= len(lines):
        return ""
    line = plain(lines[finding.line - 1]).expandtabs(1)[:_LONGEST_LINE]
    margin = f"{finding.line:>5} | "
    caret = " " * min(finding.column - 1, len(line)) + f"{palette.of(finding.severity)}^{palette.end}"
    below = f"{' ' * (len(margin) - 2)}| {caret}"
    return f"{palette.quiet}{margin}{palette.end}{line}\n{below}"


def plain(text: str) -> str:
    """On one line, without what could do anything to a terminal."""
    return _UNSAFE.sub("", text).replace("\n", " ")
