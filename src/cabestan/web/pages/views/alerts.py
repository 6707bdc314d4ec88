"""Alerts as the first page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.alert import Alert
from cabestan.web.pages.views.moments import When, when

#: what happened, by the alert's kind; another kind speaks for itself
_HAPPENED = {
    "backup": "Backup",
    "certificate": "Certificate",
    "cron": "Scheduled run failed",
    "cron-missed": "Schedule missed",
    "disk": "The disk is full",
}


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
            title=f"{_HAPPENED.get(alert.kind, alert.kind)}: {_without_project(alert)}",
            message=alert.message,
            remedy=alert.remedy,
            project=alert.project,
            href=f"/{alert.project}" if alert.project else "",
            since=when(alert.raised_at, now),
        )
        for alert in alerts
    )


def _without_project(alert: Alert) -> str:
    """Which the page tells beside it, as a link."""
    return alert.subject.removeprefix(f"{alert.project} ") if alert.project else alert.subject
