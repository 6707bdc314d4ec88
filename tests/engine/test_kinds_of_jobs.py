"""What each kind of job runs as, also where an earlier version stored it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from tests.engine.world import FILES, World
from tests.samples import build_spec, job, spec

from cabestan.adapters.job_containers import Volume
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import JobKind, LintJob
from cabestan.domain.status import RunStatus
from cabestan.engine.building import intake, jobs, pipelines
from cabestan.engine.building.runners import runner_of
from cabestan.pipeline.build_script import BUILD_SCRIPT


def test_every_kind_has_its_workflow() -> None:
    assert set(jobs._WORKFLOWS) == set(JobKind)


def test_what_the_server_does_itself_has_no_container(world: World) -> None:
    assert runner_of(world.services, replace(job(), spec=LintJob("lint", "lint"))) is None


def test_a_script_gets_no_token_no_volume_and_nothing_that_speaks_to_anybody(world: World) -> None:
    project = world.project()
    world.released(project)
    (pipeline,) = world.pipelines(project)
    script = replace(job(), pipeline_id=pipeline.id, spec=spec(script="echo first", environment=(("A", "1"),)))
    runner = runner_of(world.services, script)
    assert runner
    runner.prepare()
    made_of = runner.container(1)
    assert (made_of.image, made_of.command) == ("i", ("/bin/bash", "-c", "echo first"))
    assert (runner.secret, runner.base_images, made_of.volumes) == (None, (), ())
    assert (made_of.network, made_of.environment["A"]) == ("none", "1")
    assert made_of.environment.keys() & {"TOKEN_FILE", "CACHE"} == set()


def test_a_build_runs_our_script_beside_the_projects_builder(world: World) -> None:
    project = world.project()
    world.released(project)
    (pipeline,) = world.pipelines(project)
    runner = runner_of(world.services, replace(job(), pipeline_id=pipeline.id, spec=build_spec()))
    assert runner
    made_of = runner.container(3)
    assert made_of.command == ("/bin/bash", "-c", BUILD_SCRIPT)
    assert (made_of.environment["A"], made_of.environment["ATTEMPT"]) == ("1", "3")
    gate = Volume("cabestan-gate", "/run/gate", read_only=True)
    assert made_of.volumes == (Volume(f"cabestan-builder-{project.id}-run", "/run/builder"), gate)
    assert made_of.network == "none"
    assert runner.base_images == ("cabestan/node:18",)


def _of_the_first_version(row: dict[str, object]) -> dict[str, object]:
    build = {key: value for key, value in dict(row["build"]).items() if key not in ("target", "args")}  # type: ignore[call-overload]
    environment = [pair for pair in row["environment"] if pair[0] != "TARGET"]  # type: ignore[attr-defined]
    gone = {
        "build": build,
        "environment": environment,
        "engine_socket": True,
        "token": True,
        "script": "of old",
        "image": "cabestan/job:1",
    }
    return {key: value for key, value in row.items() if key not in ("base_images", "bases")} | gone


def _of_the_last_version(row: dict[str, object]) -> dict[str, object]:
    return row | {"builder": True, "token": True, "script": "of old"}


@pytest.mark.parametrize("former", [_of_the_first_version, _of_the_last_version])
def test_a_build_of_an_earlier_version_is_retried_with_todays_script(world: World, former: object) -> None:
    project = world.project()
    world.push(project, FILES)
    (made,) = intake.take_pushes(world.services, project, "dev")
    world.jobs.exits[("build", 1)] = Exit(2)
    world.durable.run()
    (_, build) = world.jobs_of(made)
    with world.services.database.writing() as tx:
        row = json.loads(tx.execute(sa.text("SELECT spec FROM jobs WHERE id = :id"), {"id": build.id}).scalar_one())
        given = {"id": build.id, "spec": json.dumps(former(row))}  # type: ignore[operator]
        tx.execute(sa.text("UPDATE jobs SET spec = :spec WHERE id = :id"), given)
    pipelines.retry(world.services, made.id)
    world.durable.run()
    (_, again) = world.jobs_of(made)
    assert (again.status, again.attempt, again.spec.kind) == (RunStatus.SUCCEEDED, 2, JobKind.BUILD)
    made_of = world.jobs.made_of[f"cabestan-job-{build.id}-2"]
    assert (made_of.command[-1], made_of.environment["TARGET"]) == (BUILD_SCRIPT, "")
    assert made_of.image == "cabestan/builder:1"
