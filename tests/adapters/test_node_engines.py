from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.errors import EngineUnavailable, NotFound


class _OnNode(Engine):
    """The engine of a node, which may be `away`."""

    def __init__(self, node: str) -> None:
        super().__init__(f"unix:///{node}")
        self.node = node
        self.away = False

    @contextmanager
    def speaking(self, action: str, secrets: Any = ()) -> Iterator[Any]:
        if self.away:
            raise EngineUnavailable("away", "start it")
        yield SimpleNamespace(api=SimpleNamespace(info=lambda: {"Swarm": {"NodeID": self.node}}))


def test_each_node_has_its_engine() -> None:
    manager, worker = _OnNode("a"), _OnNode("b")
    nodes = Nodes(manager, [worker])
    assert (nodes.of("a"), nodes.of("b")) == (manager, worker)


def test_the_engine_of_a_node_that_nobody_reaches_is_said_to_be_that() -> None:
    with pytest.raises(NotFound, match="The engine of the node b is not reached from here"):
        Nodes(_OnNode("a")).of("b")


def test_a_node_that_is_back_in_the_swarm_under_another_id_is_found() -> None:
    manager, worker = _OnNode("a"), _OnNode("b")
    nodes = Nodes(manager, [worker])
    assert nodes.of("b") == worker
    worker.node = "c"
    assert nodes.of("c") == worker


def test_a_node_is_not_missing_while_an_engine_that_may_be_it_is_away() -> None:
    worker = _OnNode("b")
    worker.away = True
    with pytest.raises(EngineUnavailable):
        Nodes(_OnNode("a"), [worker]).of("b")
