"""Base images are built when something needs them, and what goes wrong then ends nothing but that."""

from __future__ import annotations

import pytest
from tests.engine.world import COMPOSE, World

from cabestan.adapters.images import catalogue
from cabestan.config import Settings
from cabestan.domain.pipeline import BuildJob, Job, Pipeline
from cabestan.domain.status import RunStatus
from cabestan.domain.why import Why
from cabestan.engine import base_images
from cabestan.engine.building import intake, pipelines
from cabestan.errors import EngineUnavailable, StepFailed

NODE = {"Dockerfile": "FROM bearstech/node\n"}
TITLE = "\x1b[1;36mBuilding cabestan/node:18: this machine does not have it yet\x1b[0m\n"


def pushed(world: World, **files: str) -> tuple[Pipeline, tuple[Job, ...]]:
    """After everything has run that can: the pipeline, and its jobs that build."""
    project = world.project()
    world.push(project, **NODE | files)
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    return world.pipeline(pipeline.id), builds(world, pipeline)


def builds(world: World, pipeline: Pipeline) -> tuple[Job, ...]:
    return tuple(job for job in world.jobs_of(pipeline) if isinstance(job.spec, BuildJob))


def test_a_missing_base_image_is_built_before_the_job_and_told_in_its_log(world: World) -> None:
    world.images.missing = {"cabestan/node:18"}
    pipeline, (job,) = pushed(world)
    assert (pipeline.status, world.images.called("ensure")) == (RunStatus.SUCCEEDED, [["cabestan/node:18"]])
    assert world.log(job) == f"{TITLE}cabestan/node:18: a line\n"
    assert base_images.remembered(world.services.database) == ("cabestan/node:18",)


def test_nothing_is_built_where_all_is_there(world: World) -> None:
    pipeline, (job,) = pushed(world)
    assert (pipeline.status, world.images.called("ensure"), world.log(job)) == (RunStatus.SUCCEEDED, [], "")


def test_a_base_image_that_is_not_built_fails_the_job_in_the_builder_s_words(world: World) -> None:
    world.images.missing = {"cabestan/node:18"}
    world.images.fail("ensure", StepFailed("The base image was not built.", "Try again."))
    pipeline, (job,) = pushed(world)
    assert (pipeline.status, job.reason) == (RunStatus.FAILED, "The base image was not built. Try again.")
    assert world.log(job) == f"{TITLE}\x1b[1;31mThe base image was not built. Try again.\x1b[0m\n"
    assert world.jobs.called("start") == []


def test_an_engine_that_is_away_for_a_moment_is_waited_for(world: World) -> None:
    world.images.missing = {"cabestan/node:18"}
    world.images.fail("ensure", EngineUnavailable("The engine does not answer.", "Start it."))
    pipeline, (job,) = pushed(world)
    assert pipeline.status is RunStatus.SUCCEEDED
    assert world.log(job) == f"{TITLE}{TITLE}cabestan/node:18: a line\n"


def test_a_job_that_is_canceled_meanwhile_is_not_started(world: World) -> None:
    world.images.missing = {"cabestan/node:18"}
    world.images.while_building = lambda: pipelines.cancel(world.services, 1)
    pipeline, (job,) = pushed(world)
    assert (pipeline.status, job.status) == (RunStatus.CANCELED, RunStatus.CANCELED)
    assert world.jobs.called("start") == []


@pytest.mark.parametrize("boundary", ["job.start:before", "job.start:done, not recorded", "job.start:after"])
def test_a_kill_while_a_base_image_is_built_leaves_a_job_that_goes_on(world: World, boundary: str) -> None:
    world.images.missing = {"cabestan/node:18"}
    project = world.project()
    world.push(project, **NODE)
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.kill_at = boundary
    with pytest.raises(BaseException, match=boundary):
        world.durable.run()
    world.durable.recover()
    world.durable.run()
    (job,) = builds(world, pipeline)
    assert (world.pipeline(pipeline.id).status, job.attempt) == (RunStatus.SUCCEEDED, 1)
    assert world.images.called("ensure") == [["cabestan/node:18"]]


def test_an_unknown_base_image_fails_the_pipeline_with_those_there_are(world: World) -> None:
    pipeline, jobs = pushed(world, Dockerfile="FROM cabestan/nodejs:20\n")
    assert (pipeline.status, jobs) == (RunStatus.FAILED, ())
    assert "Dockerfile:1" in pipeline.reason
    why = Why.of(pipeline.reason)
    assert why.headline.endswith("cabestan/nodejs:20 is no base image of this platform.")
    assert why.remedy == "There are: cabestan/node:18, cabestan/python:3.11."


def test_a_service_may_run_a_base_image_as_it_is(world: World) -> None:
    world.images.missing = {"cabestan/node:18"}
    service = "  ws:\n    image: bearstech/node\n    command: server.js\n"
    pipeline, _ = pushed(world, **{"Dockerfile": "FROM cabestan/python\n", "docker-compose.yml": COMPOSE + service})
    assert pipeline.status is RunStatus.SUCCEEDED, pipeline.reason
    assert world.images.called("ensure") == [["cabestan/node:18"]]
    assert world.stacks.called("pin") == [["cabestan/node:18"]]


def test_the_platform_s_own_images_are_in_the_catalogue() -> None:
    names = {recipe.name for recipe in catalogue(Settings().images)}
    assert set(base_images.PLATFORM) <= names
