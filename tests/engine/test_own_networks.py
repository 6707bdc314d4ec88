"""Networks and texts that a file makes: told before they come, taken away when nothing has them any more."""

from __future__ import annotations

import pytest
from tests.engine.world import COMPOSE, World

from cabestan.domain.project import Project
from cabestan.engine.upkeep import housekeeping
from cabestan.errors import DeadlineExceeded

DB = """\
    networks: [front]
  db:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    networks: [back]
    configs: [page]
networks: {front: , back: }
configs: {page: {content: hello}}
"""
APART = COMPOSE + DB
ROUTER = "cabestan-router"


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


@pytest.fixture
def one_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each environment the latest success alone can be rolled back to."""
    monkeypatch.setattr(housekeeping, "_KEPT_RELEASES", 1)


def deploy(world: World, project: Project, *files: str) -> str:
    """One release after the other comes to staging; gives what its stack is called."""
    for compose in files:
        world.released(project, **{"docker-compose.yml": compose})
    return world.environment(project, "staging").stack_name(world.services.settings.instance)


def test_a_plan_tells_the_networks_that_come_and_who_moves(world: World, project: Project) -> None:
    deploy(world, project, COMPOSE, APART)
    plan = world.plan(world.deployments(world.environment(project, "staging"))[-1])

    told = [(change.kind, change.subject) for change in plan.changes if "network" in change.kind]
    assert told == [("networks", "app"), ("networks", "db"), ("network added", "front"), ("network added", "back")]


def test_networks_that_a_rollback_would_need_stay(world: World, project: Project) -> None:
    stack = deploy(world, project, APART, COMPOSE)
    before = dict(world.stacks.networks)
    housekeeping.drop_networks(world.services)

    assert sorted(name.removeprefix(f"{stack}-net")[:6] for name in before) == ["", "-back-", "-front"]
    assert (world.stacks.networks, world.stacks.called("drop_network")) == (before, [])


@pytest.mark.usefixtures("one_kept")
def test_networks_that_nothing_has_any_more_go_and_the_router_leaves_them(world: World, project: Project) -> None:
    stack = deploy(world, project, APART)
    [front] = [name for name in world.stacks.networks if "-front-" in name]
    assert world.platform.networks(ROUTER) == {front, f"{stack}-net"}
    deploy(world, project, COMPOSE)
    world.stacks.networks["of-another-environment"] = 99
    housekeeping.drop_networks(world.services)

    assert world.stacks.networks.keys() == {f"{stack}-net", "of-another-environment"}
    assert world.platform.networks(ROUTER) == {f"{stack}-net"}


@pytest.mark.usefixtures("one_kept")
def test_networks_that_serve_stay(world: World, project: Project) -> None:
    deploy(world, project, COMPOSE, APART)
    before = dict(world.stacks.networks)
    housekeeping.drop_networks(world.services)

    assert len(before) == 3
    assert world.stacks.networks == before


def test_texts_that_a_rollback_would_need_stay(world: World, project: Project) -> None:
    stack = deploy(world, project, APART, COMPOSE)
    housekeeping.drop_secrets(world.services)

    assert list(world.stacks.configs[stack].values()) == ["hello"]


@pytest.mark.usefixtures("one_kept")
def test_texts_that_nothing_has_any_more_go(world: World, project: Project) -> None:
    stack = deploy(world, project, APART, APART.replace("hello", "bye"))
    assert list(world.stacks.configs[stack].values()) == ["hello", "bye"]
    housekeeping.drop_secrets(world.services)

    assert list(world.stacks.configs[stack].values()) == ["bye"]


@pytest.mark.usefixtures("one_kept")
def test_a_stack_that_is_being_deployed_keeps_its_texts_until_the_next_time(world: World, project: Project) -> None:
    stack = deploy(world, project, APART, COMPOSE)
    world.stacks.fail("drop_secrets", DeadlineExceeded("It does not end."))
    world.stacks.configs["elsewhere"] = {"text": "of nobody's"}
    housekeeping.drop_secrets(world.services)
    assert list(world.stacks.configs[stack].values()) == ["hello"]

    housekeeping.drop_secrets(world.services)
    assert world.stacks.configs == {stack: {}, "elsewhere": {"text": "of nobody's"}}
