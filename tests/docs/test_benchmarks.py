"""Figures name the values that they were measured with, which are those that ship."""

from __future__ import annotations

import pytest
from tests.adapters.test_traefik import PORTS
from tests.compose.routing_samples import of, old
from tests.docs.pages import ROOT

from cabestan.adapters.traefik import router_container
from cabestan.compose.entrances import Entrances
from cabestan.compose.routing.traefik3 import router_labels


@pytest.mark.parametrize("page", ["docs/benchmarks.md", "docs/decisions/0029-dead-replicas.md"])
def test_killed_replicas_were_measured_with_the_values_that_ship(page: str) -> None:
    labels = router_labels(of(old("Host:a.org")), "s", "n", Entrances())
    retry = {label.rpartition(".")[2]: value for label, value in labels.items() if ".retry." in label}
    command = router_container("cabestan", "i", PORTS, "localhost", None).command
    (dial,) = (word.rpartition("=")[2] for word in command if "dialtimeout" in word)
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    for value in (
        f"{retry['attempts']} attempts, the second after {retry['initialinterval'].replace('ms', ' ms')},",
        f"given up after {dial.replace('ms', ' ms')}",
    ):
        assert value in text
