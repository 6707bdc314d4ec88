"""Handing a stack over while Swarm changes its services: an update that ends does so by itself, at any moment."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import structlog
from tests.integration.harness import repeating

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.passing_faults import hand_over
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.engine.upkeep.platform import ensure_swarm
from cabestan.errors import StepFailed

pytestmark = pytest.mark.integration

_ADDRESS = "unix:///var/run/docker.sock"
_SERVICES = 6
_AGAIN = "Swarm changed the stack meanwhile, and is given it once more"
_MOST_ROUNDS = 50


def _document(word: str) -> str:
    """Services without tasks: nothing here needs any."""
    service = f"{{image: cabestan/debian:12, environment: {{WORD: {word}}}, deploy: {{replicas: 0}}}}"
    return 'version: "3.8"\nservices:\n' + "".join(f"  s{i}: {service}\n" for i in range(_SERVICES))


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=_ADDRESS, version="auto", timeout=60)
    yield made
    made.close()


@pytest.fixture
def name(client: docker.DockerClient) -> Iterator[str]:
    made = f"t{uuid.uuid4().hex[:7]}"
    yield made
    for service in _services(client, made):
        client.api.remove_service(service["ID"])
    for network in client.networks.list(filters={"label": f"com.docker.stack.namespace={made}"}):
        network.remove()


@pytest.fixture
def stacks(name: str, tmp_path: Path) -> Stacks:
    engine = Engine(_ADDRESS)
    ensure_swarm(engine)
    return Stacks(Nodes(engine), name, RegistryLogin("127.0.0.1:5600", "x"), tmp_path)


def _services(client: docker.DockerClient, name: str) -> list[dict]:
    found: list[dict] = client.api.services(filters={"label": f"com.docker.stack.namespace={name}"})
    return found


def test_a_stack_that_swarm_changes_at_that_moment_is_given_once_more(
    client: docker.DockerClient, name: str, stacks: Stacks
) -> None:
    stacks.deploy(name, _document("one"), {}, 60)
    seen = threading.Event()

    def look(_logger: object, _method: str, event: dict) -> dict:
        if event["event"] == _AGAIN:
            seen.set()
        raise structlog.DropEvent

    def change() -> None:
        """What the services are to be stays as it is."""
        for service in _services(client, name):
            hand_over(client, service, service["Spec"]["TaskTemplate"])

    before = structlog.get_config()
    structlog.configure(processors=[look])
    try:
        with repeating(change, seen):
            for round_ in range(_MOST_ROUNDS):
                stacks.deploy(name, _document(f"round{round_}"), {}, 60)
                if seen.is_set():
                    break
            assert seen.is_set()
    finally:
        structlog.configure(**before)
    words = {spec["TaskTemplate"]["ContainerSpec"]["Env"][0] for spec in (s["Spec"] for s in _services(client, name))}
    assert words == {f"WORD=round{round_}"}


def test_another_refusal_is_told_at_once_in_swarms_words_alone(name: str, stacks: Stacks) -> None:
    lost = 'version: "3.8"\nservices:\n  a: {image: i, networks: [n]}\nnetworks: {n: {external: true, name: nowhere-1}}'
    with pytest.raises(StepFailed) as failed:
        stacks.deploy(name, lost, {}, 60)
    assert failed.value.message.startswith('Swarm refused the stack: network "nowhere-1" is declared as external')
