"""The router does not run: what is told, and how it comes back."""

import socket
import uuid
from contextlib import closing, suppress

import httpx
import pytest
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from tests.integration.harness import Platform, Work, eventually, free_port, start_container
from tests.integration.samples import unbuilt

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.router import PlatformContainers, ServiceContainer
from cabestan.errors import Conflict, StepFailed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def serving(prepared: Platform) -> Work:
    """What the router is to lead to."""
    if prepared.died:
        prepared.start()
    work = prepared.make_project(unbuilt())
    work.goes_live()
    return work


def _router(platform: Platform) -> Container:
    return platform.client.containers.get(f"{platform.instance}-router")


def _start(platform: Platform, router: Container) -> None:
    """By hand; where an environment, and so its network, went meanwhile, only the server gets it to run again."""
    with suppress(NotFound):
        start_container(router)
    eventually(lambda: _router(platform).status == "running", 60, "the router runs")


def _serves(platform: Platform, host: str) -> bool:
    """A router that has just started shows no certificate of ours yet."""
    with suppress(httpx.TransportError):
        return platform.ask(host).status_code == 200
    return False


def test_a_stopped_router_fails_the_deployment_and_the_next_one_works(platform: Platform, serving: Work) -> None:
    """What a person stopped stays so."""
    router = _router(platform)
    router.stop(timeout=1)
    try:
        failed = serving.deployed()
    finally:
        _start(platform, router)
    assert (failed["status"], [step["kind"] for step in failed["steps"]]) == ("failed", ["pull"])
    assert "-router does not run." in failed["reason"]
    again = platform.post(f"/projects/{serving.name}/environments/staging/deployments")
    platform.succeeds(again["id"])
    assert platform.ask(serving.host("staging")).text.startswith("one staging")


def test_a_router_that_was_removed_keeps_nobody_from_working(platform: Platform, serving: Work) -> None:
    """The server starts without it, says what to do, and goes on when it is made anew."""
    _router(platform).remove(force=True)
    platform.restart()
    failed = platform.post(f"/projects/{serving.name}/environments/staging/deployments")
    assert "`cabestan up` starts it" in platform.wait_for_deployment(failed["id"])["reason"]
    platform.prepare()
    platform.restart()
    eventually(lambda: _serves(platform, serving.host("staging")), 60, "it is routed again")


def test_a_router_that_the_engine_could_not_start_is_started_once_that_works(platform: Platform, serving: Work) -> None:
    """As after the machine's own start, where somebody else was faster at its port."""
    router = _router(platform)
    router.stop(timeout=1)
    with closing(socket.create_server(("127.0.0.1", platform.router_port))):
        with pytest.raises(APIError):
            router.start()
        told = eventually(lambda: _alerts(platform), 90, "an alert tells it")
    [(message, remedy)] = told
    assert message.startswith("The router cannot start: ")
    assert f"Free 127.0.0.1:{platform.router_port}" in remedy
    eventually(lambda: _serves(platform, serving.host("staging")), 90, "it is routed again")
    assert _router(platform).id == router.id
    eventually(lambda: not _alerts(platform), 60, "the alert is over")


def _alerts(platform: Platform) -> list[tuple[str, str]]:
    return [(a["message"], a["remedy"]) for a in platform.get("/alerts")["items"] if a["kind"] == "platform"]


def test_one_whose_network_is_gone_is_made_anew(platform: Platform) -> None:
    name = f"t{uuid.uuid4().hex[:7]}"
    command, port = ("sleep", "600"), free_port()
    wanted = ServiceContainer(name, "router", "cabestan/debian:12", command, {"80/tcp": ("127.0.0.1", port)}, {}, {})
    own = Engine(platform.engine)
    with closing(own.client) as client:
        containers = PlatformContainers(own, name)
        network = client.networks.create(name)
        try:
            containers.ensure(wanted)
            containers.join(name, name)
            assert containers.problem(name) == ""
            made = client.containers.get(name)
            made.stop(timeout=0)
            assert containers.problem(name) == "", "somebody stopped it"
            network.remove()
            with pytest.raises(APIError):
                made.start()
            assert "not found" in containers.problem(name)
            with closing(socket.create_server(("127.0.0.1", port))), pytest.raises(StepFailed):
                containers.bring_back(wanted)
            assert containers.problem(name), "it is tried again"
            containers.bring_back(wanted)
            assert (containers.running(name), containers.problem(name)) == (True, "")
            assert client.containers.get(name).id != made.id
        finally:
            containers.stop(name)
            for left in client.networks.list(names=[name]):
                left.remove()


def test_one_of_the_same_name_that_is_not_ours_is_not_started(platform: Platform) -> None:
    name = f"t{uuid.uuid4().hex[:7]}"
    wanted = ServiceContainer(name, "router", "cabestan/debian:12", ("sleep", "600"), {}, {}, {})
    own = Engine(platform.engine)
    with closing(own.client) as client:
        port = free_port()
        ports = {"80/tcp": ("127.0.0.1", port)}
        foreign = client.containers.create("cabestan/debian:12", "sleep 600", name=name, ports=ports)
        try:
            with closing(socket.create_server(("127.0.0.1", port))), pytest.raises(APIError):
                foreign.start()
            containers = PlatformContainers(own, name)
            assert containers.problem(name)
            with pytest.raises(Conflict, match="not ours"):
                containers.bring_back(wanted)
            foreign.reload()
            assert foreign.status != "running"
        finally:
            foreign.remove(force=True)
