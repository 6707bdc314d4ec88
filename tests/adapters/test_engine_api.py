from __future__ import annotations

import gc
import socket
from pathlib import Path

import pytest
from docker.errors import APIError
from tests.engine.fakes import FakeEngine

from cabestan.adapters.engine_api import Engine, is_away, is_coming_up
from cabestan.errors import EngineUnavailable, StepFailed


def test_an_engine_that_is_away_is_told_and_leaves_no_socket_open(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    for make in (lambda: None, lambda: _socket_that_nobody_listens_on(path)):
        make()
        with pytest.raises(EngineUnavailable) as away, Engine(f"unix://{path}").speaking("look"):
            pytest.fail("it spoke")
        assert str(path) in away.value.message
        assert away.value.remedy
        del away
        gc.collect()  # a socket left open would warn now, and warnings are errors


def _socket_that_nobody_listens_on(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("rpc error: code = Unknown desc = The swarm does not have a leader", True),
        ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", True),
        ("rpc error: code = InvalidArgument desc = expanding env failed", False),
        ("no such image", False),
    ],
)
def test_a_swarm_that_is_not_up_yet_is_waited_for_and_a_refusal_is_not(words: str, waits: bool) -> None:
    assert is_coming_up(APIError("500 Server Error", explanation=words)) is waits


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?", True),
        ('error during connect: Post "http://%2Frun%2Fdocker.sock/v1.41/services/x/update": EOF', True),
        ("Error response from daemon: rpc error: code = Unknown desc = The swarm does not have a leader.", True),
        ("Error response from daemon: rpc error: code = Unknown desc = update out of sequence", False),
        ("Error response from daemon: rpc error: code = InvalidArgument desc = port 80 is in use", False),
        ('network "n" is declared as external, but could not be found', False),
    ],
)
def test_a_client_that_found_no_engine_is_known_by_its_words(words: str, waits: bool) -> None:
    assert is_away(words) is waits


def test_what_the_engine_repeats_of_a_secret_is_masked() -> None:
    with pytest.raises(StepFailed) as refused, FakeEngine().speaking("start it", ["the canary"]):
        raise APIError("400 Client Error", explanation="expanding env failed: A=the canary")
    assert refused.value.message == "The engine would not start it: expanding env failed: A=[secret]."
