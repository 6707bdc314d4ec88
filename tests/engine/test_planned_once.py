"""A plan is made once for what happens in one breath, and anew for whatever may have changed it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from tests.engine.fakes import Killed, failing
from tests.engine.test_deployments import ask
from tests.engine.world import COMPOSE, World
from tests.samples import ADMIN, NOW, set_status

from cabestan.domain.access import User
from cabestan.domain.claims import HostRule
from cabestan.domain.deployment import Deployment, Plan
from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import deployments, settings, waivers
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import environments, releases, schema, variables
from cabestan.store import hosts as host_store
from cabestan.store.variables import Scope

WAITING, QUEUED, RUNNING = DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING
SUCCEEDED, FAILED = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED
AS_ROOT = COMPOSE.replace("    expose:", "    user: root\n    expose:")


def approve(world: World, deployment: Deployment, user: User) -> Deployment:
    return deployments.approve(world.services, deployment.id, user, world.plan(deployment).fingerprint, "")


def on_staging(world: World, project: Project) -> Deployment:
    return world.deployments(world.environment(project, "staging"))[-1]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The environments of all plans that are made, in their order."""
    made: list[str] = []

    def counting(services: Services, tx: sa.Connection, wanted: Wanted) -> Plan:
        made.append(wanted.environment.name)
        return make_plan(services, tx, wanted)

    monkeypatch.setattr(deployments, "make_plan", counting)
    return made


def test_a_click_plans_once(world: World, project: Project, dev: User, boss: User, planned: list[str]) -> None:
    world.released(project)
    planned.clear()
    at_once = ask(world, project, boss)
    assert (planned, world.deployment(at_once.id).status) == (["production"], RUNNING)
    world.durable.run()
    planned.clear()
    asked = ask(world, project, dev)
    assert (planned, asked.status) == (["production"], WAITING)
    planned.clear()
    approve(world, asked, boss)
    assert (planned, world.deployment(asked.id).status) == (["production"], RUNNING)
    planned.clear()
    behind = ask(world, project, boss)
    assert (planned, world.deployment(behind.id).status) == (["production"], QUEUED)
    planned.clear()
    way_back = deployments.roll_back(world.services, world.environment(project, "staging"), 1, boss)
    assert (planned, world.deployment(way_back.id).status) == (["staging"], RUNNING)


def test_a_release_is_planned_once_for_each_environment_that_it_comes_to(
    world: World, project: Project, planned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.set_environment(world.services, project, "production", ADMIN, branches=("@default",))
    begun: list[int | None] = []
    monkeypatch.setattr(deployments, "start_steps", lambda _, key: begun.append(key))
    world.released(project)
    assert sorted(planned) == ["production", "staging"]
    assert on_staging(world, project).status is RUNNING
    assert sorted(key or 0 for key in begun) == [0, on_staging(world, project).id]  # nobody has a turn on production


def test_a_release_that_arrived_before_a_kill_is_started_and_not_planned_again(
    world: World, project: Project, planned: list[str]
) -> None:
    world.durable.kill_at = "release.arrive:done, not recorded"
    with pytest.raises(Killed):
        world.released(project)
    made = on_staging(world, project)
    assert (made.status, f"deployment-{made.id}" in world.durable.started) == (RUNNING, False)
    planned.clear()
    world.durable.recover()
    world.durable.run()
    assert world.deployment(made.id).status is SUCCEEDED
    assert world.deployments(world.environment(project, "staging")) == (world.deployment(made.id),)
    assert "staging" not in planned


def nothing(tx: sa.Connection, where: Environment) -> None:
    """The plan stays the same."""


def a_variable(tx: sa.Connection, where: Environment) -> None:
    variables.add(tx, Scope(where.project_id, ""), "LEVEL", value="high", by="boss", now=NOW)


def the_environment(tx: sa.Connection, where: Environment) -> None:
    environments.update(tx, where.id, domain="shop.example.org")


def its_host(tx: sa.Connection, where: Environment) -> None:
    host_store.put_rule(tx, HostRule("production-api-shop.localhost", "other/project"), "boss", NOW)


def a_waiver(tx: sa.Connection, where: Environment) -> None:
    tx.execute(sa.delete(schema.waivers))


def its_branches(tx: sa.Connection, where: Environment) -> None:
    environments.update(tx, where.id, branches=("release",))


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (nothing, SUCCEEDED),
        (a_variable, WAITING),
        (the_environment, WAITING),
        (its_host, FAILED),
        (its_branches, FAILED),
        (a_waiver, FAILED),
    ],
)
def test_what_was_approved_is_planned_anew_when_its_turn_comes(
    world: World,
    project: Project,
    dev: User,
    boss: User,
    change: Callable[[sa.Connection, Environment], None],
    ends: DeploymentStatus,
) -> None:
    """Also where nobody was told of the change: what is approved is a plan, and another one is not done."""
    if change is a_waiver:
        waivers.waive(world.services, project, "no-root", "For a while.", "boss")
    world.released(project, **({"docker-compose.yml": AS_ROOT} if change is a_waiver else {}))
    ask(world, project, boss)  # has its turn, and will fail, so that what serves stays the same
    made = ask(world, project, dev)
    approve(world, made, boss)
    assert world.deployment(made.id).status is QUEUED
    with world.services.database.writing() as tx:
        change(tx, world.environment(project, "production"))
    world.stacks.states.append(failing("s", "app", "No such image"))
    world.durable.run()
    ended = world.deployment(made.id)
    assert (ended.status, ended.approved_by) == (ends, "" if ends is WAITING else "boss")


def test_an_approval_is_void_where_something_else_serves_by_then(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project)
    ask(world, project, boss)
    made = ask(world, project, dev)
    approve(world, made, boss)
    world.durable.run()
    words = "The plan has changed since it was approved, so it waits for another approval."
    again = world.deployment(made.id)
    assert (again.status, again.reason, again.approved_by) == (WAITING, words, "")


def test_who_gets_the_turn_is_begun_though_the_plan_that_was_approved_had_changed(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project)
    waits = ask(world, project, dev)
    with world.services.database.writing() as tx:
        queued = deployments.arrive(services := world.services, tx, _wanted(world, tx, project), "dev", decided=True)
        set_status(tx, Subject.DEPLOYMENT, waits.id, WAITING)
    with pytest.raises(Conflict, match="has changed since you looked at it"):
        deployments.approve(services, waits.id, boss, "another one", "")
    world.durable.run()
    assert world.deployment(queued.id).status is SUCCEEDED


def _wanted(world: World, tx: sa.Connection, project: Project) -> Wanted:
    environment = environments.get(tx, project.id, "production")
    return Wanted(releases.chosen(tx, environment, None), environment)
