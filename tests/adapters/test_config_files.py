from __future__ import annotations

from typing import Any

from tests.adapters.swarm_files import Client

from cabestan.adapters.config_files import ensure_configs

LABELS = {"cabestan.instance": "cabestan", "com.docker.stack.namespace": "stack"}


def test_only_what_is_missing_is_made_with_our_labels() -> None:
    client: Any = Client(["one"])
    ensure_configs(client, LABELS, {"one": "a", "two": "ü\udce9"})
    assert client.made == [("two", "ü?".encode(), LABELS | {"cabestan.config": ""})]
    assert client.filters == [{"label": [*(f"{k}={v}" for k, v in LABELS.items()), "cabestan.config"]}]
