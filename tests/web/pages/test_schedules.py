"""What pages say of schedules and runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.web.pages.samples import rendered

from cabestan.domain.run import Cause, Run, RunKind
from cabestan.domain.schedule import Overlap, Schedule, Timetable
from cabestan.domain.status import RunStatus
from cabestan.web.pages.answers import Rights
from cabestan.web.pages.logs import Beginning
from cabestan.web.pages.paging import Pager
from cabestan.web.pages.schedules import coming, why

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


def test_the_page_of_a_schedule_shows_what_comes() -> None:
    assert [f"{time.astimezone(PARIS):%a %Y-%m-%d %H:%M}" for time in coming(SCHEDULE, PARIS, NOW)] == [
        "Mon 2026-11-23 02:30",
        "Tue 2026-11-24 02:30",
        "Wed 2026-11-25 02:30",
        "Thu 2026-11-26 02:30",
        "Fri 2026-11-27 02:30",
    ]


def test_nothing_comes_of_a_schedule_that_is_paused_or_gone() -> None:
    assert coming(replace(SCHEDULE, next_due=None, paused_by="ann"), PARIS, NOW) == ()


def test_a_run_says_why_it_is_there() -> None:
    asked = replace(RUN, cause=Cause.ASKED, by="ann", due_at=None)
    assert (why(RUN), why(asked)) == ("due", "asked for by ann")


@pytest.mark.parametrize(("status", "may"), [(RunStatus.RUNNING, True), (RunStatus.FAILED, False)])
def test_what_has_ended_cannot_be_stopped(status: RunStatus, may: bool) -> None:
    log = Beginning("/api/v1/runs/9/log", (), 0, may)
    page = rendered("run.html", run=replace(RUN, status=status), why="due", log=log)
    assert ("/demo/hello/runs/9/cancel" in page, "data-live" in page) == (may, may)


def test_a_schedule_is_told_in_words_and_in_its_own_zone() -> None:
    page = rendered("schedules.html", environment="", environments=["staging"], rows=[(SCHEDULE, PARIS, RUN)])
    for words in (
        "At 02:30 on Monday through Friday",
        "Europe/Paris",
        "Mon 2026-11-23 02:30",
        "2026-11-23 01:30:00 UTC",
    ):
        assert words in page
    assert 'href="/demo/hello/runs/9"' in page


def test_the_page_of_a_schedule_offers_what_one_may_do_as_long_as_it_is_there() -> None:
    def shown(schedule: Schedule) -> str:
        return rendered(
            "schedule.html",
            schedule=schedule,
            zone=PARIS,
            coming=(),
            overlap="",
            timeout="",
            runs=[],
            why=why,
            pager=Pager("", ""),
            may=Rights(run=True, deploy=False, configure=False),
        )

    assert ("/schedules/5/run" in shown(SCHEDULE), "/schedules/5/pause" in shown(SCHEDULE)) == (True, False)
    assert "/schedules/5/run" not in shown(replace(SCHEDULE, next_due=None, removed=True))
