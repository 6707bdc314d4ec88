"""Which line each work stands in, and as whom."""

from __future__ import annotations

from tests.engine.managed.samples import instance_of
from tests.engine.world import World

from cabestan.engine.deploying import deployments
from cabestan.engine.managed import wishes
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind


def test_what_a_person_asks_for_stands_in_another_line_than_what_machines_bring_about(world: World) -> None:
    project = world.project()
    release = world.released(project)
    asked = deployments.deploy(
        world.services, world.environment(project, "production"), release, world.user("boss", admin=True)
    )
    turns = world.durable.turns
    (automatic,) = world.deployments(world.environment(project, "staging"))
    assert turns[f"deployment-{automatic.id}"] == Turn(Kind.DEPLOYMENT, project.id, automatic.id)
    assert turns[f"deployment-{asked.id}"] == Turn(Kind.ASKED_DEPLOYMENT, project.id, asked.id)
    assert turns["pipeline-1-1"] == Turn(Kind.PLANNING, project.id, 1)
    assert turns["release-1-1"] == Turn(Kind.RELEASE, project.id, 1)

    instance = instance_of(world, world.environment(project, "staging"))
    wish = wishes.back_up(world.services, instance, "dev")
    assert turns[f"database-{wish.id}"] == Turn(Kind.WISH, project.id, wish.id)
    world.durable.run()
    due = wishes.back_up(world.services, instance, wishes.CLOCK)
    assert turns[f"database-{due.id}"] == Turn(Kind.UPKEEP, project.id, due.id)
