"""Networks that a file makes keep its services apart within the environment, and reach nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.compose.samples import IMAGE, context, loaded

from cabestan.compose.managed import without_managed
from cabestan.compose.render import render
from cabestan.compose.stack import Stack, StackNetwork, networks_in
from cabestan.domain.managed import Kind

NET = context().network
ROUTED = "labels: {traefik.frontend.rule: 'Host:a.example.org'}, expose: [80]"


def stack(services: dict[str, str], networks: str = "{front: , back: }", kinds: tuple[Kind, ...] = ()) -> Stack:
    lines = "".join(f"  {name}: {{image: '{IMAGE}', {more}}}\n" for name, more in services.items())
    compose = without_managed(loaded(f"services:\n{lines}networks: {networks}\n").compose, kinds)
    return render(compose, replace(context(), domain="a.example.org"))


def joined(rendered: Stack) -> dict[str, list[str]]:
    """Swarm's names of the networks that each service is in, without what is the same in all of them."""
    names = {key: one["name"] for key, one in rendered.document["networks"].items()}
    return {
        name: [names[key].removeprefix(NET)[:6] for key in service["networks"]]
        for name, service in rendered.document["services"].items()
    }


def test_services_without_a_common_network_are_kept_apart() -> None:
    found = stack({"web": "networks: [front]", "api": "networks: [front, back]", "db": "networks: [back]"})

    assert joined(found) == {"web": ["-front"], "api": ["-front", "-back-"], "db": ["-back-"]}
    assert all(len(network.name) < 64 for network in found.networks)
    assert found.networks == networks_in(found.to_yaml()) == Stack.from_yaml(found.to_yaml()).networks


def test_networks_that_keep_nobody_apart_are_the_environments_own() -> None:
    found = stack({"web": "networks: [front]", "api": "networks: [front, back]"})

    assert joined(found) == {"web": [""], "api": [""]}
    assert found.networks == networks_in(found.to_yaml()) == ()


def test_the_router_joins_the_network_of_a_route_alone() -> None:
    found = stack({"web": f"networks: [front], {ROUTED}", "db": "networks: [back]", "other": "tty: true"})

    assert [network.routed for network in found.networks] == [True, False]
    labels = found.document["services"]["web"]["deploy"]["labels"]
    assert labels["traefik.swarm.network"] == found.networks[0].name
    assert joined(found)["other"] == [""]


def test_a_service_of_the_platform_is_in_the_environments_own_network() -> None:
    found = stack(
        {"postgresql": "networks: [back]", "api": "networks: [front, back]", "web": "networks: [front]"},
        kinds=(Kind.POSTGRESQL,),
    )
    assert joined(found) == {"api": ["-front", ""], "web": ["-front"]}

    found = stack(
        {"postgresql": "networks: [back]", "api": "networks: [back]", "web": "tty: true"}, kinds=(Kind.POSTGRESQL,)
    )
    assert joined(found) == {"api": [""], "web": ["-defau"]}


@pytest.mark.parametrize("key", ["back", "default"])
def test_an_internal_network_has_no_way_outside(key: str) -> None:
    found = stack({"web": f"networks: [{key}]"}, f"{{{key}: {{internal: true}}}}")
    (network,) = found.networks

    assert (network.internal, joined(found)) == (True, {"web": [network.name.removeprefix(NET)[:6]]})
    other = stack({"web": f"networks: [{key}, front]", "x": f"networks: [{key}]"}, f"{{{key}: , front: }}")
    assert network.name not in [one.name for one in other.networks]


def test_no_key_of_a_file_leads_to_another_environments_network() -> None:
    rude = {"../x": "network-name", "a.b": "", "a" * 63: "", "A-_.b": ""}
    good = [key for key, code in rude.items() if not code]
    services = {f"s{number}": f"networks: ['{key}']" for number, key in enumerate(good)}
    found = stack(services, "{" + ", ".join(f"'{key}': " for key in good) + "}")

    for network in found.networks:
        assert isinstance(network, StackNetwork)
        assert network.name.startswith(f"{NET}-")
        assert network.name.replace("-", "").isalnum()
