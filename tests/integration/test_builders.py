"""Builders on a real engine: made, kept, made anew and taken away."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from docker.errors import NotFound
from tests.integration.harness import eventually

from cabestan.adapters.builders import Builders, BuilderSpec
from cabestan.adapters.engine_api import Engine
from cabestan.domain import docker_names
from cabestan.errors import Conflict

pytestmark = pytest.mark.integration
_MIB = 1024**2


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("unix:///var/run/docker.sock")
    with closing(engine.client):
        yield engine


@pytest.fixture
def spec(engine: Engine) -> Iterator[BuilderSpec]:
    """Of an installation of the test's own; what was made for it goes."""
    instance = f"t{uuid.uuid4().hex[:7]}"
    yield BuilderSpec(instance, 7, "cabestan/builder:1", 5600, "127.0.0.1:8600", 512 * _MIB, 100 * _MIB, "internet")
    for container in engine.client.containers.list(filters={"label": f"cabestan.instance={instance}"}, all=True):
        container.remove(force=True)
    Builders(engine, instance).forget(7)
    for volume in engine.client.volumes.list(filters={"label": f"cabestan.instance={instance}"}):
        volume.remove()


def test_a_builder_is_kept_while_it_is_used_and_made_anew_with_other_settings(
    engine: Engine, spec: BuilderSpec
) -> None:
    builders = Builders(engine, spec.instance)
    builders.ensure(spec, in_use=False)
    first = engine.client.containers.get(spec.name)
    eventually(lambda: _answers(engine, spec), 30, "its engine answers")
    builders.ensure(spec, in_use=False)
    builders.ensure(replace(spec, reach="10.1.2.3:80"), in_use=True)
    assert engine.client.containers.get(spec.name).id == first.id
    assert builders.running() == (7,)
    assert 0 < builders.size(7) < 100 * _MIB

    builders.ensure(replace(spec, reach="10.1.2.3:80"), in_use=False)
    assert engine.client.containers.get(spec.name).id != first.id
    eventually(lambda: _answers(engine, spec), 30, "the engine of the next one answers")

    builders.stop(7, spec.disk)
    assert builders.running() == ()
    assert _left(engine, spec) == {
        "networks": [],
        "volumes": [spec.name, spec.socket_volume],
    }
    builders.forget(7)
    assert _left(engine, spec) == {"networks": [], "volumes": []}


def test_one_that_died_is_started_anew_and_one_that_outgrew_its_bound_begins_with_nothing(
    engine: Engine, spec: BuilderSpec
) -> None:
    builders = Builders(engine, spec.instance)
    builders.ensure(spec, in_use=False)
    eventually(lambda: _answers(engine, spec), 30, "its engine answers")
    engine.client.containers.get(spec.name).kill()
    builders.ensure(spec, in_use=True)
    eventually(lambda: _answers(engine, spec), 30, "its engine answers again")
    builders.stop(7, 1024)
    assert _left(engine, spec) == {"networks": [], "volumes": []}


def test_a_container_of_that_name_that_somebody_else_made_is_left_alone(engine: Engine, spec: BuilderSpec) -> None:
    foreign = engine.client.containers.create("cabestan/debian:12", "true", name=spec.name)
    try:
        with pytest.raises(Conflict, match="not ours"):
            Builders(engine, spec.instance).ensure(spec, in_use=False)
        foreign.reload()
    finally:
        foreign.remove(force=True)


def _answers(engine: Engine, spec: BuilderSpec) -> bool:
    container = engine.client.containers.get(spec.name)
    command = ["docker", "--host", "unix:///run/builder/docker.sock", "version"]
    return container.status == "running" and container.exec_run(command).exit_code == 0


def _left(engine: Engine, spec: BuilderSpec) -> dict[str, list[str]]:
    """Of what is not its container, which is to be gone, nor of the gate, which is all builders'."""
    with pytest.raises(NotFound):
        engine.client.containers.get(spec.name)
    label = {"label": f"cabestan.instance={spec.instance}"}
    volumes = {volume.name for volume in engine.client.volumes.list(filters=label)}
    return {
        "networks": [network.name for network in engine.client.networks.list(filters=label)],
        "volumes": sorted(volumes - {docker_names.gate(spec.instance)}),
    }
