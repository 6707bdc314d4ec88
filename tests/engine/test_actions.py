"""Restart, stop, start, scale: in the environment's queue, on record, and kept by what is deployed later."""

from __future__ import annotations

import pytest
from tests.engine.fakes import Killed, failing
from tests.engine.test_deployments import approve, ask, latest
from tests.engine.world import COMPOSE, ENDING, World
from tests.samples import ADMIN

from cabestan.compose.stack import Stack
from cabestan.domain.access import User
from cabestan.domain.action import ActionKind, Kept, Numbers
from cabestan.domain.deployment import Deployment, StepKind
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import acting, deployments, settings
from cabestan.engine.deploying.environments import standing
from cabestan.engine.upkeep import recovery
from cabestan.errors import Conflict, Forbidden, Invalid, NotFound
from cabestan.store import deployments as store

WAITING, QUEUED, RUNNING = DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING
SUCCEEDED, FAILED = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED
STACK = "cabestan-1-shop-api-staging"
WORKER = """\
  worker:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    deploy: {replicas: 2}
"""
TWO = {"docker-compose.yml": COMPOSE + WORKER}


def act(
    world: World,
    project: Project,
    user: User,
    kind: ActionKind,
    *names: str,
    where: str = "staging",
    numbers: Numbers = (),
) -> Deployment:
    environment = world.environment(project, where)
    return acting.act(world.services, environment, kind, user, names=names, numbers=numbers)


def done(world: World, project: Project, user: User, kind: ActionKind, *names: str, **more: Numbers) -> Deployment:
    made = act(world, project, user, kind, *names, **more)  # type: ignore[arg-type]
    world.durable.run()
    return world.deployment(made.id)


def replicas(world: World) -> dict[str, int]:
    """As Swarm has them."""
    stack = Stack.from_yaml(world.stacks.deployed[STACK])
    return {name: stack.replicas_of(name) for name in stack.services}


def steps(world: World, deployment: Deployment) -> list[tuple[StepKind, tuple[str, ...]]]:
    return [(step.kind, step.subjects) for step in world.plan(deployment).steps]


def kept_in(world: World, deployment: Deployment) -> list[str]:
    return [change.text for change in world.plan(deployment).changes if change.kind == "kept"]


def test_a_service_is_restarted_watched_and_asked_for_through_the_router(
    world: World, project: Project, dev: User
) -> None:
    release = world.released(project, **TWO)
    before = world.environment(project, "staging")
    made = done(world, project, dev, ActionKind.RESTART, "app")
    assert (made.status, made.what, made.by, made.release) == (SUCCEEDED, "Restart of app", "dev", release.number)
    assert steps(world, made) == [
        (StepKind.RESTART, ("app",)),
        (StepKind.WATCH, ("app",)),
        (StepKind.ROUTES, ("staging-api-shop.localhost/",)),
    ]
    assert world.stacks.called("restart") == [[STACK, "app", made.id]]
    assert world.environment(project, "staging") == before


def test_what_is_stopped_is_kept_by_the_next_deployment_which_says_so(
    world: World, project: Project, dev: User
) -> None:
    world.released(project, **TWO)
    stopped = done(world, project, dev, ActionKind.STOP, "app")
    assert (stopped.status, steps(world, stopped)) == (SUCCEEDED, [(StepKind.STOP, ("app",))])
    assert replicas(world) == {"app": 0, "worker": 2}
    world.released(project, **TWO)
    newer = latest(world, project)
    assert (newer.status, replicas(world)) == (SUCCEEDED, {"app": 0, "worker": 2})
    assert kept_in(world, newer) == ["service app is kept stopped; start it with `cabestan start -e staging app`"]
    assert world.plan(newer).probes == ()
    started = done(world, project, dev, ActionKind.START, "app")
    assert steps(world, started)[0] == (StepKind.SCALE, ("app=1",))
    assert replicas(world) == {"app": 1, "worker": 2}
    world.released(project, **TWO)
    assert (replicas(world), kept_in(world, latest(world, project))) == ({"app": 1, "worker": 2}, [])


