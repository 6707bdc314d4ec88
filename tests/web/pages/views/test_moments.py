from datetime import timedelta

import pytest
from tests.web.pages.samples import NOW, before

from cabestan.web.pages.views.moments import Span, When, ago, duration, span, when


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
    assert span(before(seconds=30), None, NOW) == Span("30 s", "2026-05-04T11:59:30+00:00")
    assert span(before(seconds=30), before(seconds=10), NOW) == Span("20 s")
    assert span(None, None, NOW) == Span("")
