"""Alerts: what went wrong by itself, open ones and those that are over, all in one form."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, User, may
from cabestan.domain.alert import Alert
from cabestan.engine import disk
from cabestan.engine.services import Services
from cabestan.store import alerts as store
from cabestan.store import projects as project_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.answers import html
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
#: of those that are over
_SHOWN = 100
#: what happened, by the alert's kind; another kind speaks for itself
_HAPPENED = {
    "backup": "Backup failed",
    "backup-missed": "Backup missed",
    "certificate": "Certificate",
    "certificate-removed": "Certificate removed",
    "cron": "Scheduled run failed",
    "cron-missed": "Schedule missed",
    "delivery": "Not told",
    "disk": "The disk is full",
    "memory": "Out of memory",
    "platform": "Platform",
    "service": "Application",
    "volume": "Large volume",
    "volumes": "The disk of the volumes fills up",
}
#: where a person sees to it, within the project
_ENVIRONMENTS = ("service", "memory", "volume")
_SCHEDULES = ("cron", "cron-missed")
_DATABASES = ("backup", "backup-missed")
_CERTIFICATES = ("certificate", "certificate-removed")


@dataclass(frozen=True)
class AlertView:
    """`href` is where its subject is; empty where there is no page of it."""

    alert: Alert
    title: str
    href: str


@router.get("/alerts")
def alerts(visitor: SignedIn, services: Wired) -> Response:
    with services.database.reading() as tx:
        names = [p.name for p in project_store.all_projects(tx) if may(visitor.user, Permission.READ, p.name)]
        every = visible(services, tx, visitor.user, names, cleared=True)
    is_open = [one for one in every if one.cleared_at is None]
    over = sorted((one for one in every if one.cleared_at), key=lambda one: one.cleared_at or one.raised_at)
    frame = plain_frame(visitor, "Alerts", "projects", "project:*", href="/alerts")
    newest_first = over[: -_SHOWN - 1 : -1]
    return html("alerts.html", frame, alerts=views(is_open), over=views(newest_first), now=services.now())


def visible(
    services: Services, tx: sa.Connection, user: User, names: Collection[str], *, cleared: bool = False
) -> tuple[Alert, ...]:
    """Of the projects with these names, which one may see, and for administrators of the installation.

    `cleared`: not only open ones.
    """
    is_open = store.page(tx, installation=user.admin, project_names=names)
    found = is_open
    if cleared:
        newest = store.page(tx, installation=user.admin, project_names=names, cleared=True, limit=_SHOWN + len(is_open))
        found = (*is_open, *(one for one in newest if one.cleared_at))
    full = disk.alert(services)
    return (full, *found) if full else found


def views(found: Iterable[Alert]) -> list[AlertView]:
    return [AlertView(alert, alert_title(alert), alert_href(alert)) for alert in found]


def alert_title(alert: Alert) -> str:
    """Without its project, which the page tells beside it, as a link."""
    return f"{_HAPPENED.get(alert.kind, alert.kind)}: {_within(alert)}"


def alert_href(alert: Alert) -> str:
    """By its kind; the subject names project, environment and the rest, with a space between."""
    if alert.kind in _CERTIFICATES:
        return f"/{alert.project}/settings/certificates" if alert.project else "/certificates"
    if not alert.project:
        return ""
    environment = _within(alert).partition(" ")[0]
    if alert.kind in _ENVIRONMENTS:
        return f"/{alert.project}/environments/{environment}"
    if alert.kind in _SCHEDULES:
        return f"/{alert.project}/schedules?{urlencode({'environment': environment})}"
    return f"/{alert.project}/databases" if alert.kind in _DATABASES else f"/{alert.project}"


def _within(alert: Alert) -> str:
    """What of the project it is about."""
    return alert.subject.removeprefix(f"{alert.project} ") if alert.project else alert.subject
