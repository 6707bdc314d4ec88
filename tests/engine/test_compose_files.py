"""Which Compose files a release keeps, and from which of them an environment is deployed."""

from __future__ import annotations

import pytest
from tests.engine.world import COMPOSE, World
from tests.samples import ADMIN

from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Deployment
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine import deployments, intake
from cabestan.engine.settings import set_environment
from cabestan.errors import Invalid

BASE = "services: {base: {environment: {FROM_BASE: '1'}}}\n"
OVER = "services: {app: {extends: {file: common/base.yml, service: base}, environment: {LEVEL: over}}}\n"
MORE = {"over-compose.yml": OVER, "common/base.yml": BASE}


def _latest(world: World, project: Project, environment: str = "staging") -> Deployment:
    return world.deployments(world.environment(project, environment))[-1]


def _environment_of_app(world: World, deployment: Deployment) -> dict[str, str]:
    environment: dict[str, str] = Stack.from_yaml(world.plan(deployment).stack).document["services"]["app"][
        "environment"
    ]
    return environment


def test_a_release_keeps_what_environments_may_need(world: World) -> None:
    project = world.project()
    set_environment(world.services, project, "staging", ADMIN, compose_files=("deploy/prod.yml",))
    more = {
        "deploy/prod.yml": COMPOSE,
        "other.yml": "a: b",
        "broken-compose.yml": "{",
        "docker-compose.test.yml": "a: b",
    }

    release = world.released(project, **MORE, **more)

    assert release.compose_file == "docker-compose.yml"
    assert release.texts == {
        "docker-compose.yml": COMPOSE,
        "docker-compose.test.yml": "a: b",
        "deploy/prod.yml": COMPOSE,
        **MORE,
    }


def test_an_environment_is_deployed_from_the_files_that_it_names(world: World) -> None:
    project = world.project()
    set_environment(world.services, project, "staging", ADMIN, compose_files=("docker-compose.yml", "over-compose.yml"))
    world.released(project, **MORE)

    deployed, waiting = _latest(world, project), _latest(world, project, "production")

    assert deployed.status is DeploymentStatus.SUCCEEDED
    assert world.plan(deployed).compose_files == ("docker-compose.yml", "over-compose.yml")
    assert world.plan(waiting).compose_files == ("docker-compose.yml",)
    assert _environment_of_app(world, deployed) == {"FROM_BASE": "1", "LEVEL": "over", "KEY": ""}
    assert _environment_of_app(world, waiting) == {"LEVEL": "none", "KEY": ""}


def test_another_choice_plans_what_waits_anew_from_the_same_release(world: World) -> None:
    project = world.project()
    world.released(project, **MORE)
    before = _latest(world, project, "production")

    set_environment(
        world.services, project, "production", ADMIN, compose_files=("docker-compose.yml", "over-compose.yml")
    )

    waiting = _latest(world, project, "production")
    assert waiting.id == before.id
    assert _environment_of_app(world, waiting)["LEVEL"] == "over"


def test_a_rollback_is_made_from_the_files_of_then(world: World) -> None:
    project = world.project()
    set_environment(world.services, project, "staging", ADMIN, compose_files=("docker-compose.yml", "over-compose.yml"))
    first = world.released(project, **MORE)
    set_environment(world.services, project, "staging", ADMIN, compose_files=())
    world.released(project, **MORE)
    assert _environment_of_app(world, _latest(world, project))["LEVEL"] == "none"

    user = world.user("ann", admin=True)
    deployments.roll_back(world.services, world.environment(project, "staging"), first.number, user)
    world.durable.run()

    back = _latest(world, project)
    assert (back.release, back.status) == (first.number, DeploymentStatus.SUCCEEDED)
    assert _environment_of_app(world, back)["LEVEL"] == "over"


def test_a_commit_without_a_named_file_fails_with_its_name(world: World) -> None:
    project = world.project()
    set_environment(world.services, project, "staging", ADMIN, compose_files=("missing.yml",))
    world.push(project)
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    ended = world.pipeline(pipeline.id)
    assert ended.status is RunStatus.FAILED
    assert "has no Compose file missing.yml, from which staging is deployed" in ended.reason


def test_what_any_of_the_files_asks_to_build_is_built(world: World) -> None:
    project = world.project()
    over = "services: {app: {build: web, image: '${CI_REGISTRY_IMAGE}/web:${CI_COMMIT_SHA}'}}\n"
    set_environment(world.services, project, "production", ADMIN, compose_files=("docker-compose.yml", "prod.yml"))
    compose = COMPOSE.replace("  app:\n", "  app:\n    build: .\n")
    web = {"prod.yml": over, "web/Dockerfile": "FROM cabestan/python:3.11\n"}
    world.released(project, **{"docker-compose.yml": compose}, **web)

    assert [job.name for job in world.jobs_of(world.pipelines(project)[-1])] == ["lint", "build", "build web"]


def test_a_project_whose_only_file_is_a_named_one_is_deployed(world: World) -> None:
    project = world.project()
    set_environment(world.services, project, "staging", ADMIN, compose_files=("deploy/prod.yml",))
    world.push(project, {"Dockerfile": "FROM cabestan/python:3.11\n", "deploy/prod.yml": COMPOSE})
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    assert _latest(world, project).status is DeploymentStatus.SUCCEEDED
    assert world.deployments(world.environment(project, "production")) == ()


@pytest.mark.parametrize(
    "path", ["../a.yml", "/a.yml", "a/../b.yml", "a.txt", "./a.yml", "$A.yml", "a\\b.yml", "~/a.yml"]
)
def test_a_path_that_no_compose_file_can_have_is_refused(world: World, path: str) -> None:
    project = world.project()
    with pytest.raises(Invalid, match="cannot be a Compose file"):
        set_environment(world.services, project, "staging", ADMIN, compose_files=(path,))
    with pytest.raises(Invalid, match="too many"):
        set_environment(world.services, project, "staging", ADMIN, compose_files=tuple(f"{n}.yml" for n in range(11)))
    assert world.environment(project, "staging").compose_files == ()


def test_a_release_of_one_text_is_deployed_as_ever(world: World) -> None:
    project = world.project()
    release: Release = world.released(project)

    assert (release.compose_file, release.texts) == ("docker-compose.yml", {"docker-compose.yml": COMPOSE})
    assert _latest(world, project).status is DeploymentStatus.SUCCEEDED
