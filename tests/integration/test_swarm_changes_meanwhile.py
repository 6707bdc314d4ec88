"""Handing a stack over while Swarm changes its services: an update that ends does so by itself, at any moment."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
import structlog
from docker.errors import APIError

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.engine.platform import ensure_swarm
from cabestan.errors import StepFailed

pytestmark = pytest.mark.integration

_ADDRESS = "unix:///var/run/docker.sock"
_SERVICES = 6
_AGAIN = "Swarm changed the stack meanwhile, and is given it once more"
#: far more than one client needs
_MOST_CHANGES = 2_000


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
    return Stacks(engine, name, RegistryLogin("127.0.0.1:5600", "x"), tmp_path)


def _services(client: docker.DockerClient, name: str) -> list[dict]:
    found: list[dict] = client.api.services(filters={"label": f"com.docker.stack.namespace={name}"})
    return found


@contextmanager
def _changing(client: docker.DockerClient, name: str, enough: threading.Event) -> Iterator[None]:
    """Changes each service over and over, until it is enough; what the services are to be stays as it is."""

    def change() -> None:
        for _ in range(_MOST_CHANGES):
            if enough.is_set():
                return
            for service in _services(client, name):
                _touch(client, service)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def _touch(client: docker.DockerClient, service: dict) -> None:
    spec = service["Spec"]
    try:
        client.api.update_service(
            service["ID"],
            service["Version"]["Index"],
            task_template=spec["TaskTemplate"],
            name=spec["Name"],
            labels=spec["Labels"],
            mode=spec["Mode"],
            endpoint_spec=spec.get("EndpointSpec"),
        )
    except APIError as error:
        if "out of sequence" not in str(error):  # else the other client was first
            raise


def test_a_stack_that_swarm_changes_at_that_moment_is_given_once_more(
    client: docker.DockerClient, name: str, stacks: Stacks
) -> None:
    stacks.deploy(name, _document("one"), {}, 60)
    enough = threading.Event()

    def seen(_logger: object, _method: str, event: dict) -> dict:
        if event["event"] == _AGAIN:
            enough.set()
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[seen])
    try:
        with _changing(client, name, enough):
            for round_ in range(50):
                stacks.deploy(name, _document(f"round{round_}"), {}, 60)
                if enough.is_set():
                    break
    finally:
        structlog.configure(**before)
    assert enough.is_set()
    words = {spec["TaskTemplate"]["ContainerSpec"]["Env"][0] for spec in (s["Spec"] for s in _services(client, name))}
    assert words == {f"WORD=round{round_}"}


def test_another_refusal_is_told_at_once_in_swarms_words_alone(name: str, stacks: Stacks) -> None:
    lost = 'version: "3.8"\nservices:\n  a: {image: i, networks: [n]}\nnetworks: {n: {external: true, name: nowhere-1}}'
    with pytest.raises(StepFailed) as failed:
        stacks.deploy(name, lost, {}, 60)
    assert failed.value.message.startswith('Swarm refused the stack: network "nowhere-1" is declared as external')
