"""The checks of a commit, its release and the plans for it see one and the same Compose file."""

from __future__ import annotations

from tests.engine.world import COMPOSE, World
from tests.samples import ADMIN

from cabestan.checks.compose_file import read
from cabestan.compose.stack import Stack
from cabestan.engine.building.subjects import subject_of
from cabestan.engine.deploying import settings
from cabestan.engine.deploying.composing import Wanted, compose, gather
from cabestan.store.variables import Scope

MANAGED = COMPOSE + "  postgresql:\n    image: postgres:15\n"


def test_what_is_checked_is_what_is_deployed(world: World) -> None:
    project = world.project()
    settings.set_environment(world.services, project, "staging", ADMIN, compose_files=("other.yml",))
    for name, value in (("LEVEL", "high"), ("KEY", "hidden")):
        settings.put(world.services, Scope(project.id, "staging"), name, value, "ann", secret=name == "KEY")
    release = world.released(project, **{"other.yml": MANAGED})
    staging = world.environment(project, "staging")
    with world.services.database.reading() as tx:
        gathered = gather(world.services, tx, Wanted(release, staging))
    made = compose(world.services, gathered)
    checked = read(
        subject_of(world.services, world.pipeline(release.pipeline_id)), gathered.place, gathered.waivers, None
    )
    assert checked.compose
    assert checked.compose == made.compose
    assert [service.name for service in made.compose.services] == ["app"]
    assert checked.place == made.place
    assert checked.place.compose == ("other.yml",)
    (deployment,) = world.deployments(staging)
    stack = Stack.from_yaml(world.plan(deployment).stack)
    assert stack.services == ("app",)
    assert stack.document["services"]["app"]["environment"]["LEVEL"] == "high"
