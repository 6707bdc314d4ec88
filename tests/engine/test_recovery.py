"""After a restart: what was accepted goes on, what was lost ends."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.engine.fakes import Killed
from tests.engine.managed.samples import instance_of
from tests.engine.world import World

from cabestan.domain.backup import OperationStatus
from cabestan.domain.managed import Instance
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import deployments
from cabestan.engine.managed import wishes
from cabestan.engine.upkeep import recovery
from cabestan.store import backups, pipelines


def killed(*_: object) -> None:
    raise Killed("before the workflow was begun")


def test_a_deployment_that_took_its_turn_before_a_kill_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.project()
    with monkeypatch.context() as patch:
        patch.setattr(deployments, "start_steps", killed)
        with pytest.raises(Killed):
            world.released(project)
    world.durable.ended = list(world.durable.started)
    staging = world.environment(project, "staging")
    assert [d.status for d in world.deployments(staging)] == [DeploymentStatus.RUNNING]
    recovery.reconcile(world.services)
    world.durable.run()
    assert [d.status for d in world.deployments(staging)] == [DeploymentStatus.SUCCEEDED]


def test_a_deployment_that_takes_its_turn_while_the_others_are_looked_at_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a workflow that was taken up again: between its turn and its start lies a moment."""
    project = world.project()
    start, look = deployments.start_steps, pipelines.running_job_ids

    def release_first(tx: sa.Connection) -> frozenset[int]:
        monkeypatch.setattr(pipelines, "running_job_ids", look)
        with monkeypatch.context() as patch:
            patch.setattr(deployments, "start_steps", lambda *_: None)
            world.released(project)
        return look(tx)

    monkeypatch.setattr(pipelines, "running_job_ids", release_first)
    recovery.reconcile(world.services)
    staging = world.environment(project, "staging")
    assert [d.status for d in world.deployments(staging)] == [DeploymentStatus.RUNNING]
    start(world.services, world.deployments(staging)[0].id)
    world.durable.run()
    assert [d.status for d in world.deployments(staging)] == [DeploymentStatus.SUCCEEDED]


def test_a_deployment_whose_workflow_is_lost_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.project()
    with monkeypatch.context() as patch:
        patch.setattr(deployments, "start_steps", lambda *_: None)
        world.released(project)
    staging = world.environment(project, "staging")
    key = f"deployment-{world.deployments(staging)[0].id}"
    world.durable.started[key] = ("deployment", (world.deployments(staging)[0].id,))
    world.durable.ended.append(key)
    recovery.reconcile(world.services)
    assert [(d.status, d.reason) for d in world.deployments(staging)] == [
        (DeploymentStatus.FAILED, "Its work was lost in a restart. Retry it.")
    ]


@pytest.fixture
def instance(world: World) -> Instance:
    return instance_of(world, world.environment(world.project(), "staging"))


def outcome(world: World) -> tuple[OperationStatus, str]:
    with world.services.database.reading() as tx:
        found = backups.operation(tx, 1)
    return found.status, found.detail


def test_an_operation_that_was_accepted_before_a_kill_goes_on(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(wishes, "start", killed)
        with pytest.raises(Killed):
            wishes.back_up(world.services, instance, "dev")
    recovery.reconcile(world.services)
    world.durable.run()
    assert outcome(world) == (OperationStatus.SUCCEEDED, "")


def test_an_operation_whose_workflow_is_lost_has_failed(world: World, instance: Instance) -> None:
    wishes.back_up(world.services, instance, "dev")
    world.durable.waiting.clear()
    world.durable.ended.append("database-1")
    recovery.reconcile(world.services)
    assert outcome(world) == (OperationStatus.FAILED, "Its work was lost in a restart. Retry it.")
    wishes.back_up(world.services, instance, "dev")
