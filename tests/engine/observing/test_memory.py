"""What was ended for want of memory, and runs again, is told: nobody would notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.engine.world import World

from cabestan.adapters.tasks import ServiceState, StackState, TaskState
from cabestan.domain.alert import Alert
from cabestan.engine.observing.observer import observe
from cabestan.engine.observing.recording import Recorder
from cabestan.store import alerts

Look = Callable[[StackState], tuple[Alert, ...]]
KILLED = "it used more memory than it may"


@pytest.fixture
def look(world: World) -> Look:
    """Looks at staging once; gives the open alerts."""
    project = world.project()
    world.released(project)
    recorder = Recorder(world.services)
    world.stacks.why, world.stacks.words = KILLED, "eating"

    def once(state: StackState) -> tuple[Alert, ...]:
        world.stacks.states.append(state)
        observe(world.services, recorder)
        with world.services.database.reading() as tx:
            return alerts.all_open(tx)

    return once


def state(world: World, *numbers: int, runs: bool = True, minutes: int = 0) -> StackState:
    """Its containers of these numbers have ended, minutes ago."""
    at = (world.clock() - timedelta(minutes=minutes)).isoformat()
    tasks = [
        TaskState(f"t{number}", 1, "failed", "shutdown", "", "i", True, at, "n", f"c{number}", exit_code=137)
        for number in numbers
    ]
    tasks += [TaskState("t9", 1, "running", "running", "", "i", True, at, "n")] if runs else []
    return StackState("s", (ServiceState("app", "i", 1, False, "", "", tuple(tasks), memory=60 << 20),))


def test_it_is_told_with_its_limit_until_an_hour_has_gone_by(world: World, look: Look) -> None:
    (alert,) = look(state(world, 1))
    assert (alert.kind, alert.subject, alert.words) == ("memory", "shop/api staging app", "eating")
    assert alert.message == (
        "app on staging of shop/api used more memory than its limit of 60 MiB and was ended; it runs again."
    )
    world.clock.now += timedelta(minutes=30)
    assert look(state(world, 1, minutes=30)) == (alert,), "it is told once"
    world.clock.now += timedelta(minutes=31)
    assert look(state(world, 1, minutes=61)) == ()


def test_another_deployment_ends_it(world: World, look: Look) -> None:
    assert len(look(state(world, 1))) == 1
    assert look(state(world)) == ()


def test_what_the_alert_of_the_application_has_told_is_not_told_again(world: World, look: Look) -> None:
    assert [alert.kind for alert in look(state(world, 1, 2, 3))] == ["service"]
    world.clock.now += timedelta(minutes=3)
    assert look(state(world, 1, 2, 3, minutes=3)) == (), "it serves again, and that is that"


def test_what_ended_otherwise_is_no_matter_of_memory(world: World, look: Look) -> None:
    world.stacks.why = ""
    assert look(state(world, 1)) == ()
