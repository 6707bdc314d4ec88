"""Registry and router are kept running."""

import pytest
from tests.engine.world import World

from cabestan.engine.upkeep.keeping import KIND, look
from cabestan.errors import EngineUnavailable, StepFailed
from cabestan.store import alerts

REGISTRY, ROUTER = "cabestan-registry", "cabestan-router"


def told(world: World) -> dict[str, str]:
    with world.services.database.reading() as tx:
        return {alert.subject: alert.message for alert in alerts.all_open(tx, KIND)}


def test_what_runs_is_left_alone(world: World) -> None:
    assert look(world.services) == frozenset()
    assert not world.platform.called("bring_back")
    assert told(world) == {}


def test_what_the_engine_could_not_start_is_started(world: World) -> None:
    world.platform.down = {REGISTRY: "port is taken", ROUTER: "attaching to network failed"}
    assert look(world.services) == frozenset()
    assert world.platform.called("bring_back") == [[REGISTRY], [ROUTER]]


def test_what_a_person_stopped_stays_so_and_is_told_at_the_second_look(world: World) -> None:
    """`cabestan up` takes both away for a moment."""
    world.platform.down = {ROUTER: ""}
    down = look(world.services)
    assert (down, told(world)) == ({ROUTER}, {})
    assert look(world.services, down) == {ROUTER}
    assert told(world) == {ROUTER: "The container cabestan-router does not run."}
    assert not world.platform.called("bring_back")


def test_what_cannot_be_started_is_tried_again_and_keeps_the_other_from_nothing(world: World) -> None:
    world.platform.down = {REGISTRY: "port is taken", ROUTER: "attaching to network failed"}
    taken = StepFailed("The port is taken.", "Free it.")
    for error in (taken, EngineUnavailable("It does not answer in time."), taken):
        world.platform.fail("bring_back", error)
    down = look(world.services)
    assert down == {REGISTRY, ROUTER}
    assert look(world.services, down) == {REGISTRY}
    assert told(world) == {REGISTRY: "The port is taken."}
    with world.services.database.reading() as tx:
        assert [alert.remedy for alert in alerts.all_open(tx, KIND)] == ["Free it."]
    assert look(world.services, down) == frozenset()
    assert told(world) == {}


def test_a_router_that_is_back_is_in_the_networks_of_what_is_deployed(world: World) -> None:
    """Also where that could not be at the server's start."""
    world.released(world.project())
    world.durable.run()
    [joined] = world.platform.joined
    world.platform.joined.clear()
    world.platform.down = {ROUTER: ""}
    look(world.services)
    assert not world.platform.joined, "it cannot join while it does not run"
    world.platform.down = {}
    look(world.services)
    assert world.platform.joined == {joined}


def test_an_engine_that_is_away_is_no_alert(world: World) -> None:
    world.platform.fail("problem", EngineUnavailable("It does not answer."))
    with pytest.raises(EngineUnavailable):
        look(world.services)
    assert told(world) == {}
