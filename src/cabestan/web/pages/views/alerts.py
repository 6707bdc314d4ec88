"""Alerts as the first page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.alert import Alert
from cabestan.web.pages.views.moments import When, when


@dataclass(frozen=True)
class AlertRow:
    """`href` leads to the project; empty where the whole installation is concerned."""

    id: int
    title: str
    message: str
    remedy: str
    project: str
    href: str
    since: When


def alert_rows(alerts: Iterable[Alert], now: datetime) -> tuple[AlertRow, ...]:
    return tuple(
        AlertRow(
            id=alert.id,
            title=f"{alert.kind}: {alert.subject}",
            message=alert.message,
            remedy=alert.remedy,
            project=alert.project,
            href=f"/{alert.project}" if alert.project else "",
            since=when(alert.raised_at, now),
        )
        for alert in alerts
    )
