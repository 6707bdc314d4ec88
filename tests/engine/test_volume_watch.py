"""The disk of the volumes, and each of them: told when they grow too large, and no longer than that."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.engine.world import World

from cabestan.adapters.volume_sizes import EngineDisk, VolumeSize
from cabestan.domain.alert import Alert
from cabestan.engine.upkeep import volume_watch
from cabestan.errors import EngineUnavailable
from cabestan.store import alerts

GIB = 2**30
DATA = VolumeSize("s_data", 12 * GIB, "shop/api", "production", "data")
REGISTRY = VolumeSize("r", 3 * GIB, "", "", "cabestan-registry")


@pytest.fixture
def disk(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Of 100 GiB; `left` of them. `fails`: its engine does not answer."""
    told = SimpleNamespace(left=50, volumes=(DATA, REGISTRY), fails=False)

    def of(_engine: object, _instance: str) -> EngineDisk:
        if told.fails:
            raise EngineUnavailable("It does not answer.", "Start it.")
        return EngineDisk(str(tmp_path), told.volumes)

    def usage(_folder: str) -> SimpleNamespace:
        return SimpleNamespace(total=100 * GIB, used=(100 - told.left) * GIB, free=told.left * GIB)

    monkeypatch.setattr(volume_watch, "disk_of", of)
    monkeypatch.setattr(shutil, "disk_usage", usage)
    return told


def watched(world: World, volume_bytes: int = 0) -> tuple[Alert, ...]:
    settings = world.services.settings.model_copy(update={"volume_bytes": volume_bytes})
    volume_watch.watch_volumes(replace(world.services, settings=settings))
    with world.services.database.reading() as tx:
        return alerts.all_open(tx)


def test_a_disk_that_fills_up_is_told_with_its_largest_volumes_until_it_is_not(
    world: World, disk: SimpleNamespace, tmp_path: Path
) -> None:
    assert watched(world) == ()
    disk.left = 8
    (alert,) = watched(world)
    assert (alert.kind, alert.project) == ("volumes", "")
    assert alert.message == f"The disk of the volumes ({tmp_path}) is 92 % full: 8.0 of 100 GiB are left."
    assert alert.words == "   12.0 GiB  shop/api production data\n    3.0 GiB  cabestan-registry"
    assert watched(world) == (alert,), "it is told once"
    disk.left = 11
    assert watched(world) == ()


def test_a_volume_that_is_larger_than_allowed_is_told_to_its_project(world: World, disk: SimpleNamespace) -> None:
    world.project()
    (alert,) = watched(world, 10 * GIB)
    assert (alert.kind, alert.subject, alert.project) == ("volume", "shop/api production data", "shop/api")
    assert alert.message == "The volume data of production takes 12.0 GiB, more than 10.0."
    disk.fails = True
    assert watched(world, 10 * GIB) == (alert,), "nobody knows whether it is over"
    disk.fails, disk.volumes = False, (REGISTRY,)
    assert watched(world, 10 * GIB) == ()


def test_by_default_a_volume_may_be_of_any_size(world: World, disk: SimpleNamespace) -> None:
    assert watched(world) == ()
