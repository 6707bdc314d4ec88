"""Availability: what is counted, what is not, and how fast answers came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cabestan.domain.uptime import (
    BOUNDS,
    DAY,
    HOUR,
    Tally,
    last_day,
    last_month,
    merged,
    merged_times,
    percentile,
    place_of,
    timed,
)

NOW = datetime(2024, 5, 6, 7, 30, tzinfo=UTC)
THIS_HOUR, TODAY = datetime(2024, 5, 6, 7, tzinfo=UTC), datetime(2024, 5, 6, tzinfo=UTC)


def test_one_minute_down_of_a_month_is_never_shown_as_all() -> None:
    month = last_month([Tally(TODAY, 24, 43_199, 1)], NOW)
    assert (month.availability, month.down_minutes) == (99.99, 1)
    assert last_month([Tally(TODAY, 24, 10, 0)], NOW).availability == 100


def test_what_was_not_asked_is_neither_up_nor_down() -> None:
    """As while the server was away: 30 of the 1,410 minutes were asked, three of them in vain."""
    day = last_day([Tally(THIS_HOUR, good=27, failed=3)], NOW)
    assert (day.minutes, day.asked, day.unknown_minutes) == (23 * 60 + 30, 30, 23 * 60)
    assert (day.availability, day.down_minutes) == (90, 3)


def test_nothing_asked_has_no_availability_and_no_times() -> None:
    day = last_day([], NOW)
    assert (day.availability, day.median, day.p95, day.down_minutes) == (None, None, None, 0)
    assert [part.asked for part in day.parts] == [0] * 24


def test_a_day_is_24_hours_and_the_oldest_comes_first() -> None:
    tallies = [Tally(THIS_HOUR - hours * HOUR, good=hours) for hours in (24, 23, 1, 0)]
    parts = last_day([*tallies, Tally(TODAY, 24, 999)], NOW).parts
    assert (len(parts), parts[0].begun, parts[-1].begun) == (24, THIS_HOUR - 23 * HOUR, THIS_HOUR)
    assert [part.good for part in parts if part.good] == [23, 1]


def test_a_month_is_30_days_of_what_was_folded_and_of_hours() -> None:
    tallies = [
        Tally(TODAY - 30 * DAY, 24, 5),
        Tally(TODAY - 29 * DAY, 24, 7, 1),
        Tally(TODAY, 1, 1),
        Tally(THIS_HOUR, 1, 2, 3),
    ]
    month = last_month(tallies, NOW)
    assert [(part.begun, part.good, part.failed) for part in month.parts if part.asked] == [
        (TODAY - 29 * DAY, 7, 1),
        (TODAY, 3, 3),
    ]
    assert month.minutes == (NOW - (TODAY - 29 * DAY)) // timedelta(minutes=1)


def test_tallies_are_summed_with_their_times() -> None:
    one, other = Tally(THIS_HOUR, 1, 2, 1, (1, 0, 1)), Tally(THIS_HOUR, 1, 1, 0, (0, 1))
    assert merged(TODAY, 24, (one, other)) == Tally(TODAY, 24, 3, 1, (1, 1, 1))
    assert merged_times(()) == ()


@pytest.mark.parametrize(
    ("took", "place"), [(0.2, 0), (1, 0), (1.1, 1), (10_000, len(BOUNDS) - 1), (99_999, len(BOUNDS) - 1)]
)
def test_a_time_is_counted_by_the_first_bound_that_it_keeps(took: float, place: int) -> None:
    assert place_of(took) == place
    assert timed(THIS_HOUR, took) == Tally(THIS_HOUR, good=1, times=(*(0,) * place, 1))


def test_percentiles_lie_between_the_bounds_of_where_they_fall() -> None:
    times = merged_times([timed(THIS_HOUR, took).times for took in [8] * 90 + [400] * 10])
    assert 7 < (percentile(times, 0.5) or 0) <= 10
    assert 300 < (percentile(times, 0.95) or 0) <= 500
    assert percentile((), 0.5) is None
    assert percentile((1,), 0.01) == 1
