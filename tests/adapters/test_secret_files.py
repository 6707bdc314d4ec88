from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from cabestan.adapters.secret_files import SwarmSecret, drop_secrets, ensure_secrets, secret_name
from cabestan.adapters.vault import Vault

LABELS = {"cabestan.instance": "cabestan", "com.docker.stack.namespace": "stack"}


class Client:
    """The part of the engine's API that has secrets; those in `used` are in use."""

    def __init__(self, names: Sequence[str] = (), used: Sequence[str] = ()) -> None:
        self.there = list(names)
        self.used = used
        self.made: list[tuple[str, bytes, dict[str, str]]] = []
        self.filters: list[dict[str, list[str]]] = []
        self.api = SimpleNamespace(secrets=self.list, create_secret=self.create, remove_secret=self.remove)

    def list(self, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        self.filters.append(filters)
        return [{"ID": name, "Spec": {"Name": name}} for name in self.there]

    def create(self, name: str, data: bytes, labels: dict[str, str]) -> None:
        self.made.append((name, data, labels))

    def remove(self, key: str) -> None:
        if key in self.used:
            words = f"rpc error: code = InvalidArgument desc = secret '{key}' is in use by the following service: web"
            raise APIError(words, SimpleNamespace(status_code=400, reason="Bad Request"), words)
        self.there.remove(key)


def test_a_name_holds_stack_secret_and_hash_and_is_never_too_long_for_swarm() -> None:
    assert secret_name("cabestan-1-shop-api", "KEY", "0123456789abcdef") == "cabestan-1-shop-api_KEY_0123456789ab"
    long = secret_name("s" * 32, "N" * 128, "0123456789abcdef")
    assert (len(long), long[:33], long[-13:]) == (64, "s" * 32 + "_", "_0123456789ab")


def test_only_what_is_missing_is_made_with_our_labels() -> None:
    client: Any = Client(["one"])
    ensure_secrets(client, LABELS, [SwarmSecret("one", "KEY", "a"), SwarmSecret("two", "KEY", "ü")])
    assert client.made == [("two", "ü".encode(), LABELS | {"cabestan.secret": "KEY"})]
    assert client.filters == [{"label": [*(f"{k}={v}" for k, v in LABELS.items()), "cabestan.secret"]}]


def test_what_is_kept_or_in_use_stays() -> None:
    client: Any = Client(["one", "two", "three"], used=["three"])
    assert drop_secrets(client, LABELS, {"one"}) == ("two",)
    assert client.there == ["one", "three"]


def test_another_refusal_is_told() -> None:
    client: Any = Client(["one"])

    def refuse(key: str) -> None:
        raise APIError("no", SimpleNamespace(status_code=500, reason="x"), key)

    client.api.remove_secret = refuse
    with pytest.raises(APIError):
        drop_secrets(client, LABELS)


def test_a_value_is_in_no_representation() -> None:
    assert "canary" not in repr(SwarmSecret("one", "KEY", "canary"))


def test_the_hash_tells_contents_and_contexts_apart_and_needs_the_key() -> None:
    vault, other = Vault(b"k" * 32), Vault(b"o" * 32)
    hashes = {
        vault.hash("a", "stack KEY"),
        vault.hash("b", "stack KEY"),
        vault.hash("a", "stack OTHER"),
        other.hash("a", "stack KEY"),
    }
    assert len(hashes) == 4
    assert vault.hash("a", "stack KEY") == vault.hash("a", "stack KEY")
