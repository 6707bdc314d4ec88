"""Images are looked at when the release is made: what they say of themselves counts."""

from __future__ import annotations

import pytest
from tests.engine.test_linting import project_of
from tests.engine.test_pipelines import begun
from tests.engine.world import COMPOSE, World

from cabestan.domain.image import ImageConfiguration
from cabestan.domain.status import RunStatus
from cabestan.engine.building import pipelines
from cabestan.engine.deploying import settings, waivers
from cabestan.store import releases
from cabestan.store.variables import Scope

FILES = {"Dockerfile": "# ours\nFROM somebody/base\nCOPY a b\n", "docker-compose.yml": COMPOSE, "a": "a"}


def test_an_image_that_runs_as_root_is_not_released_and_the_line_is_told(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("", ())
    made = begun(world, FILES)
    world.durable.run()
    ended = world.pipeline(made.id)
    assert ended.status is RunStatus.FAILED
    assert ended.reason == (
        "Dockerfile:2:1 The image shop/api names no user, so it runs as root. "
        "End the Dockerfile with USER 1001 before CMD. Push a new commit: the same one is refused again."
    )


def test_an_image_with_volumes_is_not_released(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("app", ("/data", "/more"))
    made = begun(world, FILES)
    world.durable.run()
    assert "Dockerfile:2:1 The image shop/api declares the volume /data, /more." in world.pipeline(made.id).reason


def test_a_waived_image_is_released_with_a_note(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("root", ())
    made = begun(world, FILES)
    waivers.waive(world.services, project_of(world, made), "image-root", "nobody maintains it", "admin")
    world.durable.run()
    ended = world.pipeline(made.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert "(waived by admin on 2024-05-06: nobody maintains it)" in ended.notes[0]


def test_an_unfit_image_that_no_service_runs_is_no_part_of_the_release(world: World) -> None:
    world.registry.images["shop/api/tools"] = ImageConfiguration("root", ())
    made = begun(world, FILES | {"Dockerfile.tools": "FROM somebody/base\n"})
    world.durable.run()
    ended = world.pipeline(made.id)
    with world.services.database.reading() as tx:
        release = releases.of_pipeline(tx, made.id)
    assert (ended.status, ended.notes) == (
        RunStatus.SUCCEEDED,
        ("The image shop/api/tools runs as root. No service runs it, so it is not part of the release.",),
    )
    assert release
    assert {name.rpartition("/")[2].partition(":")[0] for name in release.images} == {"api"}


def test_a_variable_cannot_bring_an_unfit_image_in_later(world: World) -> None:
    """The release does not have it, so a plan that asks for it is refused."""
    world.registry.images["shop/api/tools"] = ImageConfiguration("root", ())
    compose = COMPOSE.replace("${CI_REGISTRY_IMAGE}:", "${CI_REGISTRY_IMAGE}${WHICH:-}:")
    made = begun(world, FILES | {"Dockerfile.tools": "FROM somebody/base\n", "docker-compose.yml": compose})
    world.durable.run()
    project = project_of(world, made)
    settings.put(world.services, Scope(project.id, "production"), "WHICH", "/tools", "dev", secret=False)
    (waiting,) = world.deployments(world.environment(project, "production"))
    assert waiting.status.value == "failed"
    assert "The release has no image" in waiting.reason


def test_a_release_is_made_once_the_image_is_mended(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("0:0", ())
    made = begun(world, FILES)
    world.durable.run()
    assert world.pipeline(made.id).status is RunStatus.FAILED
    world.registry.images["shop/api"] = ImageConfiguration("1001:0", ())
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert world.pipeline(made.id).status is RunStatus.SUCCEEDED


CACHE = f"{COMPOSE}  store:\n    image: example.org/cache:7\n"
PINNED = "127.0.0.1:5600/library/cache"


def test_an_image_of_others_that_runs_as_root_is_not_released_and_the_line_is_told(world: World) -> None:
    world.stacks.images[PINNED] = ImageConfiguration("", ())
    made = begun(world, FILES | {"docker-compose.yml": CACHE})
    world.durable.run()
    ended = world.pipeline(made.id)
    assert ended.status is RunStatus.FAILED
    line = CACHE.splitlines().index("    image: example.org/cache:7") + 1
    assert ended.reason.startswith(f"docker-compose.yml:{line}:12 services.store.image: The image example.org/cache:7 ")
    assert "names no user, so it runs as root. Set user: to another one in the service" in ended.reason


def test_an_image_of_others_may_be_given_a_user_and_a_place_for_its_volume(world: World) -> None:
    world.stacks.images[PINNED] = ImageConfiguration("root", ("/data/",))
    mounted = f"{CACHE}    user: '1001'\n    volumes: [./data:/data]\n"
    made = begun(world, FILES | {"docker-compose.yml": mounted})
    world.durable.run()
    assert world.pipeline(made.id).reason == ""
    assert world.pipeline(made.id).status is RunStatus.SUCCEEDED


def test_an_image_of_others_with_a_volume_is_released_where_that_is_waived(world: World) -> None:
    world.stacks.images[PINNED] = ImageConfiguration("1001", ("/data",))
    files = FILES | {"docker-compose.yml": CACHE}
    made = begun(world, files)
    world.durable.run()
    assert "The image example.org/cache:7 declares the volume /data." in world.pipeline(made.id).reason
    project = project_of(world, made)
    waivers.waive(world.services, project, "image-volume", "a cache", "admin")
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert world.pipeline(made.id).status is RunStatus.SUCCEEDED
    assert "(waived by admin on 2024-05-06: a cache)" in world.pipeline(made.id).notes[0]


@pytest.mark.parametrize("name", ["127.0.0.1:5600/vic/app:0.2", f"localhost:5600/vic/app@sha256:{'1' * 64}"])
def test_another_projects_image_is_refused_by_whichever_name(world: World, name: str) -> None:
    made = begun(world, FILES | {"docker-compose.yml": CACHE.replace("example.org/cache:7", name)})
    world.durable.run()
    assert f"The pipeline of this commit does not build the image {name}." in world.pipeline(made.id).reason
