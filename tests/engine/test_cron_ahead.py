"""Runs are prepared a little before they are due, and do nothing until then; with a clock of the test's own."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest
from tests.engine.fakes import FakeDurable, Killed
from tests.engine.test_cron import at, begin, deploy, open_alerts, runs_of, the_schedule, told, with_cron
from tests.engine.world import COMPOSE, World
from tests.samples import NOW

from cabestan.domain.project import Project
from cabestan.domain.schedule import Overlap, may_prepare
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.running.clock import Clock, Wake, woken
from cabestan.errors import Conflict, EngineUnavailable
from cabestan.store import runs, schedules

DUE = at(NOW.hour + 1)
#: the clock goes on by a second with each look
AHEAD = DUE - timedelta(seconds=5)


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


def prepare(world: World, project: Project, text: str = "") -> None:
    """A schedule is looked at ahead of its time; its run has its turn, and waits for its worker."""
    deploy(world, project, text or with_cron())
    begin(world, AHEAD)


def test_a_run_is_there_when_it_is_due(world: World, project: Project) -> None:
    prepare(world, project)
    assert told(world) == [("running", "due")]
    (run,) = runs_of(world)
    assert (run.due_at, run.started_at) == (DUE, None)
    world.durable.run()
    (run,) = runs_of(world)
    assert (run.status, run.due_at) == ("succeeded", DUE)
    assert run.started_at is not None
    assert run.started_at >= DUE
    assert world.runs.held == {"cabestan-run-1-1": DUE}
    assert [started.name for started in world.runs.started] == ["cabestan-run-1-1"]
    assert world.runs.there == {}
    assert the_schedule(world, project).next_due == DUE + timedelta(hours=1)


def test_nothing_is_prepared_earlier(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    begin(world, AHEAD - timedelta(seconds=2))
    assert runs_of(world) == []


def test_what_is_followed_begins_when_it_is_due(world: World, project: Project) -> None:
    looked: list[bool] = []
    world.runs.while_running = lambda _run: looked.append(world.clock.now >= DUE)
    prepare(world, project)
    world.durable.run()
    assert looked[0] is False  # until it was there
    assert all(looked[1:])
    assert len(looked) > 1


def test_a_container_that_cannot_be_held_is_started_when_due(world: World, project: Project) -> None:
    world.runs.holds = False
    prepare(world, project)
    world.durable.run()
    assert told(world) == [("succeeded", "due")]
    assert world.runs.held == {}
    assert world.clock.now > DUE


def test_what_fails_ahead_of_time_is_started_when_due(world: World, project: Project) -> None:
    world.runs.fail("start_held", EngineUnavailable("The engine does not answer.", ""))
    prepare(world, project)
    world.durable.run()
    assert [(run.status.value, run.attempt) for run in runs_of(world)] == [("succeeded", 1)]
    assert open_alerts(world) == []


def test_a_container_that_ended_while_it_was_held_is_started_anew(world: World, project: Project) -> None:
    world.runs.ended_while_held.add("cabestan-run-1-1")
    world.runs.exits["tidy"] = deque()
    prepare(world, project)
    world.durable.run()
    assert [(run.status.value, run.attempt) for run in runs_of(world)] == [("succeeded", 1)]
    assert [started.name for started in world.runs.started] == ["cabestan-run-1-1"] * 2


@pytest.mark.parametrize(
    ("overlap", "then"),
    [
        ("forbid", [("running", "due"), ("skipped", "due")]),
        ("replace", [("running", "due"), ("created", "due")]),
    ],
)
def test_while_a_run_goes_on_it_is_decided_when_due(
    world: World, project: Project, overlap: str, then: list[tuple[str, str]]
) -> None:
    deploy(world, project, with_cron(overlap=overlap))
    begin(world, DUE)
    begin(world, AHEAD + timedelta(hours=1))
    assert told(world) == [("running", "due")]
    begin(world, DUE + timedelta(hours=1))
    assert told(world) == then


def test_one_that_ends_in_the_last_seconds_costs_no_run(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    begin(world, DUE)
    begin(world, AHEAD + timedelta(hours=1))
    world.durable.run()
    begin(world, DUE + timedelta(hours=1))
    world.durable.run()
    assert told(world) == [("succeeded", "due"), ("succeeded", "due")]


@pytest.mark.parametrize("overlap", list(Overlap))
def test_only_those_that_may_run_beside_others_are_prepared_beside_them(
    world: World, project: Project, overlap: Overlap
) -> None:
    deploy(world, project, with_cron(overlap=overlap.value))
    schedule = the_schedule(world, project)
    assert may_prepare(schedule, busy=False)
    assert may_prepare(schedule, busy=True) is (overlap is Overlap.ALLOW)


def test_a_pause_takes_back_what_was_prepared(world: World, project: Project) -> None:
    prepare(world, project)
    cron.pause(world.services, 1, "ann")
    world.durable.run()
    assert [(run.status, run.reason) for run in runs_of(world)] == [("canceled", "Its schedule was paused by ann.")]
    assert open_alerts(world) == []


def test_a_pause_takes_back_what_waits_for_its_turn(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    world.clock.now = AHEAD
    cron.fire(world.services, [1])
    cron.pause(world.services, 1, "ann")
    assert told(world) == [("canceled", "due")]


def test_a_pause_lets_go_on_what_was_due(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    begin(world, DUE)
    cron.pause(world.services, 1, "ann")
    world.durable.run()
    assert told(world) == [("succeeded", "due")]


def test_a_release_without_the_schedule_takes_back_what_was_prepared(world: World, project: Project) -> None:
    prepare(world, project)
    waiting = list(world.durable.waiting)
    world.durable.waiting.clear()
    deploy(world, project, COMPOSE)
    world.clock.now = AHEAD
    with world.services.database.writing() as tx:
        runs.update(tx, 1, cancel="")
        cron_runs.withdraw(tx, 1, AHEAD, "gone")
    world.durable.waiting.extend(waiting)
    world.durable.run()
    assert told(world) == [("canceled", "due")]


def test_one_that_is_canceled_while_it_is_held_never_begins(world: World, project: Project) -> None:
    prepare(world, project)
    world.runs.while_running = lambda _run: _cancel(world)
    world.durable.run()
    assert [(run.status, run.reason) for run in runs_of(world)] == [("canceled", "Canceled by ann.")]
    assert world.runs.there == {}


def _cancel(world: World) -> None:
    if not runs_of(world)[0].status.ended:
        cron_runs.cancel(world.services, 1, "ann")


def test_now_is_refused_while_one_is_about_to_begin(world: World, project: Project) -> None:
    prepare(world, project)
    with pytest.raises(Conflict, match="A run of tidy begins in a moment, and its schedule forbids two at once"):
        cron.run_now(world.services, 1, "ann")


@pytest.mark.parametrize("edge", ["before", "done, not recorded", "after"])
def test_a_kill_meanwhile_leaves_one_run(world: World, project: Project, edge: str) -> None:
    durable: FakeDurable = world.durable
    prepare(world, project)
    durable.kill_at = f"cron.run:{edge}"
    with pytest.raises(Killed):
        durable.run()
    durable.recover()
    cron_runs.reconcile(world.services)
    durable.run()
    assert [(run.status.value, run.attempt) for run in runs_of(world)] == [("succeeded", 1)]
    assert [started.name for started in world.runs.started] == ["cabestan-run-1-1"]
    assert world.runs.there == {}


def test_the_heap_gives_those_whose_time_has_come_and_keeps_the_rest() -> None:
    def wake(seconds: int, schedule: int) -> Wake:
        return Wake(NOW + timedelta(seconds=seconds), schedule, NOW)

    waiting = [wake(0, 1), wake(1, 2), wake(3600, 3)]
    assert [found.schedule for found in woken(waiting, NOW + timedelta(seconds=1))] == [1, 2]
    assert waiting == [wake(3600, 3)]


def test_the_clock_looks_ahead_of_the_time_and_once_more_when_it_is_due(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    clock = Clock(world.services)
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=DUE)
    assert clock._all() == [Wake(AHEAD, 1, DUE)]
    clock._prepared[1] = DUE
    assert clock._all() == [Wake(DUE, 1, DUE)]
    clock._prepared[1] = DUE - timedelta(hours=1)
    assert clock._all() == [Wake(AHEAD, 1, DUE)]
