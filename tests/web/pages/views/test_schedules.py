"""What pages say of schedules and runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cabestan.domain.run import Cause, Run, RunKind
from cabestan.domain.schedule import Overlap, Schedule, Timetable
from cabestan.domain.status import RunStatus
from cabestan.web.pages.views.moments import Span
from cabestan.web.pages.views.paging import Pager
from cabestan.web.pages.views.schedules import ahead, run_page, run_row, schedule_page, schedule_row

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
TIMETABLE = Timetable("tidy", "30 2 * * mon-fri", "echo $HOME", Overlap.FORBID, 90, 1)
SCHEDULE = Schedule(
    5, 1, "demo/hello", 2, "staging", 3, TIMETABLE, "Europe/Paris", datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
)
RUN = Run(
    id=9,
    kind=RunKind.CRON,
    project_id=1,
    project="demo/hello",
    environment_id=2,
    environment="staging",
    target="local",
    deployment_id=3,
    release=4,
    service="tidy",
    schedule_id=5,
    due_at=NOW,
    cause=Cause.DUE,
    by="",
    status=RunStatus.RUNNING,
    reason="",
    attempt=1,
    attempts=2,
    seconds=90,
    created_at=NOW,
    started_at=NOW,
)


def test_a_schedule_is_told_in_words_and_in_its_own_zone() -> None:
    row = schedule_row(SCHEDULE, RUN, "UTC", NOW)
    assert (row.words, row.zone, row.expression) == (
        "At 02:30 on Monday through Friday",
        "Europe/Paris",
        "30 2 * * mon-fri",
    )
    assert row.next
    assert (row.next.local, row.next.exact, row.next.away) == (
        "Mon 2026-11-23 02:30",
        "2026-11-23 01:30:00 UTC",
        "in 3 days",
    )
    assert (row.href, row.environment_href) == ("/demo/hello/schedules/5", "/demo/hello/environments/staging")
    assert row.last
    assert (row.last.href, row.last.state.word) == ("/demo/hello/runs/9", "running")


_FAR = [(-5, "now"), (20, "now"), (90, "in 2 min"), (3 * 3600, "in 3 h"), (400 * 86400, "in 13 months")]


@pytest.mark.parametrize(("seconds", "words"), _FAR)
def test_a_time_to_come_is_told_by_how_far_it_is(seconds: int, words: str) -> None:
    assert ahead(NOW + timedelta(seconds=seconds), PARIS, NOW).away == words


def test_a_schedule_without_a_zone_of_its_own_is_read_in_the_installations() -> None:
    assert schedule_row(replace(SCHEDULE, time_zone=""), None, "Asia/Tokyo", NOW).zone == "Asia/Tokyo"


def test_the_page_of_a_schedule_shows_what_comes_and_what_it_does() -> None:
    page = schedule_page(SCHEDULE, [RUN], Pager("", ""), "UTC", NOW, may_run=True, may_pause=False)
    assert [time.local for time in page.next] == [
        "Mon 2026-11-23 02:30",
        "Tue 2026-11-24 02:30",
        "Wed 2026-11-25 02:30",
        "Thu 2026-11-26 02:30",
        "Fri 2026-11-27 02:30",
    ]
    assert (page.command, page.timeout, page.retries, page.removed) == ("echo $HOME", "1 min 30 s", 1, False)


def test_nothing_comes_of_a_schedule_that_is_paused_or_gone() -> None:
    paused = replace(SCHEDULE, next_due=None, paused_by="ann")
    page = schedule_page(paused, [], Pager("", ""), "UTC", NOW, may_run=True, may_pause=True)
    assert (page.next, page.row.next, page.row.paused_by) == ((), None, "ann")


def test_a_run_says_why_it_is_there() -> None:
    asked = replace(RUN, cause=Cause.ASKED, by="ann", due_at=None)
    assert (run_row(RUN, NOW).why, run_row(asked, NOW).why) == ("due", "asked for by ann")
    assert run_row(replace(RUN, started_at=None, status=RunStatus.SKIPPED), NOW).took == Span("")


@pytest.mark.parametrize(("status", "may"), [(RunStatus.RUNNING, True), (RunStatus.FAILED, False)])
def test_what_has_ended_cannot_be_stopped_and_its_log_is_not_live(status: RunStatus, may: bool) -> None:
    page = run_page(replace(RUN, status=status), ["one"], 1, may_cancel=True, now=NOW)
    assert (page.may_cancel, page.log.live) == (may, may)
    assert page.log.api == "/api/v1/runs/9/log"
