"""The clock's own threads, with a real wait."""

from __future__ import annotations

import time

from tests.engine.test_cron import deploy, with_cron
from tests.engine.world import World
from tests.samples import set_status

from cabestan.domain.outbox import Subject
from cabestan.engine.alarm import Alarm
from cabestan.engine.running import cron
from cabestan.engine.running.clock import Clock
from cabestan.store import runs, schedules


def test_the_clock_fires_what_is_due_and_starts_it(world: World) -> None:
    project = world.project()
    deploy(world, project, with_cron())
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=world.clock())
    run_clock_until_started(world)
    with world.services.database.reading() as tx:
        assert [run.status.value for run in runs.of_schedule(tx, 1)] == ["running"]


def test_the_clock_starts_what_had_taken_its_turn_when_the_last_process_ended(world: World) -> None:
    project = world.project()
    deploy(world, project, with_cron())
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=world.clock())
    cron.fire(world.services, [1])
    with world.services.database.writing() as tx:
        set_status(tx, Subject.RUN, 1, "running")
    run_clock_until_started(world)


def run_clock_until_started(world: World) -> None:
    """The run 1."""
    clock = Clock(world.services)
    clock.start()
    try:
        deadline = time.monotonic() + 20
        while "cron-1" not in world.durable.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        clock.stop()


def test_an_alarm_that_rang_before_somebody_waits_wakes_them_once() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    assert alarm.wait(0)
    assert not alarm.wait(0)
