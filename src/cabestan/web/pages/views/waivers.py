"""Rules that a project is let off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.compose.rules import RULES
from cabestan.domain.rule import Waiver
from cabestan.web.pages.views.moments import When, when


@dataclass(frozen=True)
class WaiverRow:
    code: str
    title: str
    reason: str
    by: str
    since: When
    removed_by: str
    removed: When | None


@dataclass(frozen=True)
class WaiversPage:
    """`former` hold no more; `codes` are the rules that can be waived and are not."""

    holding: tuple[WaiverRow, ...]
    former: tuple[WaiverRow, ...]
    codes: tuple[tuple[str, str], ...]
    may_waive: bool


def waivers_page(record: Iterable[Waiver], *, may_waive: bool, now: datetime) -> WaiversPage:
    rows = tuple(_row(waiver, now) for waiver in record)
    holding = tuple(row for row in rows if row.removed is None)
    taken = {row.code for row in holding}
    waivable = (rule for rule in RULES.values() if rule.waivable and rule.code not in taken)
    codes = tuple(sorted((rule.code, _plain(rule.title)) for rule in waivable)) if may_waive else ()
    return WaiversPage(holding, tuple(row for row in rows if row.removed), codes, may_waive)


def _row(waiver: Waiver, now: datetime) -> WaiverRow:
    rule = RULES.get(waiver.code)
    return WaiverRow(
        code=waiver.code,
        title=_plain(rule.title) if rule else "",
        reason=waiver.reason,
        by=waiver.by,
        since=when(waiver.created_at, now),
        removed_by=waiver.removed_by,
        removed=when(waiver.removed_at, now) if waiver.removed_at else None,
    )


def _plain(text: str) -> str:
    return text.replace("`", "")