def test_an_environment_that_is_stopped_keeps_services_that_come_later_stopped(
    world: World, project: Project, dev: User
) -> None:
    world.released(project)
    done(world, project, dev, ActionKind.STOP)
    world.released(project, **TWO)
    assert replicas(world) == {"app": 0, "worker": 0}
    done(world, project, dev, ActionKind.START)
    assert replicas(world) == {"app": 1, "worker": 2}
    assert world.environment(project, "staging").kept == Kept()


def test_a_number_of_replicas_is_kept_until_it_is_taken_back(world: World, project: Project, dev: User) -> None:
    world.released(project, **TWO)
    scaled = done(world, project, dev, ActionKind.SCALE, numbers=(("app", 3),))
    assert [change.text for change in world.plan(scaled).changes] == ["replicas app: 1 → 3"]
    world.released(project, **TWO)
    newer = latest(world, project)
    assert (replicas(world)["app"], len(kept_in(world, newer))) == (3, 1)
    assert not [change for change in world.plan(newer).changes if change.kind == "replicas"]
    done(world, project, dev, ActionKind.SCALE, numbers=(("app", None),))
    assert (replicas(world), world.environment(project, "staging").kept) == ({"app": 1, "worker": 2}, Kept())


def test_what_is_put_back_has_the_number_that_it_had_last(world: World, project: Project, dev: User) -> None:
    world.released(project, **TWO)
    done(world, project, dev, ActionKind.SCALE, numbers=(("app", 3),))
    world.stacks.states.append(failing(STACK, "app", "crashed"))
    world.released(project, **TWO)
    assert latest(world, project).status is DeploymentStatus.ROLLED_BACK
    assert replicas(world)["app"] == 3
    done(world, project, dev, ActionKind.SCALE, numbers=(("app", None),))
    deployments.roll_back(world.services, world.environment(project, "staging"), 1, dev)
    world.durable.run()
    assert replicas(world)["app"] == 1


def test_an_action_waits_for_the_deployment_and_a_deployment_for_the_action(
    world: World, project: Project, dev: User
) -> None:
    world.released(project)
    first = ask(world, project, dev, where="staging")
    stop = act(world, project, dev, ActionKind.STOP)
    behind = ask(world, project, dev, where="staging")
    assert [world.deployment(d.id).status for d in (first, stop, behind)] == [RUNNING, QUEUED, QUEUED]
    world.durable.run()
    ended = [world.deployment(d.id) for d in (first, stop, behind)]
    assert [d.status for d in ended] == [SUCCEEDED] * 3
    times = [moment for one in ended for moment in (one.started_at, one.finished_at) if moment]
    assert (len(times), times) == (6, sorted(times))
    assert replicas(world) == {"app": 0}
    assert kept_in(world, behind) == ["staging is kept stopped; start it with `cabestan start -e staging`"]


def test_what_was_approved_waits_again_where_it_would_do_otherwise(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project)
    approve(world, latest(world, project, "production"), boss)
    world.durable.run()
    stop = act(world, project, boss, ActionKind.STOP, where="production")
    asked = ask(world, project, boss)
    assert world.deployment(asked.id).status is QUEUED
    world.durable.run()
    assert world.deployment(stop.id).status is SUCCEEDED
    again = world.deployment(asked.id)
    assert (again.status, "The plan has changed" in again.reason) == (WAITING, True)


def test_a_stop_behind_a_deployment_needs_no_approval(world: World, project: Project, boss: User) -> None:
    world.released(project)
    approve(world, latest(world, project, "production"), boss)
    world.durable.run()
    ask(world, project, boss)
    stop = act(world, project, boss, ActionKind.STOP, where="production")
    assert world.deployment(stop.id).status is QUEUED
    world.durable.run()
    assert world.deployment(stop.id).status is SUCCEEDED


