from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.web.pages.samples import NOW, before, pipeline

from cabestan.web.pages.moments import Ahead, Span, When, ago, ahead, duration, took, when


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=44), "just now"),
        (timedelta(seconds=50), "1 min ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=36), "2 days ago"),
        (timedelta(days=59), "59 days ago"),
        (timedelta(days=75), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_a_moment_is_told_by_how_long_ago_it_was(passed: timedelta, told: str) -> None:
    assert ago(passed) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-1, "0.0 s"), (0.44, "0.4 s"), (12, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_durations_are_told_in_two_units(seconds: float, told: str) -> None:
    assert duration(timedelta(seconds=seconds)) == told


def test_a_moment_has_its_exact_time_too() -> None:
    assert when(before(minutes=3), NOW) == When("2026-05-04T11:57:00+00:00", "2026-05-04 11:57:00 UTC", "3 min ago")


def test_a_duration_counts_on_while_it_runs() -> None:
    def told(begun: datetime | None, ended: datetime | None) -> Span:
        return took(pipeline(started_at=begun, finished_at=ended), NOW)

    assert told(before(seconds=30), None) == Span("30 s", "2026-05-04T11:59:30+00:00")
    assert told(before(seconds=30), before(seconds=10)) == Span("20 s")
    assert told(None, None) == Span("")


_FAR = [(-5, "now"), (20, "now"), (90, "in 2 min"), (3 * 3600, "in 3 h"), (400 * 86400, "in 13 months")]


@pytest.mark.parametrize(("seconds", "words"), _FAR)
def test_a_time_to_come_is_told_by_how_far_it_is(seconds: int, words: str) -> None:
    assert ahead(NOW + timedelta(seconds=seconds), ZoneInfo("Europe/Paris"), NOW).away == words


def test_a_time_to_come_is_read_in_its_own_zone() -> None:
    told = ahead(NOW + timedelta(days=3), ZoneInfo("Europe/Paris"), NOW)
    assert told == Ahead("2026-05-07T12:00:00+00:00", "2026-05-07 12:00:00 UTC", "Thu 2026-05-07 14:00", "in 3 days")
