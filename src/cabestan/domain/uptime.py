"""How often the routes of an environment answer, and how fast: each is asked once a minute, and summed up by hours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, zip_longest

#: upper ends, in milliseconds, of what answers' times are counted by; the last is as long as a route is waited for
BOUNDS = (
    1,
    2,
    3,
    5,
    7,
    10,
    15,
    20,
    30,
    50,
    70,
    100,
    150,
    200,
    300,
    500,
    700,
    1000,
    1500,
    2000,
    3000,
    5000,
    7000,
    10000,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: so long each hour is kept of its own; then it is a part of its day, which is kept for as long as the second says
HOURS_KEPT, DAYS_KEPT = timedelta(days=2), timedelta(days=32)


@dataclass(frozen=True)
class Tally:
    """What was asked from `begun` on, for `hours` (1 or 24): how often a good answer came, and how often none did.

    `times` counts the good answers by `BOUNDS`, and ends with the longest that there was.
    """

    begun: datetime
    hours: int = 1
    good: int = 0
    failed: int = 0
    times: tuple[int, ...] = ()

    @property
    def asked(self) -> int:
        return self.good + self.failed


@dataclass(frozen=True)
class Outage:
    """A route that was asked twice or more in a row and did not answer as it should. `reason` is what came first."""

    id: int
    environment_id: int
    deployment_id: int
    route: str
    service: str
    reason: str
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Period:
    """The last day or month of a route. `parts` are its hours or days, the oldest first, also those without an ask.

    One ask stands for one minute, so that what failed are minutes of downtime. What was not asked (the server was away,
    nothing was deployed, it was stopped) is neither up nor down.
    """

    minutes: int
    parts: tuple[Tally, ...]

    @property
    def asked(self) -> int:
        return sum(part.asked for part in self.parts)

    @property
    def down_minutes(self) -> int:
        return sum(part.failed for part in self.parts)

    @property
    def unknown_minutes(self) -> int:
        return max(0, self.minutes - self.asked)

    @property
    def availability(self) -> float | None:
        """In per cent, rounded down: what was down for a minute is never shown as 100. None where nothing was asked."""
        if not self.asked:
            return None
        return math.floor((self.asked - self.down_minutes) * 10_000 / self.asked) / 100

    @property
    def median(self) -> int | None:
        return percentile(merged_times(part.times for part in self.parts), 0.5)

    @property
    def p95(self) -> int | None:
        return percentile(merged_times(part.times for part in self.parts), 0.95)


@dataclass(frozen=True)
class Availability:
    """Of a route, as it is asked now. `down` where it does not answer at the moment."""

    route: str
    service: str
    down: bool
    day: Period
    month: Period


def timed(begun: datetime, milliseconds: float) -> Tally:
    """One good answer."""
    return Tally(begun, good=1, times=(*(0,) * place_of(milliseconds), 1))


def place_of(milliseconds: float) -> int:
    """Among `BOUNDS`; what took longer than the last is counted there."""
    return next((place for place, bound in enumerate(BOUNDS) if milliseconds <= bound), len(BOUNDS) - 1)


def merged_times(every: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(counts) for counts in zip_longest(*every, fillvalue=0))


def merged(begun: datetime, hours: int, tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    found = tuple(tallies)
    good, failed = sum(one.good for one in found), sum(one.failed for one in found)
    return Tally(begun, hours, good, failed, merged_times(one.times for one in found))


def percentile(times: tuple[int, ...], share: float) -> int | None:
    """The milliseconds within which that share of the answers came; between two bounds they are taken for even."""
    if not (total := sum(times)):
        return None
    wanted = share * total
    place = next(place for place, sum_so_far in enumerate(accumulate(times)) if sum_so_far >= wanted)
    lower, before = (BOUNDS[place - 1] if place else 0), sum(times[:place])
    part = (wanted - before) / times[place] if times[place] else 1.0
    return max(1, round(lower + part * (BOUNDS[place] - lower)))


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    return hour_of(moment).replace(hour=0)


def last_day(tallies: Iterable[Tally], now: datetime) -> Period:
    """The hour of now, and the 23 before it."""
    begin = hour_of(now) - 23 * HOUR
    return _period(tuple(one for one in tallies if one.hours == 1), begin, HOUR, 24, now)


def last_month(tallies: Iterable[Tally], now: datetime) -> Period:
    """The day of now, in UTC, and the 29 before it."""
    return _period(tuple(tallies), day_of(now) - 29 * DAY, DAY, 30, now)


def _period(tallies: tuple[Tally, ...], begin: datetime, step: timedelta, count: int, now: datetime) -> Period:
    begins = [begin + place * step for place in range(count)]
    parts = (merged(at, step // HOUR, (one for one in tallies if at <= one.begun < at + step)) for at in begins)
    return Period((now - begin) // timedelta(minutes=1), tuple(parts))