def test_one_that_fails_is_on_record_and_takes_nothing_back(world: World, project: Project, dev: User) -> None:
    world.released(project)
    current = world.environment(project, "staging").current_deployment_id
    world.stacks.states.append(failing(STACK, "app", "crashed"))
    restarted = done(world, project, dev, ActionKind.RESTART)
    assert (restarted.status, "crashed" in restarted.reason) == (FAILED, True)
    assert len(world.stacks.called("deploy")) == 1
    staging = world.environment(project, "staging")
    with world.services.database.reading() as tx:
        assert standing(world.services, tx, staging).status == "succeeded"
        assert [d.id for d in store.overview(tx, [staging.id])] == [current]
        assert [d.id for d in store.succeeded_in(tx, staging.id)] == [current]
    assert world.deployments(staging)[-1].id == restarted.id


def test_who_cannot_deploy_there_at_once_can_stop_nothing(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project)
    approve(world, latest(world, project, "production"), boss)
    world.durable.run()
    reader = world.user("reader", shop="reporter")  # type: ignore[arg-type]
    for user, where in ((dev, "production"), (reader, "staging"), (reader, "production")):
        with pytest.raises(Forbidden, match="You may not stop what runs on"):
            act(world, project, user, ActionKind.STOP, where=where)
    assert act(world, project, dev, ActionKind.STOP).status is RUNNING
    settings.set_environment(world.services, project, "production", ADMIN, approvers=("dev",))
    assert act(world, project, dev, ActionKind.STOP, where="production").status is RUNNING
    with pytest.raises(Forbidden, match="Ask dev"):
        act(world, project, boss, ActionKind.START, where="production")


@pytest.mark.parametrize(
    ("kind", "names", "numbers", "error", "words"),
    [
        (ActionKind.STOP, ("wev",), (), NotFound, "There is no service wev"),
        (ActionKind.RESTART, ("migrate",), (), Conflict, "migrate runs once in each deployment"),
        (ActionKind.SCALE, (), (("nightly", 2),), Conflict, "nightly runs by the clock.*cron pause nightly -e staging"),
        (ActionKind.SCALE, (), (("app", 101),), Invalid, "app cannot have 101 replicas.*from 0 to 100"),
        (ActionKind.SCALE, (), (("app", -1),), Invalid, "app cannot have -1 replicas"),
        (ActionKind.SCALE, (), (), Invalid, "Scale what"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    world: World,
    project: Project,
    dev: User,
    kind: ActionKind,
    names: tuple[str, ...],
    numbers: Numbers,
    error: type[Exception],
    words: str,
) -> None:
    world.released(project, **{"docker-compose.yml": COMPOSE + ENDING})
    with pytest.raises(error, match=words):
        act(world, project, dev, kind, *names, numbers=numbers)
    assert len(world.deployments(world.environment(project, "staging"))) == 1


def test_what_is_stopped_or_not_deployed_cannot_be_restarted(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project, **TWO)
    done(world, project, dev, ActionKind.STOP, "app")
    with pytest.raises(Conflict, match=r"app of staging is stopped.*start -e staging app"):
        act(world, project, dev, ActionKind.RESTART, "app")
    rest = done(world, project, dev, ActionKind.RESTART)
    assert steps(world, rest)[0] == (StepKind.RESTART, ("worker",))
    done(world, project, dev, ActionKind.STOP)
    with pytest.raises(Conflict, match="is stopped"):
        act(world, project, dev, ActionKind.RESTART)
    with pytest.raises(Conflict, match="Nothing is deployed on production"):
        act(world, project, boss, ActionKind.STOP, where="production")


@pytest.mark.parametrize("kind", [ActionKind.RESTART, ActionKind.STOP])
def test_a_killed_server_goes_on_with_it_and_does_it_once(
    world: World, project: Project, dev: User, kind: ActionKind
) -> None:
    world.released(project)
    made = act(world, project, dev, kind)
    world.durable.kill_at = f"deployment.{kind}:done, not recorded"
    with pytest.raises(Killed):
        world.durable.run()
    world.durable.kill_at = ""
    recovery.begin(world.services)
    world.durable.run()
    assert world.deployment(made.id).status is SUCCEEDED
    marks = {mark for _, _, mark in world.stacks.called("restart")}
    assert marks == ({made.id} if kind is ActionKind.RESTART else set())
    assert replicas(world) == {"app": 0 if kind is ActionKind.STOP else 1}
