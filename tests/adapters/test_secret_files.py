from __future__ import annotations

from typing import Any

from tests.adapters.swarm_files import Client

from cabestan.adapters.secret_files import SwarmSecret, ensure_secrets, secret_name
from cabestan.adapters.vault import Vault

LABELS = {"cabestan.instance": "cabestan", "com.docker.stack.namespace": "stack"}


def test_a_name_holds_stack_secret_and_hash_and_is_never_too_long_for_swarm() -> None:
    assert secret_name("cabestan-1-shop-api", "KEY", "0123456789abcdef") == "cabestan-1-shop-api_KEY_0123456789ab"
    long = secret_name("s" * 32, "N" * 128, "0123456789abcdef")
    assert (len(long), long[:33], long[-13:]) == (64, "s" * 32 + "_", "_0123456789ab")


def test_only_what_is_missing_is_made_with_our_labels() -> None:
    client: Any = Client(["one"])
    ensure_secrets(client, LABELS, [SwarmSecret("one", "KEY", "a"), SwarmSecret("two", "KEY", "ü")])
    assert client.made == [("two", "ü".encode(), LABELS | {"cabestan.secret": "KEY"})]
    assert client.filters == [{"label": [*(f"{k}={v}" for k, v in LABELS.items()), "cabestan.secret"]}]


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
