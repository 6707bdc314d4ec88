"""Workflows as DBOS records them, on the database that the platform has."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dbos._sys_db import SystemDatabase

from cabestan.engine.durable import Durable
from cabestan.engine.turns.line import Places, Turn


def settle(durable: Durable) -> None:
    """Until nothing runs: what is closed before that is taken up at the next start."""
    deadline = time.monotonic() + 20
    while durable.alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def out_of_room() -> threading.Event:
    return threading.Event()


@pytest.fixture
def durable(database_url: str, out_of_room: threading.Event) -> Iterator[Durable]:
    opened = Durable(database_url, lambda _name: None, out_of_room)
    yield opened
    settle(opened)
    opened.close()


def test_sqlite_keeps_a_write_ahead_log(durable: Durable, database_url: str) -> None:
    durable.launch()
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL always does")
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_workflow_runs_once_per_id_and_repeats_no_step(durable: Durable) -> None:
    done: list[str] = []
    begun, held = threading.Event(), threading.Event()

    def work(number: int) -> None:
        assert durable.step("one", lambda: done.append(f"one {number}") or {"number": number}) == {"number": number}
        begun.set()
        held.wait(20)
        durable.step("two", lambda: done.append(f"two {number}"))

    durable.register("work", work)
    durable.launch()
    for _ in range(3):
        durable.start("work", "work-1", 1)
    assert begun.wait(20)
    assert durable.alive() == {"work-1"}
    held.set()
    settle(durable)
    durable.start("work", "work-1", 1)
    settle(durable)
    assert done == ["one 1", "two 1"]
    durable.forget(datetime.now(UTC) + timedelta(hours=1))
    durable.start("work", "work-1", 1)
    settle(durable)
    assert done == ["one 1", "two 1"] * 2


def test_a_workflow_started_from_within_a_step_is_one_of_its_own(durable: Durable) -> None:
    done: list[str] = []
    durable.register("child", lambda: durable.step("last", lambda: done.append("child")))
    durable.register("parent", lambda: durable.step("first", lambda: durable.start("child", "child-1")))
    durable.launch()
    durable.start("parent", "parent-1")
    settle(durable)
    assert done == ["child"]


def test_what_meets_a_full_disk_is_laid_aside_and_taken_up_at_the_step_that_met_it(
    durable: Durable, out_of_room: threading.Event
) -> None:
    done: list[str] = []

    def second() -> None:
        done.append("two")
        if done.count("two") == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    def work(_number: int) -> None:
        durable.step("one", lambda: done.append("one"))
        durable.step("two", second)

    durable.register("cramped", work)
    durable.launch()
    durable.start("cramped", "cramped-1", 1)
    assert out_of_room.wait(20)
    assert durable.alive() == {"cramped-1"}
    durable.take_up()
    settle(durable)
    assert done == ["one", "two", "two"]


def test_what_was_under_way_is_taken_up_after_the_last_recorded_step(database_url: str) -> None:
    done: list[str] = []
    stopped = threading.Event()

    def open_durable(checkpoint: Callable[[str], None]) -> Durable:
        opened = Durable(database_url, checkpoint, threading.Event())

        def work(_number: int) -> None:
            opened.step("one", lambda: done.append("one"))
            opened.step("two", lambda: done.append("two"))

        opened.register("interrupted", work)
        opened.launch()
        return opened

    def stop_before_two(name: str) -> None:
        if name == "two:before":
            stopped.set()
            raise SystemExit  # ends the thread as the end of the process would

    with closing(open_durable(stop_before_two)) as first:
        first.start("interrupted", "interrupted-1", 1)
        assert stopped.wait(20)
    with closing(open_durable(lambda _name: None)) as second:
        settle(second)
    assert done == ["one", "two"]


def test_what_waits_holds_no_thread_and_keeps_no_other_kind_from_going_on(
    database_url: str, out_of_room: threading.Event
) -> None:
    """100 that wait for what never comes, as builds that sleep do: the others do not notice."""
    held, done, full = threading.Event(), threading.Event(), threading.Barrier(3)
    running: list[int] = []
    places = {"urgent": Places(1, 1), "job": Places(2, 2)}
    with closing(Durable(database_url, lambda _name: None, out_of_room, places)) as durable:

        def build(number: int) -> None:
            running.append(number)
            if number < 2:
                full.wait(20)
            held.wait(20)

        durable.register("build", build, lambda number: Turn("job", project=1, age=number))
        durable.register("deployment", lambda: durable.step("first", done.set), lambda: Turn("urgent", project=2))
        durable.launch()
        for number in range(100):
            durable.start("build", f"build-{number}", number)
        durable.start("deployment", "deployment-1")
        assert done.wait(20)
        full.wait(20)
        assert sorted(running) == [0, 1]
        assert sum(durable.waits(f"build-{number}") for number in range(100)) == 98
        assert sum(thread.name.startswith("dbos-executor") for thread in threading.enumerate()) <= 8
        held.set()
        settle(durable)
        assert sorted(running) == list(range(100))


def test_what_was_under_way_has_its_place_before_anything_new_begins(database_url: str) -> None:
    begun: list[str] = []
    stopped, held = threading.Event(), threading.Event()

    def open_durable(work: Callable[[int], None]) -> Durable:
        opened = Durable(database_url, lambda _name: None, threading.Event(), {"job": Places(1, 1)})
        opened.register("kept", work, lambda number: Turn("job", project=number))
        return opened

    def killed(_number: int) -> None:
        stopped.set()
        raise SystemExit  # ends the thread as the end of the process would

    def goes_on(number: int) -> None:
        begun.append(f"kept {number}")
        held.wait(20)

    with closing(open_durable(killed)) as first:
        first.launch()
        first.start("kept", "kept-1", 1)
        assert stopped.wait(20)
    with closing(open_durable(goes_on)) as second:
        second.start("kept", "kept-2", 2)
        second.launch()
        deadline = time.monotonic() + 20
        while not begun and time.monotonic() < deadline:
            time.sleep(0.01)
        assert second.waits("kept-2")
        held.set()
        settle(second)
    assert begun == ["kept 1", "kept 2"]


def test_one_that_has_nothing_to_do_looks_seldom(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DBOS by itself looks each second, which took three hundredths of a processor for ever."""
    looks: list[float] = []
    monkeypatch.setattr("cabestan.engine.durable._SOON_FOR", 0.5)
    looked = SystemDatabase.start_queued_workflows

    def look(*given: Any, **named: Any) -> Any:
        looks.append(time.monotonic())
        return looked(*given, **named)

    monkeypatch.setattr(SystemDatabase, "start_queued_workflows", look)
    with closing(Durable(database_url, lambda _name: None, threading.Event())) as opened:
        opened.launch()
        launched = time.monotonic()
        time.sleep(2.5)
    assert [look - launched < 1 for look in looks] == [True] * len(looks)
    assert looks
