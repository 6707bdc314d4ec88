from __future__ import annotations

from tests.engine.world import FILES, World
from tests.web.client import asking, token

from cabestan.engine.building import intake


def test_a_job_that_could_begin_says_that_it_waits_for_a_place(world: World) -> None:
    world.user("boss", admin=True)
    project = world.project()
    world.push(project, FILES)
    intake.take_pushes(world.services, project, "dev")
    world.jobs.while_running = lambda _run: seen.append(page())
    seen: list[str] = []
    with asking(world, **token("boss")) as client:

        def page() -> str:
            text = client.get("/shop/api/jobs/2").text
            return "waits for a place" if "It waits for a place: all are taken." in text else "runs"

        world.durable.run(until=lambda: "job-2-1" in world.durable.waiting)
        assert page() == "waits for a place"
        world.durable.run()
    assert seen == ["runs"]
