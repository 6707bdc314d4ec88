"""Which pipelines are kept, and what goes with the others."""

from datetime import timedelta

import pytest
from tests.engine.world import World

from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake
from cabestan.engine.building import pipelines as planning
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.deploying import deployments
from cabestan.engine.upkeep import housekeeping
from cabestan.engine.upkeep.housekeeping import drop_pipelines
from cabestan.store import releases as release_store


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


def built(world: World, project: Project, branch: str, *, run: bool = True) -> Pipeline:
    """Its release is deployed where the branch is `main`, and nowhere else."""
    world.push(project, branch=branch, again=str(world.clock()))
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    if run:
        world.durable.run()
    return pipeline


def left(world: World, project: Project, kept: int, *, after: timedelta = timedelta(days=2)) -> list[int]:
    """The pipelines after the housekeeping of a later day."""
    world.clock.now += after
    object.__setattr__(world.services.settings, "kept_pipelines", kept)
    drop_pipelines(world.services)
    return [pipeline.id for pipeline in world.pipelines(project)]


def numbers(world: World, project: Project) -> list[int]:
    """Of the releases, the newest first."""
    with world.services.database.reading() as tx:
        return [release.number for release in release_store.page(tx, project.id)]


@pytest.mark.parametrize("at_once", [1, 2, 20])
def test_the_newest_are_kept_and_others_go_with_jobs_logs_and_releases(
    world: World, project: Project, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(housekeeping, "_AT_ONCE", at_once)
    pipelines = [built(world, project, "feature") for _ in range(5)]
    jobs = [world.jobs_of(pipeline) for pipeline in pipelines]
    assert left(world, project, 2) == [pipeline.id for pipeline in pipelines[3:]]
    logs = [any(world.services.logs.reader(log_id(job.id)).size() for job in some) for some in jobs]
    assert logs == [False] * 3 + [True] * 2
    assert [len(world.jobs_of(pipeline)) for pipeline in pipelines[:3]] == [0, 0, 0]
    assert numbers(world, project) == [5, 4]
    built(world, project, "feature")
    assert numbers(world, project) == [6, 5, 4]


def test_each_project_keeps_its_own(world: World, project: Project) -> None:
    other = world.project("shop/web")
    ids = [built(world, one, "feature").id for one in (project, other, project, other, other)]
    assert left(world, project, 2) == [ids[0], ids[2]]
    assert [pipeline.id for pipeline in world.pipelines(other)] == [ids[3], ids[4]]


def test_what_was_deployed_stays_with_its_pipeline_and_can_be_rolled_back_to(world: World, project: Project) -> None:
    served = [built(world, project, "main").id for _ in range(3)]
    others = [built(world, project, "feature").id for _ in range(3)]
    staging = world.environment(project, "staging")
    before = world.deployments(staging)
    assert left(world, project, 1) == [*served, others[-1]]
    assert world.deployments(staging) == before
    boss = world.user("boss", admin=True)
    back = deployments.roll_back(world.services, world.environment(project, "staging"), None, boss)
    world.durable.run()
    assert (world.deployment(back.id).status, back.release) == (DeploymentStatus.SUCCEEDED, 2)


def test_the_newest_release_of_a_branch_stays_while_there_is_the_branch(world: World, project: Project) -> None:
    branches = ("feature", "feature", "gone", "other", "other")
    ids = [built(world, project, branch).id for branch in branches]
    world.checkout.push(world.services.repositories.path(project.id), ":refs/heads/gone")
    intake.take_pushes(world.services, project, "dev")
    assert left(world, project, 1) == [ids[1], ids[4]]


def test_what_goes_on_or_ended_just_now_stays(world: World, project: Project) -> None:
    first, second = built(world, project, "feature").id, built(world, project, "feature").id
    waiting, last = (built(world, project, "feature", run=False).id for _ in range(2))
    assert left(world, project, 1, after=timedelta(hours=23)) == [first, second, waiting, last]
    assert left(world, project, 1) == [second, waiting, last]


def test_zero_keeps_all(world: World, project: Project) -> None:
    ids = [built(world, project, "feature").id for _ in range(3)]
    assert left(world, project, 0) == ids


def test_the_number_of_a_job_is_not_given_again(world: World, project: Project) -> None:
    """A pipeline that was planned later than a newer one has the newest jobs."""
    world.jobs.exits[("build", 1)] = Exit(1)
    first, second = (built(world, project, "feature", run=False) for _ in range(2))
    planning.prepare(world.services, second.id)
    world.durable.run()
    newest = max(job.id for job in world.jobs_of(first))
    assert newest > max(job.id for job in world.jobs_of(second))
    left(world, project, 1)
    third = built(world, project, "feature")
    assert min(job.id for job in world.jobs_of(third)) > newest
    assert (left(world, project, 1), numbers(world, project)) == ([third.id], [])
