"""What a stack no longer has: networks, and the texts and secrets of its services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import APIError, NotFound
from tests.adapters.swarm_files import Client, refused

from cabestan.adapters import stacks as module
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.errors import DeadlineExceeded

Speak = Callable[[object], Stacks]


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Speak:
    """Gives stacks that speak with a client."""

    def to(client: object) -> Stacks:
        monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(client))
        return Stacks(Nodes(Engine("unix:///nowhere")), "cab", RegistryLogin("127.0.0.1:5600", "x"), tmp_path / "locks")

    return to


class Networks:
    """Those of an engine; `refusal` is what it says to a removal."""

    def __init__(self, *names: str, refusal: APIError | None = None) -> None:
        self.there = list(names)
        self.refusal = refusal
        self.filters: list[object] = []

    def get(self, name: str) -> SimpleNamespace:
        if name not in self.there:
            raise NotFound("no such network")
        return SimpleNamespace(remove=lambda: self.remove(name))

    def remove(self, name: str) -> None:
        if self.refusal:
            raise self.refusal
        self.there.remove(name)

    def list(self, filters: object) -> list[SimpleNamespace]:
        self.filters.append(filters)
        return [SimpleNamespace(name=name) for name in self.there]


def test_a_network_goes_and_may_be_gone_already(speak: Speak) -> None:
    networks = Networks("one", "two")
    stacks = speak(SimpleNamespace(networks=networks))
    stacks.drop_network("one")
    stacks.drop_network("one")
    assert networks.there == ["two"]


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_network_that_tasks_are_in_stays(speak: Speak, status: int) -> None:
    networks = Networks("one", refusal=refused(status, "network one has active endpoints"))
    speak(SimpleNamespace(networks=networks)).drop_network("one")
    assert networks.there == ["one"]


def test_another_refusal_is_told(speak: Speak) -> None:
    networks = Networks("one", refusal=refused(500, "no"))
    with pytest.raises(APIError):
        speak(SimpleNamespace(networks=networks)).drop_network("one")


def test_only_networks_of_the_environment_are_named(speak: Speak) -> None:
    networks = Networks("one", "two")
    assert speak(SimpleNamespace(networks=networks)).networks_of(7) == {"one", "two"}
    assert networks.filters == [{"label": ["cabestan.instance=cab", "cabestan.environment-id=7"]}]


@pytest.mark.parametrize("drop", [Stacks.drop_configs, Stacks.drop_secrets])
def test_texts_of_the_stack_go_but_for_those_that_are_kept(speak: Speak, drop: Callable[..., tuple[str, ...]]) -> None:
    client = Client(["one", "two"])
    assert drop(speak(client), "shop", {"one"}) == ("two",)
    assert client.filters[0]["label"][:2] == ["cabestan.instance=cab", "com.docker.stack.namespace=shop"]


@pytest.mark.parametrize("drop", [Stacks.drop_configs, Stacks.drop_secrets])
def test_nothing_goes_while_the_stack_is_being_deployed(
    speak: Speak, monkeypatch: pytest.MonkeyPatch, drop: Callable[..., tuple[str, ...]]
) -> None:
    monkeypatch.setattr(module, "_SHORTLY", 0.0)
    client = Client(["one"])
    stacks = speak(client)
    with stacks._alone("shop", 0), pytest.raises(DeadlineExceeded):
        drop(stacks, "shop", ())
    assert client.there == ["one"]
