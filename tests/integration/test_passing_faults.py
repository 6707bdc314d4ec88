"""Containers that the engine cannot start at once, but a moment later: nobody notices.

The fault itself comes by chance only. What is started here is a file that is not there yet, named like the fault, so
that the engine's own words on it are read as on the fault.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt

pytestmark = pytest.mark.integration

_FILE = "start: device or resource busy"
_APP = """\
    init: false
    healthcheck:
      test: [CMD, python3, -c, "import socket; socket.create_connection(('127.0.0.1', 8000))"]
      interval: 1s
    deploy: {update_config: {order: start-first}}
"""
_ENTRYPOINT = f'    entrypoint: ["/data/{_FILE}"]\n'
_MIGRATE = f"""\
  migrate:
    image: cabestan/python:3.11
    user: "1001"
    restart: "no"
    init: false
    entrypoint: ["/data/{_FILE}"]
    command: [echo, migrated]
    volumes: ["./data:/data"]
"""


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


def _not_started(engine: docker.DockerClient, service: str) -> bool:
    """Whether a service whose name begins so has a container that did not start."""
    services = [s for s in engine.api.services() if s["Spec"]["Name"].startswith(service)]
    tasks = [task for s in services for task in engine.api.tasks(filters={"service": s["ID"]})]
    return any(_FILE in task["Status"].get("Err", "") for task in tasks)


def _give_once_it_failed(engine: docker.DockerClient, work: Work, service: str) -> Path:
    """Puts the file that was missing into the volume."""
    eventually(lambda: _not_started(engine, service), 60, f"a container of {service} that does not start", pause=0.05)
    (volume,) = engine.volumes.list(filters={"name": f"-{work.name.replace('/', '-')}-staging_data"})
    file = Path(engine.api.inspect_volume(volume.name)["Mountpoint"], _FILE)
    file.write_text('#!/bin/sh\nexec "$@"\n')
    file.chmod(0o755)
    return file


def _deployed(work: Work, meanwhile: Callable[[], Path]) -> Path:
    """Pushes, and does something before the deployment is at its end; what that gave."""
    pushed = work.push()
    given = meanwhile()
    assert pushed.pipeline is not None, pushed.output
    assert work.platform.wait_for_pipeline(pushed.pipeline)["status"] == "succeeded"
    (deployment,) = [d for d in work.platform.deployments(work.name, "staging") if d["commit"] == pushed.commit]
    ended = work.platform.wait_for_deployment(deployment["id"])
    assert ended["status"] == "succeeded", ended
    return given


@contextmanager
def _asked(platform: Platform, host: str) -> Iterator[list[int | str]]:
    """Asks again and again meanwhile: the status of each answer, or why there was none."""
    answers: list[int | str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.wait(0.05):
            try:
                answers.append(platform.ask(host).status_code)
            except httpx.TransportError as error:
                answers.append(repr(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        enough.set()
        thread.join()


def test_what_did_not_start_is_started_again(platform: Platform, engine: docker.DockerClient) -> None:
    files = unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _APP})
    compose = files["docker-compose.yml"].replace('app.py:ro"', 'app.py:ro", "./data:/data"')
    work = platform.make_project(files | {"docker-compose.yml": compose + _MIGRATE})
    file = _deployed(work, lambda: _give_once_it_failed(engine, work, f"{platform.instance}-run-"))
    file.unlink()

    work.files["docker-compose.yml"] = compose.replace("one ", "two ") + _ENTRYPOINT
    stack = file.parent.parent.name.removesuffix("_data")
    with _asked(platform, work.host("staging")) as answers:
        _deployed(work, lambda: _give_once_it_failed(engine, work, f"{stack}_app"))
    assert set(answers) == {200}
    platform.comes_to_say(work.host("staging"), "two staging")
