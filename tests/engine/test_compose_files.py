"""Which Compose files a release keeps, and from which of them an environment is deployed."""

from __future__ import annotations

import pytest
from tests.engine.world import COMPOSE, FILES, World
from tests.samples import ADMIN

from cabestan.compose.stack import Stack
from cabestan.domain.deployment import Deployment
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.domain.why import Why
from cabestan.engine.building import intake
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.deploying.settings import set_environment
from cabestan.errors import Invalid
from cabestan.store import releases
from cabestan.store.variables import Scope

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


MOUNTS = f"{COMPOSE}    volumes: ['./${{FOLDER:-data}}:/home/app/src']\n"


def test_a_volume_over_files_of_the_commit_is_refused_before_anything_is_built(world: World) -> None:
    project = world.project()
    world.push(project, **{"docker-compose.yml": MOUNTS.replace("data", "src"), "src/words.py": "1"})
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    ended = world.pipeline(pipeline.id)
    assert ended.status is RunStatus.FAILED
    assert "src is a folder of the commit, with src/words.py" in ended.reason
    assert ended.reason.endswith("data belongs into a path that the commit lacks.")
    assert world.jobs.called("start") == []


def test_a_plan_refuses_a_volume_that_a_variable_puts_over_files_of_the_commit(world: World) -> None:
    project = world.project()
    release = world.released(project, **{"docker-compose.yml": MOUNTS, "src/words.py": "1"})
    served = _latest(world, project)
    assert served.status is DeploymentStatus.SUCCEEDED
    settings.put(world.services, Scope(project.id), "FOLDER", "src", "dev", secret=False)
    with pytest.raises(Invalid, match=r"src is a folder of the commit, with src/words\.py"):
        deployments.deploy(world.services, world.environment(project, "staging"), release, ADMIN)
    again = deployments.deploy(
        world.services, world.environment(project, "staging"), release, ADMIN, restores=served.id
    )
    assert world.plan(again).stack == world.plan(served).stack


def test_links_to_compose_file_and_dockerfile_are_followed(world: World) -> None:
    project = world.project()
    world.checkout.commit({"deploy/compose.yml": COMPOSE, "docker/Dockerfile.prod": "FROM cabestan/python:3.11\n"})
    (world.checkout.path / "docker-compose.yml").symlink_to("deploy/compose.yml")
    (world.checkout.path / "Dockerfile").symlink_to("docker/Dockerfile.prod")
    world.checkout.git("add", "--all")
    world.checkout.git("commit", "--quiet", "--message=links")
    world.checkout.push(world.services.repositories.path(project.id))
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    assert _latest(world, project).status is DeploymentStatus.SUCCEEDED
    with world.services.database.reading() as tx:
        (release,) = releases.page(tx, project.id)
    assert (release.compose_file, release.texts) == ("docker-compose.yml", {"docker-compose.yml": COMPOSE})


def test_a_link_out_of_the_repository_is_named_as_the_cause(world: World) -> None:
    project = world.project()
    world.checkout.commit({"Dockerfile": "FROM cabestan/python:3.11\n"})
    (world.checkout.path / "docker-compose.yml").symlink_to("../shared/compose.yml")
    world.checkout.git("add", "--all")
    world.checkout.git("commit", "--quiet", "--message=links")
    world.checkout.push(world.services.repositories.path(project.id))
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    assert world.pipeline(pipeline.id).reason == (
        "lint: docker-compose.yml:1:1 docker-compose.yml is a symbolic link to ../shared/compose.yml, which leads out "
        "of the repository. Commit the file itself in its place, or a link to a file of this repository."
    )


def test_a_link_out_of_the_repository_under_env_file_is_named_with_the_line(world: World) -> None:
    project = world.project()
    world.checkout.commit(FILES | {"docker-compose.yml": f"{COMPOSE}    env_file: web.env\n"})
    (world.checkout.path / "web.env").symlink_to("../shared/web.env")
    world.checkout.git("add", "--all")
    world.checkout.git("commit", "--quiet", "--message=links")
    world.checkout.push(world.services.repositories.path(project.id))
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    why = Why.of(world.pipeline(pipeline.id).reason)
    assert why.headline == (
        "lint: docker-compose.yml:12:15 services.app.env_file: web.env is a symbolic link to ../shared/web.env, which "
        "leads out of the repository."
    )
    assert why.remedy.startswith("Commit the file itself in its place")


def test_a_submodule_and_a_pointer_of_git_lfs_end_the_pipeline_before_anything_is_built(world: World) -> None:
    project = world.project()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 300000\n"
    world.checkout.commit(FILES | {"logo.bin": pointer})
    world.checkout.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},theme")
    world.checkout.git("commit", "--quiet", "--message=theme")
    world.checkout.push(world.services.repositories.path(project.id))
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()

    lint, _ = world.jobs_of(pipeline)
    assert world.pipeline(pipeline.id).status is RunStatus.FAILED
    assert "theme is a submodule" in world.log(lint)
    assert "logo.bin is kept in Git LFS" in world.log(lint)
    assert world.jobs.called("start") == []
