"""Handing a stack over: one client at a time, also across a kill."""

import subprocess
import time
from pathlib import Path

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.stacks import Stacks, deploy_command, parse_pushed_digest
from cabestan.errors import DeadlineExceeded, StepFailed


def _stacks(folder: Path) -> Stacks:
    return Stacks(Engine("unix:///nowhere.sock"), "t", folder)


def test_the_stack_comes_on_standard_input_and_no_image_is_looked_up() -> None:
    assert deploy_command("unix:///e.sock", "s") == [
        *("docker", "--host", "unix:///e.sock", "stack", "deploy"),
        *("--prune", "--resolve-image", "never", "-c", "-", "s"),
    ]


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


def test_a_push_without_a_digest_tells_the_words_of_the_registry() -> None:
    assert parse_pushed_digest([{}, {"aux": {"Digest": "sha256:1"}}], "r") == "sha256:1"
    with pytest.raises(StepFailed, match="r cannot be pushed: refused"):
        parse_pushed_digest([{"error": "refused"}], "r")
