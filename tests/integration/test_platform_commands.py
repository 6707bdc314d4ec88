"""`cabestan up`, `down`, `status` and `doctor`, as somebody types them."""

import json
import os
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import MakeDatabase
from tests.integration.harness import Platform

from cabestan.adapters.builders import Builders, BuilderSpec
from cabestan.adapters.engine_api import Engine

pytestmark = pytest.mark.integration


class Machine:
    """An installation of its own, used by nothing but its commands."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.platform = Platform(folder, {"database_url": database_url})
        self.client_config = folder / "client" / "client.toml"

    def cabestan(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        given = {f"CABESTAN_{name.upper()}": value for name, value in settings.items()}
        environment = self.platform.environment | {"CABESTAN_CLIENT_CONFIG": str(self.client_config)} | given
        command = [sys.executable, "-m", "cabestan", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def docker_objects(self) -> dict[str, int]:
        client, label = self.platform.client, {"label": f"cabestan.instance={self.platform.instance}"}
        return {
            "containers": len(client.containers.list(all=True, filters=label, ignore_removed=True)),
            "networks": len(client.networks.list(filters=label)),
            "services": len(client.services.list(filters=label)),
            "volumes": len(client.volumes.list(filters=label)),
        }


@pytest.fixture
def machine(tmp_path: Path, make_database: MakeDatabase) -> Iterator[Machine]:
    made = Machine(tmp_path, make_database(""))
    try:
        yield made
    finally:
        if made.platform.data.exists():
            made.cabestan("down")
        made.platform.remove()


def test_up_prepares_starts_and_logs_in_and_down_purge_leaves_nothing(machine: Machine) -> None:
    first = machine.cabestan("up")
    assert first.returncode == 0, first.stderr

    login = tomllib.loads(machine.client_config.read_text())
    assert login["url"] == f"http://127.0.0.1:{machine.platform.port}"
    assert stat.S_IMODE(machine.client_config.stat().st_mode) == 0o600
    assert json.loads(machine.cabestan("project", "list", "--json").stdout) == []

    told = json.loads(machine.cabestan("status", "--json").stdout)
    assert told == {
        "running": True,
        "pid": told["pid"],
        "version": "0.1.0",
        "url": login["url"],
        "instance": machine.platform.instance,
        "alerts": 0,
    }
    os.kill(told["pid"], 0)

    examined = machine.cabestan("doctor", "--json")
    healths = {finding["check"]: finding["health"] for finding in json.loads(examined.stdout)}
    healthy = ("engine", "swarm", "clock", "disk", "key", "database", "registry", "router", "server")
    assert {check: healths[check] for check in healthy} == dict.fromkeys(healthy, "ok")
    assert examined.returncode == 0

    again = machine.cabestan("up")
    assert again.returncode == 0
    assert json.loads(machine.cabestan("status", "--json").stdout)["pid"] == told["pid"]
    assert tomllib.loads(machine.client_config.read_text()) == login

    _start_builder(machine)
    image = _pull_by_digest(machine)
    assert machine.cabestan("down").returncode == 0
    assert machine.cabestan("status").returncode == 1
    assert machine.docker_objects() == {"containers": 2, "networks": 0, "services": 0, "volumes": 6}

    _start_builder(machine)
    gone = machine.cabestan("down", "--purge")
    assert gone.returncode == 0, gone.stderr
    assert machine.docker_objects() == {"containers": 0, "networks": 0, "services": 0, "volumes": 0}
    assert image not in [name for one in machine.platform.client.api.images() for name in one["RepoDigests"] or ()]
    assert not machine.platform.data.exists()
    assert not machine.client_config.exists()


def _pull_by_digest(machine: Machine) -> str:
    """As Swarm does with what is deployed: without a tag."""
    platform, images = machine.platform, machine.platform.client.images
    name = f"{platform.registry_login.address}/shop/api"
    login = platform.registry_login.of(name, "pull", "push")
    assert images.get("cabestan/base:12").tag(name, "1")
    told = list(images.push(name, "1", auth_config=login, stream=True, decode=True))
    image = next(f"{name}@{line['aux']['Digest']}" for line in told if "aux" in line)
    images.remove(f"{name}:1")
    images.pull(image, auth_config=login)
    return image


def _start_builder(machine: Machine) -> None:
    """As the first build of a project does."""
    platform, engine = machine.platform, Engine(machine.platform.engine)
    memory, disk = 512 * 1024**2, 1024**3
    ports = (platform.registry_port, f"127.0.0.1:{platform.port}")
    spec = BuilderSpec(platform.instance, 1, "cabestan/builder:1", *ports, memory, disk, "internet")
    with closing(engine.client):
        Builders(engine, platform.instance).ensure(spec, in_use=False)


def test_ports_in_use_are_named_with_the_setting_that_changes_them(machine: Machine) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", machine.platform.router_port))
        taken.listen()
        refused = machine.cabestan("up")
        assert refused.returncode == 1
        assert f"127.0.0.1:{machine.platform.router_port}" in refused.stderr
        assert "router_port" in refused.stderr
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", machine.platform.port))
        taken.listen()
        refused = machine.cabestan("up")
    assert refused.returncode == 1
    assert f"Something else listens at 127.0.0.1:{machine.platform.port}" in refused.stderr
    assert machine.cabestan("up").returncode == 0


def test_a_wrong_key_refuses_the_start(machine: Machine) -> None:
    assert machine.cabestan("up").returncode == 0
    assert machine.cabestan("down").returncode == 0
    key = machine.platform.data / "key"
    key.write_text("00" * 32 + "\n")

    refused = machine.cabestan("up")

    assert refused.returncode == 1
    assert f"The key in {key} is not the one that the stored secrets were sealed with" in refused.stderr
    assert machine.cabestan("status").returncode == 1


def test_an_engine_that_is_down_is_told_with_a_remedy(machine: Machine, tmp_path: Path) -> None:
    refused = machine.cabestan("up", engine=f"unix://{tmp_path}/none.sock")
    assert refused.returncode == 1
    assert "does not answer" in refused.stderr
    assert "systemctl start docker" in refused.stderr


def test_an_unknown_setting_is_refused_by_name(machine: Machine) -> None:
    refused = machine.cabestan("up", prot="1")
    assert refused.returncode == 1
    assert "CABESTAN_PROT" in refused.stderr
