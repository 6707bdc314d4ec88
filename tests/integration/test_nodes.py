"""What the engine tells of the Swarm's nodes."""

import pytest
from tests.integration.harness import Platform

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.stacks import Stacks

pytestmark = pytest.mark.integration


def test_nodes_are_known_by_the_names_of_their_machines(prepared: Platform) -> None:
    engine = Engine(prepared.engine)
    try:
        names = Stacks(Nodes(engine), prepared.instance, prepared.registry_login, prepared.data / "locks").node_names()
        info = engine.client.api.info()
        assert names[info["Swarm"]["NodeID"]] == info["Name"]
    finally:
        engine.client.close()
