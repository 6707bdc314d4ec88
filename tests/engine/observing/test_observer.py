"""What is seen is kept, told once, raised once, and ended when all is well again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.engine.fakes import healthy
from tests.engine.world import World
from tests.samples import set_status

from cabestan.adapters.tasks import ServiceState, StackState, TaskState
from cabestan.domain.alert import Alert
from cabestan.domain.observed import Condition, Seen
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import settings
from cabestan.engine.observing.observer import observe
from cabestan.engine.observing.recording import Recorder
from cabestan.errors import EngineUnavailable
from cabestan.store import alerts, observations, outbox
from cabestan.store.variables import Scope


@pytest.fixture
def project(world: World) -> Project:
    """Its staging is deployed."""
    made = world.project()
    world.released(made)
    return made


@pytest.fixture
def watch(world: World, project: Project) -> Any:
    """Looks at everything once, at Swarm's next answers; gives what is seen of staging."""
    recorder = Recorder(world.services)
    environment = world.environment(project, "staging")

    def look(*answers: StackState) -> Seen | None:
        world.stacks.states.extend(answers)
        observe(world.services, recorder)
        with world.services.database.reading() as tx:
            return observations.find(tx, environment.id)

    return look


def ended(world: World, code: int = 1, number: int = 1) -> TaskState:
    at = world.clock().isoformat()
    return TaskState(f"t{number}", 1, "failed", "shutdown", "", "i", True, at, "n", f"c{number}", exit_code=code)


def stack(*tasks: TaskState, replicas: int = 1) -> StackState:
    return StackState("s", (ServiceState("app", "i", replicas, False, "", "", tasks),))


def raised(world: World) -> tuple[Alert, ...]:
    with world.services.database.reading() as tx:
        return alerts.all_open(tx, "service")


def told(world: World) -> list[tuple[str, str]]:
    """Of conditions, from what to what."""
    with world.services.database.reading() as tx:
        events = outbox.after(tx, 0, 1000)
    return [(event.former, event.status) for event in events if event.subject is Subject.CONDITION]


def test_what_serves_is_seen_and_told_once(world: World, watch: Any) -> None:
    first = watch(healthy("s", ("app",)))
    assert first.condition is Condition.SERVING
    world.clock.now += timedelta(hours=1)
    assert watch(healthy("s", ("app",))) == first
    assert told(world) == [("", "serving")]


def test_what_is_down_longer_than_a_moment_raises_an_alert_with_its_last_words(world: World, watch: Any) -> None:
    world.stacks.words = "no room left"
    watch(healthy("s", ("app",)))
    down = watch(stack(ended(world, 3)))
    assert down.condition is Condition.DOWN
    assert (down.services[0].last_exit.code, down.services[0].last_exit.words) == (3, "no room left")
    assert raised(world) == ()
    world.clock.now += timedelta(minutes=5)
    watch(stack(*down_tasks(world)))
    (alert,) = raised(world)
    assert alert.message.startswith("staging of ")
    assert (alert.message.count("\n"), alert.words) == (0, "no room left")
    watch(stack(*down_tasks(world)))
    assert raised(world) == (alert,), "it is told once"
    watch(healthy("s", ("app",)))
    assert raised(world) == ()
    assert told(world) == [("", "serving"), ("serving", "down"), ("down", "serving")]


def down_tasks(world: World) -> tuple[TaskState, ...]:
    """As the engine tells them minutes later: with the end of before."""
    task = ended(world, 3)
    return (TaskState(**{**vars_of(task), "since": (world.clock() - timedelta(minutes=5)).isoformat()}),)


def vars_of(task: TaskState) -> dict[str, Any]:
    return {name: getattr(task, name) for name in TaskState.__dataclass_fields__}


def test_what_ends_again_and_again_raises_one_at_once_and_ends_it_when_that_is_over(world: World, watch: Any) -> None:
    running = TaskState("t9", 1, "running", "running", "", "i", True, world.clock().isoformat(), "n")
    seen = watch(stack(running, *(ended(world, number=number) for number in (1, 2, 3))))
    assert (seen.condition, seen.services[0].restarts) == (Condition.DEGRADED, 3)
    assert "restarted 3 ×" in raised(world)[0].message
    ends = [ended(world, number=number) for number in (1, 2, 3)]
    world.clock.now += timedelta(minutes=3)
    assert watch(stack(running, *ends)).condition is Condition.SERVING
    assert raised(world) == ()


def test_what_ended_again_and_again_and_was_stopped_raises_none(world: World, watch: Any) -> None:
    stopped = stack(*(ended(world, number=number) for number in (1, 2, 3)), replicas=0).services
    worse = ServiceState("other", "i", 2, False, "", "", healthy("s", ("other",)).services[0].tasks)
    seen = watch(StackState("s", (*stopped, worse)))
    assert [(one.name, one.condition, one.restarts) for one in seen.services] == [
        ("app", Condition.STOPPED, 0),
        ("other", Condition.DEGRADED, 0),
    ]
    assert raised(world) == ()


def test_a_container_is_asked_once_for_its_last_words(world: World, watch: Any) -> None:
    task = ended(world)
    for _ in range(3):
        watch(stack(task))
    assert world.stacks.called("end_of") == [["t1"]]


def test_secrets_are_not_among_them(world: World, project: Project, watch: Any) -> None:
    settings.put(world.services, Scope(project.id), "API_KEY", "hunter2hunter2", "dev", secret=True)
    world.stacks.words = "wrong key hunter2hunter2"
    assert watch(stack(ended(world))).services[0].last_exit.words == "wrong key [secret]"


def test_a_service_that_swarm_does_not_know_is_down(watch: Any) -> None:
    seen = watch(StackState("s", ()))
    assert (seen.condition, seen.services[0].wanted, seen.services[0].running) == (Condition.DOWN, 1, 0)


def test_while_the_engine_is_away_nobody_can_tell_and_no_alert_is_raised(world: World, watch: Any) -> None:
    before = watch(healthy("s", ("app",)))
    world.stacks.fail("state", EngineUnavailable("It does not answer.", "Start it."))
    seen = watch()
    assert (seen.condition, seen.services) == (Condition.UNKNOWN, before.services)
    assert "It does not answer." in seen.trouble
    assert raised(world) == ()
    assert watch(healthy("s", ("app",))).condition is Condition.SERVING


def test_while_a_deployment_runs_it_tells_itself(world: World, project: Project, watch: Any) -> None:
    (deployment,) = world.deployments(world.environment(project, "staging"))
    with world.services.database.writing() as tx:
        set_status(tx, Subject.DEPLOYMENT, deployment.id, DeploymentStatus.RUNNING)
    watch(stack(*(ended(world, number=number) for number in (1, 2, 3))))
    assert raised(world) == ()


def test_only_what_is_wanted_is_looked_at(world: World, project: Project) -> None:
    asked: list[tuple[str, bool]] = []

    def wanted(stack: str, seen: Seen | None) -> bool:
        asked.append((stack, seen is not None))
        return "staging" in stack

    recorder = Recorder(world.services)
    for _ in range(2):
        observe(world.services, recorder, wanted)
    names = {name: world.environment(project, name).stack_name("cabestan") for name in ("staging", "production")}
    staging, production = names["staging"], names["production"]
    assert asked == [(staging, False), (production, False), (staging, True), (production, False)]
    assert {stack for (stack,) in world.stacks.called("state")} == {names["staging"]}
