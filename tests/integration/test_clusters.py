"""A platform with two targets, one with two nodes in networks of their own: each environment goes to its own."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
import httpx
import pytest
from tests.integration.harness import Platform
from tests.integration.own_engine import OwnEngine
from tests.integration.relay import relay
from tests.integration.samples import COMPOSE, SMALL, unbuilt
from tests.ports import free_port

from cabestan.domain.target import Target
from cabestan.engine.upkeep.platform import ROUTER_IMAGE

pytestmark = pytest.mark.integration
#: prints where it runs before the rest is started, away from slow disks
_MIGRATION = """\
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    restart: "no"
    command: [python3, -c, "print('migrated')"]
    deploy: {placement: {constraints: [node.labels.disk != slow]}}
"""


@contextmanager
def _engine() -> Iterator[OwnEngine]:
    engine = OwnEngine()
    try:
        engine.make()
        engine.start()
        yield engine
    finally:
        engine.remove()


@pytest.fixture
def far() -> Iterator[OwnEngine]:
    """The manager of the second target."""
    with _engine() as engine:
        engine.load([ROUTER_IMAGE])
        yield engine


@pytest.fixture
def farther(far: OwnEngine) -> Iterator[OwnEngine]:
    """A worker of its Swarm, where everything that may run there does."""
    with _engine() as engine, engine.join(far):
        node = far.command("info", "--format", "{{.Swarm.NodeID}}").strip()
        far.command("node", "update", "--label-add", "disk=slow", node)
        yield engine


@pytest.fixture
def beside(platform: Platform, far: OwnEngine, farther: OwnEngine) -> Iterator[Platform]:
    """The same platform with a second target; there the registry has another address."""
    with relay(far.name, platform.registry_port) as port, relay(farther.name, platform.registry_port, port):
        ports = {"router_port": free_port(), "router_tls_port": free_port()}
        reached = {"router_address": far.host, "router_host": far.host, **ports}
        platform.stop()
        platform.targets = (Target("far", far.address, f"127.0.0.1:{port}", nodes=(farther.address,), **reached),)
        platform.prepare()
        platform.start()
        yield platform
        platform.stop()
        platform.targets = ()


def test_a_release_goes_to_the_engine_of_each_environment(beside: Platform, far: OwnEngine, farther: OwnEngine) -> None:
    work = beside.make_project(unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _MIGRATION}))
    beside.put(f"/projects/{work.name}/environments/production", {"target": "far"})
    work.goes_live()
    made = beside.post(f"/projects/{work.name}/environments/production/deployments", {"release": 1})
    beside.succeeds(made["id"], 180)
    beside.comes_to_say(work.host("staging"), "one staging")
    assert said(beside, work.host("production")).startswith("one production")
    assert "migrated" in log_of(beside, made["id"])
    assert farther.command("images", "--quiet"), "the migration ran on the worker, with an image that it pulled"
    own = docker.DockerClient(base_url=far.address)
    with closing(own):
        services = {service.name for service in own.services.list()}
    assert services == {f"{name}" for name in services if name.startswith(f"{beside.instance}-")} != set()
    assert services.isdisjoint(beside.services())


def said(platform: Platform, host: str) -> str:
    """By the router of the second target, over HTTPS with a certificate of the platform's own."""
    target = platform.targets[0]
    with httpx.Client(verify=platform.trust(), timeout=10, trust_env=False) as client:
        address = f"https://{target.router_host}:{target.router_tls_port}/"
        answer = client.get(address, headers={"Host": host}, extensions={"sni_hostname": host})
    return answer.text


def log_of(platform: Platform, deployment: int) -> str:
    """Of what ran once in it."""
    (run,) = (row[0] for row in platform.rows(f"select id from runs where deployment_id = {deployment}"))
    return platform.http.get(f"/api/v1/runs/{run}/log").text
