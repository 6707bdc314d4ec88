"""Times and durations as people read them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

#: upper bound in seconds, seconds in one unit, unit
_UNITS = (
    (3600, 60, "min"),
    (36 * 3600, 3600, "h"),
    (60 * 86400, 86400, "days"),
    (730 * 86400, 30 * 86400, "months"),
)
_YEAR_SECONDS = 365 * 86400
_EXACT = "%Y-%m-%d %H:%M:%S UTC"


class Timed(Protocol):
    """What begins and ends."""

    @property
    def started_at(self) -> datetime | None: ...

    @property
    def finished_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class When:
    """A moment: `iso` for the machine, `exact` on hover, `ago` to read."""

    iso: str
    exact: str
    ago: str


@dataclass(frozen=True)
class Ahead:
    """A time to come: in a zone to read, in UTC for the machine."""

    iso: str
    exact: str
    local: str
    away: str


@dataclass(frozen=True)
class Span:
    """How long something took, or takes: `since` (ISO 8601) is set while it goes on, so that the page can count."""

    text: str
    since: str = ""


def when(moment: datetime, now: datetime) -> When:
    """`moment` as seen at `now`; both in UTC."""
    utc = moment.astimezone(UTC)
    return When(utc.isoformat(timespec="seconds"), utc.strftime(_EXACT), ago(now - moment))


def minute(moment: datetime) -> str:
    """`2026-05-04 02:30 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ahead(moment: datetime, zone: ZoneInfo, now: datetime) -> Ahead:
    utc, away = moment.astimezone(UTC), ago(moment - now)
    away = f"in {away.removesuffix(' ago')}" if away.endswith(" ago") else "now"
    local = moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")
    return Ahead(utc.isoformat(timespec="seconds"), utc.strftime(_EXACT), local, away)


def ago(passed: timedelta) -> str:
    """`just now`, `3 min ago`, `2 days ago`. What lies ahead (clocks differ) counts as just now."""
    seconds = passed.total_seconds()
    if seconds < 45:
        return "just now"
    for bound, unit, name in _UNITS:
        if seconds < bound:
            count = max(1, round(seconds / unit))
            return f"{count} {name.removesuffix('s') if count == 1 else name} ago"
    years = round(seconds / _YEAR_SECONDS)
    return f"{years} {'year' if years == 1 else 'years'} ago"


def took(thing: Timed, now: datetime) -> Span:
    """Empty before the start."""
    start, end = thing.started_at, thing.finished_at
    if start is None:
        return Span("")
    if end is None:
        return Span(duration(now - start), start.astimezone(UTC).isoformat())
    return Span(duration(end - start))


def duration(passed: timedelta) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`."""
    seconds = max(0.0, passed.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
