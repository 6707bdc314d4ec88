"""Schedules of cron: what is read, what is refused with its line, and when they are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from tests.compose.samples import IMAGE, loaded, refusal, web

from cabestan.compose.cron import (
    CronJob,
    bash_words,
    cron_job,
    due_after,
    due_between,
    due_times,
    in_words,
    normal_form,
)
from cabestan.compose.phases import RunOnce, Start, phases
from cabestan.compose.placeholder import secret_placeholder
from cabestan.errors import Invalid

PARIS = ZoneInfo("Europe/Paris")
_P = "sh.factory.cronjob."


def cron(**labels: str) -> str:
    lines = "".join(f"\n  {_P}{name}: {value!r}" for name, value in labels.items())
    return web(f"labels:{lines}")


def local_times(schedule: str, first: datetime, count: int) -> list[str]:
    """Due times in Paris, with the offset in hours."""
    found = islice(due_times(schedule, PARIS, first.replace(tzinfo=PARIS)), count)
    return [due.astimezone(PARIS).strftime("%m-%d %H:%M %z")[:-2] for due in found]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0 * * * *", "0 * * * *"),
        (" 0\t* *  * * ", "0 * * * *"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@Yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("*/5 9-17 1,15 jan-mar mon-fri", "*/5 9-17 1,15 jan-mar mon-fri"),
    ],
)
def test_schedules_are_read_in_all_forms(written: str, read: str) -> None:
    assert normal_form(written) == read


@pytest.mark.parametrize(
    "written",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
     "a * * * *", "5-1 * * * *", "@often", "0 0 31 2 *", "0 0 30 feb *", "1 " * 200],
)  # fmt: skip
def test_what_is_no_schedule_or_never_comes_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        normal_form(written)


def test_at_boot_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(Invalid, match='restart: "no"'):
        normal_form("@reboot")


def test_a_schedule_reads_in_words() -> None:
    assert in_words("30 2 * * mon-fri") == "At 02:30 on Monday through Friday"


def test_either_day_will_do_where_both_are_restricted() -> None:
    found = islice(due_times("0 0 13 * fri", UTC, datetime(2026, 2, 1, tzinfo=UTC)), 4)
    assert [due.day for due in found] == [6, 13, 20, 27]


def test_a_time_that_the_clocks_skip_is_due_right_after_the_gap() -> None:
    assert local_times("30 2 * * *", datetime(2026, 3, 28, 0, 0), 3) == [
        "03-28 02:30 +01",
        "03-29 03:00 +02",
        "03-30 02:30 +02",
    ]


def test_a_time_that_comes_twice_is_due_once() -> None:
    assert local_times("30 2 * * *", datetime(2026, 10, 24, 12, 0), 2) == ["10-25 02:30 +02", "10-26 02:30 +01"]


def test_a_time_that_was_is_not_due_again_when_it_is_asked_for_in_the_hour_that_comes_twice() -> None:
    second_coming = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert due_after("30 2 * * *", PARIS, second_coming) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_every_hour_and_every_quarter_follow_the_passing_time() -> None:
    hourly = list(islice(due_times("0 * * * *", PARIS, datetime(2026, 10, 24, 23, 30, tzinfo=UTC)), 4))
    assert {later - earlier for earlier, later in pairwise(hourly)} == {timedelta(hours=1)}
    spring = list(islice(due_times("*/15 * * * *", PARIS, datetime(2026, 3, 29, 0, 30, tzinfo=UTC)), 8))
    assert {later - earlier for earlier, later in pairwise(spring)} == {timedelta(minutes=15)}


def test_the_last_due_times_of_a_long_absence_are_counted() -> None:
    first = datetime(2026, 1, 1, 1, tzinfo=UTC)
    found, later = due_between("0 * * * *", UTC, first, first + timedelta(hours=5, minutes=1), 3)
    assert [due.hour for due in found] == [4, 5, 6]
    assert later == first + timedelta(hours=6)
    assert due_between("0 * * * *", UTC, first, first, 3) == ((first,), first + timedelta(hours=1))


@pytest.mark.parametrize(
    ("entrypoint", "words"),
    [
        ((), ("bash", "-c", "a b")),
        (("/entry.sh", "--x"), ("bash", "-c", "a b")),
        (("/bin/bash",), ("-c", "a b")),
        (("sh",), ("-c", "a b")),
    ],
)
def test_bash_runs_the_command_whatever_the_entrypoint(entrypoint: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert bash_words(entrypoint, "a b") == words


def test_the_labels_make_a_job() -> None:
    text = cron(schedule="@daily", command="a $$B", overlap="replace", timeout="30m", retries="2")
    (service,) = loaded(text).compose.services
    assert cron_job(service) == CronJob("0 0 * * *", "a $B", "replace", 1800, 2)
    assert not service.runs_once
    (least,) = loaded(cron(schedule="@daily", command="a")).compose.services
    assert cron_job(least) == CronJob("0 0 * * *", "a")


@pytest.mark.parametrize(
    ("labels", "line", "words"),
    [
        ({"schedule": "@daily"}, 5, "needs sh.factory.cronjob.command beside it"),
        ({"command": "a"}, 5, "needs sh.factory.cronjob.schedule beside it"),
        ({"overlap": "allow"}, 5, "needs sh.factory.cronjob.schedule beside it"),
        ({"schedule": "@reboot", "command": "a"}, 5, "containers have no boot"),
        ({"command": "a", "schedule": "0 0 * *"}, 6, "is no schedule of cron"),
        ({"schedule": "@daily", "command": " "}, 6, "The command is empty"),
        ({"schedule": "@daily", "command": "a", "overlap": "maybe"}, 7, "is no policy"),
        ({"schedule": "@daily", "command": "a", "timeout": "0"}, 7, "is no time"),
        ({"schedule": "@daily", "command": "a", "timeout": "8d"}, 7, "is no time"),
        ({"schedule": "@daily", "command": "a", "timeout": "200h"}, 7, "is no time"),
        ({"schedule": "@daily", "command": "a", "retries": "-1"}, 7, "is no number of retries"),
        ({"schedule": "@daily", "command": "a", "retries": "11"}, 7, "is no number of retries"),
        ({"schedule": "@daily", "command": "a", "often": "x"}, 7, "is not known"),
    ],
)
def test_labels_that_are_wrong_are_refused_with_their_line(labels: dict[str, str], line: int, words: str) -> None:
    (finding,) = refusal(cron(**labels))
    assert (finding.code, finding.line) == ("cronjob", line)
    assert words in finding.message


def test_a_secret_in_a_command_is_refused() -> None:
    text = web(f"labels:\n  {_P}schedule: '@daily'\n  {_P}command: send $KEY")
    assert {finding.line for finding in refusal(text, {"KEY": secret_placeholder("API_KEY")})} == {6}


def test_what_runs_by_the_clock_is_not_routed() -> None:
    text = web(f"expose: [80]\nlabels:\n  {_P}schedule: '@daily'\n  {_P}command: a\n  traefik.frontend.rule: Host:a.b")
    assert [finding.message for finding in refusal(text)] == ["A service that runs to its end cannot be routed."]


_STACK = f"""\
services:
  web: {{image: '{IMAGE}', depends_on: [seed]}}
  seed: {{image: '{IMAGE}', restart: "no", depends_on: [migrate, search]}}
  search: {{image: '{IMAGE}'}}
  db: {{image: '{IMAGE}'}}
  migrate: {{image: '{IMAGE}', restart: "no", depends_on: [db]}}
"""


def test_what_something_needs_that_runs_once_is_started_before_it() -> None:
    compose = loaded(_STACK).compose
    found = phases(compose, (), ("web", "search", "db"))
    order = [phase.service if isinstance(phase, RunOnce) else phase.services for phase in found]
    assert {name for phase in found if isinstance(phase, Start) for name in phase.services} == {"db", "search"}
    assert order.index("migrate") < order.index("seed") == len(order) - 1
    starts = [names for names in order if isinstance(names, tuple)]
    assert order.index(next(names for names in starts if "db" in names)) < order.index("migrate")


def test_what_the_previous_release_runs_is_left_alone() -> None:
    compose = loaded(_STACK).compose
    assert phases(compose, ("db", "search"), ("web", "search", "db")) == (RunOnce("migrate"), RunOnce("seed"))


def test_what_is_no_service_of_the_stack_is_there_already() -> None:
    compose = loaded(_STACK).compose
    assert phases(compose, ("search",), ("web", "search")) == (RunOnce("migrate"), RunOnce("seed"))
