"""Handing a stack over: one client at a time, also across a kill."""

import subprocess
import time
from pathlib import Path

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.stacks import Stacks
from cabestan.errors import DeadlineExceeded, StepFailed


def _stacks(folder: Path) -> Stacks:
    return Stacks(Engine("unix:///nowhere.sock"), "t", folder)


def test_a_deployment_waits_for_the_client_that_a_killed_server_left(tmp_path: Path) -> None:
    begun = time.monotonic()
    with subprocess.Popen(["flock", str(tmp_path / "s"), "sleep", "1"]):
        time.sleep(0.3)
        with pytest.raises(StepFailed):
            _stacks(tmp_path).deploy("s", "services: {}", {}, 20)
    assert time.monotonic() - begun >= 1


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    with subprocess.Popen(["flock", str(tmp_path / "s"), "sleep", "2"]):
        time.sleep(0.3)
        with pytest.raises(DeadlineExceeded, match="Another `docker stack deploy` of s does not end"):
            _stacks(tmp_path).deploy("s", "services: {}", {}, 0.5)
