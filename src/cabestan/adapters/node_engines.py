"""The engines of a Swarm's nodes: what a container says and how it ended is known to that of its node alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from cabestan.adapters.engine_api import Engine
from cabestan.errors import NotFound


@dataclass(frozen=True)
class NodeContainer:
    """A container, and the engine of the node that it is on."""

    id: str
    engine: Engine


class Nodes:
    """`manager` is asked about the Swarm, `others` are the engines of further nodes that are reached from here."""

    def __init__(self, manager: Engine, others: Sequence[Engine] = ()) -> None:
        self.manager = manager
        self.all = (manager, *others)
        self._known: dict[str, Engine] = {}

    def of(self, node: str) -> Engine:
        """The engine of a node, by the id that Swarm has given it.

        Raises NotFound where none of ours is on that node, EngineUnavailable where one that may be does not answer.
        """
        if node not in self._known:
            self._known = {_id_of(engine): engine for engine in self.all}
        if node not in self._known:
            raise NotFound(
                f"The engine of the node {node} is not reached from here.",
                "`docker node ls` shows the nodes; keep applications on those that are known.",
            )
        return self._known[node]


def _id_of(engine: Engine) -> str:
    """Of its node; one that has left its Swarm has another one when it is back."""
    with engine.speaking("tell of its node") as client:
        return str(client.api.info()["Swarm"]["NodeID"])
