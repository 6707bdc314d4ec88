"""Availability as pages draw it: a bar for each hour of the day, and for each day of the month."""

from dataclasses import dataclass

from cabestan.domain.uptime import HOUR, Availability, Outage, Period, Tally
from cabestan.web.pages.moments import duration

#: of a drawing, in its own units; what failed is never too small to be seen
_HEIGHT, _LEAST = 24, 5
_TOLD = 3


@dataclass(frozen=True)
class Bar:
    """From the ground up: what answered well, and what did not on top. `text` says it. All 0: nothing was asked."""

    place: int
    good: int
    bad: int
    text: str


@dataclass(frozen=True)
class Strip:
    """One period of one route: its bars, and the same in words."""

    name: str
    period: Period
    bars: tuple[Bar, ...]
    text: str


@dataclass(frozen=True)
class RouteView:
    availability: Availability
    strips: tuple[Strip, ...]


def route_view(value: Availability) -> RouteView:
    return RouteView(value, (strip("24 hours", value.day), strip("30 days", value.month)))


def strip(name: str, period: Period) -> Strip:
    return Strip(name, period, tuple(_bar(*one) for one in enumerate(period.parts)), _words(name, period))


def _bar(place: int, part: Tally) -> Bar:
    bad = max(_LEAST, round(_HEIGHT * part.failed / part.asked)) if part.failed else 0
    return Bar(place, _HEIGHT - bad if part.good else 0, bad, _part_words(part))


def _part_words(part: Tally) -> str:
    if not part.asked:
        return f"{_named(part)}: not asked"
    return f"{_named(part)}: {part.failed} of {part.asked} minutes down"


def _named(part: Tally) -> str:
    """By its hour or its day, in UTC."""
    return part.begun.strftime("%H:00 UTC" if part.hours == 1 else "%Y-%m-%d")


def _words(name: str, period: Period) -> str:
    if period.availability is None:
        return f"The last {name}: not asked yet."
    words = [f"The last {name}: {percent(period)} of {period.asked} minutes."]
    worst = sorted((part for part in period.parts if part.failed), key=lambda part: -part.failed)
    words += [f"{_part_words(part)}." for part in worst[:_TOLD]]
    return " ".join(words)


def percent(period: Period) -> str:
    """`99.93 %`, `100 %`; a dash where nothing was asked."""
    return "–" if period.availability is None else f"{period.availability:g} %"


def lasted(outage: Outage) -> str:
    """`3 min 05 s`."""
    return duration(outage.ended_at - outage.began_at) if outage.ended_at else ""


def is_noticeable(period: Period) -> bool:
    """Whether so much was not asked that the per cent are of something else than the whole period."""
    return period.unknown_minutes > HOUR.total_seconds() / 60
