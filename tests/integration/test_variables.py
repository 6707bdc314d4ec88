"""Variables of each level, and secrets as files, from the command that sets them to the container that reads them."""

import json
import uuid
from contextlib import suppress
from typing import Any

import httpx
import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt
from tests.integration.test_canary import Watcher, _is_nowhere

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stacks import Stacks
from cabestan.domain.labels import SECRET_LABEL

pytestmark = pytest.mark.integration

_SAYS = 'open("/run/secrets/bird").read() + " " + os.environ["SAYS"]'
_FILES = unbuilt(
    {
        **SMALL,
        "app.py": SMALL["app.py"].replace('os.environ["SAYS"]', f"({_SAYS})"),
        ".env": "LEVEL=debug\nCI_COMMIT_SHA=dev\n",
        "docker-compose.yml": COMPOSE.replace(
            "      SAYS: one ${CI_ENVIRONMENT_NAME} ${CI_COMMIT_SHA}\n",
            "      SAYS: ${LEVEL} ${X_FROM:-nowhere} ${CI_COMMIT_AUTHOR} ${CI_PROJECT_PATH_SLUG}\n"
            "    secrets:\n      - {source: BIRD, target: bird, uid: '1001', mode: 0400}\n",
        ),
    }
)


@pytest.fixture
def work(platform: Platform) -> Work:
    """In a group of its own."""
    group = f"g{uuid.uuid4().hex[:7]}"
    made = platform.make_project(_FILES, f"{group}/app")
    platform.put(f"/groups/{group}/variables/LEVEL", {"value": "of-the-group"})
    return made


def _swarm_secrets(platform: Platform, stack: str) -> dict[str, dict[str, str]]:
    """Name to labels."""
    found = platform.client.api.secrets(filters={"label": [SECRET_LABEL, f"com.docker.stack.namespace={stack}"]})
    return {secret["Spec"]["Name"]: secret["Spec"]["Labels"] for secret in found}


def test_a_secret_file_and_variables_of_each_level_reach_the_container(platform: Platform, work: Work) -> None:
    first, second = (f"canary-{uuid.uuid4().hex}" for _ in range(2))
    secret = f"/projects/{work.name}/secrets/SV_STAGING_BIRD"
    platform.put(secret, {"value": first})
    watcher = Watcher(first)
    with watcher.watching():
        deployment = work.deployed()
    assert deployment["status"] == "succeeded", deployment
    slug = work.name.replace("/", "-")
    platform.comes_to_say(work.host("staging"), f"{first} of-the-group nowhere Test <test@example.org> {slug}")
    assert (watcher.seen, watcher.looked > 1000) == ([], True)
    warnings = platform.get(f"/deployments/{deployment['id']}")["plan"]["warnings"]
    assert [w.partition(" For ")[0] for w in warnings if w.startswith(".env")] == [
        ".env:1:1 LEVEL: LEVEL is 'debug' in .env and 'of-the-group' in a deployment."
    ]
    stack = f"{platform.instance}-{platform.environment_id(work.name)}-{slug}-staging"[:32].strip("-")
    [name] = made = _swarm_secrets(platform, stack)
    assert name.startswith(f"{stack}_BIRD_")
    assert made[name][SECRET_LABEL] == "BIRD"
    services = platform.client.api.services(filters={"label": f"com.docker.stack.namespace={stack}"})
    assert first not in json.dumps(services)
    _is_nowhere(platform, work, first)

    platform.put(secret, {"value": second})
    staging = f"/projects/{work.name}/environments/staging"
    assert platform.get(staging)["changed_variables"] == ["BIRD"]
    ended = _deployed_through_kills(platform, work, staging, deployment["release"])
    assert ended["status"] == "succeeded", ended
    platform.comes_to_say(work.host("staging"), f"{second} ")
    assert platform.get(staging)["changed_variables"] == []
    assert len(_swarm_secrets(platform, stack)) == 2
    _is_nowhere(platform, work, second)
    _old_ones_go(platform, stack, name)


def _deployed_through_kills(platform: Platform, work: Work, staging: str, release: int) -> dict[str, Any]:
    """The same release again, with the server killed before and after the stack is applied."""
    platform.forget_kills()
    kills = ["deployment.apply:before", "deployment.apply:after"]
    platform.stop()
    platform.start(kills)
    with suppress(httpx.HTTPError):
        platform.post(f"{staging}/deployments", {"release": release})

    def ended() -> dict[str, Any] | None:
        [newest, *older] = platform.deployments(work.name, "staging")
        return newest if older and newest["status"] in ("succeeded", "failed", "rolled_back") else None

    found: dict[str, Any] = platform.run_through(kills, ended, 90)
    assert platform.killed_at == frozenset(kills)
    return found


def _old_ones_go(platform: Platform, stack: str, old: str) -> None:
    """What a service uses stays, whatever is asked for, until the stack goes."""
    engine = Engine(platform.engine)
    stacks = Stacks(Nodes(engine), platform.instance, platform.registry_login, platform.data / "locks")
    try:
        assert eventually(lambda: stacks.drop_secrets(stack, ()), 20, "the old secret goes") == (old,)
        assert len(_swarm_secrets(platform, stack)) == 1
        PlatformContainers(engine, platform.instance).leave(f"{platform.instance}-router", f"{stack}-net")
        stacks.remove(stack, f"{stack}-net")
        assert _swarm_secrets(platform, stack) == {}
    finally:
        engine.client.close()


def test_what_a_pipeline_is_given_travels_to_the_container(platform: Platform, work: Work) -> None:
    platform.put(f"/projects/{work.name}/secrets/BIRD", {"value": "tweet"})
    work.deployed()
    made = platform.post(f"/projects/{work.name}/pipelines", {"variables": {"X_FROM": "the pipeline", "Y": "no"}})
    pipeline = platform.wait_for_pipeline(made["id"])
    assert (pipeline["status"], pipeline["variables"]) == ("succeeded", {"X_FROM": "the pipeline", "Y": "no"})
    [deployment] = [d for d in platform.deployments(work.name, "staging") if d["release"] == pipeline["release"]]
    platform.succeeds(deployment["id"])
    platform.comes_to_say(work.host("staging"), "tweet of-the-group the pipeline ")
