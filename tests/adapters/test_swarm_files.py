"""Secrets and configs of Swarm: what goes, and what stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from docker.errors import APIError
from tests.adapters.swarm_files import Client, refused

from cabestan.adapters.config_files import drop_configs
from cabestan.adapters.secret_files import drop_secrets

LABELS = {"cabestan.instance": "cabestan", "com.docker.stack.namespace": "stack"}

each = pytest.mark.parametrize(
    ("drop", "label"), [(drop_secrets, "cabestan.secret"), (drop_configs, "cabestan.config")]
)


@each
def test_what_is_kept_or_in_use_stays(drop: Callable[..., tuple[str, ...]], label: str) -> None:
    client: Any = Client(["one", "two", "three"], used=["three"])
    assert drop(client, LABELS, {"one"}) == ("two",)
    assert client.there == ["one", "three"]


@each
def test_only_what_has_our_labels_is_looked_at(drop: Callable[..., tuple[str, ...]], label: str) -> None:
    client: Any = Client()
    assert drop(client, LABELS) == ()
    assert client.filters == [{"label": ["cabestan.instance=cabestan", "com.docker.stack.namespace=stack", label]}]


@each
def test_what_somebody_else_removed_meanwhile_is_not_told(drop: Callable[..., tuple[str, ...]], label: str) -> None:
    client: Any = Client(["one", "two"], gone=["one"])
    assert drop(client, LABELS) == ("two",)


@each
@pytest.mark.parametrize(("status", "words"), [(500, "it is in use"), (400, "no")])
def test_another_refusal_is_told(drop: Callable[..., tuple[str, ...]], label: str, status: int, words: str) -> None:
    client: Any = Client(["one"])

    def refuse(_key: str) -> None:
        raise refused(status, words)

    client.api.remove_secret = client.api.remove_config = refuse
    with pytest.raises(APIError):
        drop(client, LABELS)
