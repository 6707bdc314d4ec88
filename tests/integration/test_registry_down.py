"""The registry is away, has another key, or has lost an image: what is told, and how it goes on."""

import subprocess
from dataclasses import replace

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import SMALL
from tests.integration.test_from_push_to_production import _approve

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.registry import Registry
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.router import PlatformContainers, registry_container
from cabestan.engine.upkeep.platform import REGISTRY_IMAGE
from cabestan.errors import RegistryUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def work(prepared: Platform) -> Work:
    """One for all builds of these tests, for its builder stays warm."""
    if prepared.died:
        prepared.start()
    return prepared.make_project(SMALL)


def test_with_a_new_key_the_registry_is_made_anew_and_takes_no_token_of_the_former_one(platform: Platform) -> None:
    engine = Engine(platform.engine)
    login, other = platform.registry_login, replace(platform.registry_login, secret="other")

    def give(given: RegistryLogin) -> None:
        """As `cabestan up` does."""
        realm = f"http://127.0.0.1:{platform.port}/registry/token"
        made = registry_container(platform.instance, REGISTRY_IMAGE, platform.registry_port, given, realm)
        PlatformContainers(engine, platform.instance).ensure(made)
        eventually(lambda: _registry_answers(given), 30, "the registry answers")

    try:
        give(other)
        Registry(other).check()
        with pytest.raises(RegistryUnavailable, match="does not know our key"):
            Registry(login).check()
    finally:
        give(login)
        engine.client.close()
    Registry(login).check()


def test_an_unreachable_registry_fails_clearly_and_the_retry_works(platform: Platform, work: Work) -> None:
    registry = platform.client.containers.get(f"{platform.instance}-registry")
    registry.stop(timeout=1)
    try:
        pushed = work.push()
        assert pushed.pipeline
        pipeline = platform.wait_for_pipeline(pushed.pipeline)
        assert pipeline["status"] == "failed"
    finally:
        registry.start()
    eventually(lambda: _registry_answers(platform.registry_login), 60, "the registry is back")
    platform.post(f"/pipelines/{pushed.pipeline}/retry")
    assert platform.wait_for_pipeline(pushed.pipeline)["status"] == "succeeded"
    platform.succeeds(platform.deployments(work.name, "staging")[0]["id"])
    platform.becomes_tidy()


def _registry_answers(login: RegistryLogin) -> bool:
    try:
        Registry(login).check()
        return True
    except RegistryUnavailable:
        return False


def test_an_image_that_the_registry_lost_fails_the_pull_and_touches_nothing(platform: Platform, work: Work) -> None:
    work.goes_live()
    waiting = platform.deployments(work.name, "production")[0]
    [image] = set(platform.get(f"/projects/{work.name}/releases/{waiting['release']}")["images"].values())
    label = {"label": [f"cabestan.project={work.name}", "cabestan.environment=staging"]}
    [service] = platform.client.services.list(filters=label)
    service.remove()
    registry = platform.client.containers.get(f"{platform.instance}-registry")
    registry.stop(timeout=1)
    try:
        eventually(lambda: _forget(platform, image), 60, "the engine forgets the image", 0.5)
        failed = _approve(platform, waiting["id"])
    finally:
        registry.start()
    assert failed["status"] == "failed"
    assert "cannot be pulled" in str(failed["reason"])
    eventually(lambda: _registry_answers(platform.registry_login), 60, "the registry is back")
    again = platform.post(f"/projects/{work.name}/environments/production/deployments")
    platform.succeeds(again["id"])


def _forget(platform: Platform, image: str) -> bool:
    name = image.partition("@")[0]
    for held in platform.client.images.list(name=name):
        subprocess.run(["docker", "image", "rm", "--force", held.id], capture_output=True, check=False)
    return not platform.client.images.list(name=name)
