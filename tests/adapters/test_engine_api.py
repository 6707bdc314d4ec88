from __future__ import annotations

import gc
import socket
from pathlib import Path

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.errors import EngineUnavailable


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
