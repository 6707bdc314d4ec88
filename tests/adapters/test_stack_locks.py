"""Handing a stack over: one client at a time, also across a kill."""

import fcntl
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.errors import DeadlineExceeded, EngineUnavailable


def _stacks(folder: Path) -> Stacks:
    return Stacks(Nodes(Engine("unix:///nowhere.sock")), "t", RegistryLogin("127.0.0.1:5600", "x"), folder)


@contextmanager
def _held(file: Path, seconds: float) -> Iterator[None]:
    """By another process, for as many seconds as are given, at most."""
    with subprocess.Popen(["flock", "--no-fork", str(file), "sleep", str(seconds)]) as process:
        try:
            while _is_free(file):
                time.sleep(0.01)
            yield
        finally:
            process.kill()


def _is_free(file: Path) -> bool:
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_deployment_waits_for_the_client_that_a_killed_server_left(tmp_path: Path) -> None:
    with _held(tmp_path / "s", 2):
        with pytest.raises(EngineUnavailable):
            _stacks(tmp_path).deploy("s", "services: {}", {}, 60)
        assert _is_free(tmp_path / "s")


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    with (
        _held(tmp_path / "s", 30),
        pytest.raises(DeadlineExceeded, match="Another `docker stack deploy` of s does not end"),
    ):
        _stacks(tmp_path).deploy("s", "services: {}", {}, 0.5)


def test_an_engine_that_never_answers_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        stacks = Stacks(Nodes(Engine(f"unix://{path}")), "t", RegistryLogin("127.0.0.1:5600", "x"), tmp_path / "locks")
        with pytest.raises(DeadlineExceeded, match="`docker stack deploy` of s took longer than 1 s") as late:
            stacks.deploy("s", "services: {}", {}, 1)
    assert "apply_seconds" in late.value.remedy
