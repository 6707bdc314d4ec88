"""A rule that a project's files must keep, and how one project may be let off it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.finding import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """`code` is a stable word for tools, tests and docs/rules.

    A rule that protects the machine or other projects, or without which there is nothing to deploy, is not
    `waivable`. `wrong` is what breaks it, `right` what to write instead, where an example says more than words.
    """

    code: str
    title: str
    reason: str
    remedy: str
    severity: Severity = "error"
    waivable: bool = False
    wrong: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An administrator's word that a project need not keep a rule. It stays on record when it is removed."""

    id: int
    project_id: int
    code: str
    by: str
    reason: str
    created_at: datetime
    removed_by: str = ""
    removed_at: datetime | None = None

    @property
    def words(self) -> str:
        """As a finding names it."""
        return f"waived by {self.by} on {self.created_at:%Y-%m-%d}: {self.reason}"
