"""One platform for all tests of this folder (for each worker, of several); tests make projects of their own on it."""

import os
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import MakeDatabase
from tests.integration import layers
from tests.integration.harness import Platform, eventually

#: has the platform's registry hold the layers of these base images, `NAME:VERSION`
ShareLayers = Callable[..., None]


@pytest.fixture(scope="session")
def share_layers(tmp_path_factory: pytest.TempPathFactory) -> ShareLayers:
    own = tmp_path_factory.getbasetemp()
    whole = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def share(platform: Platform, *images: str) -> None:
        login, volume = platform.registry_login, f"{platform.instance}-registry"
        for image in images:
            layers.share(whole, platform.client, login, volume, image)

    return share


@pytest.fixture(scope="package")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase, share_layers: ShareLayers
) -> Iterator[Platform]:
    """Router and registry run; the server does not. On the database that `--database` asks for.

    It goes before the tests of other folders begin, with all that was deployed on it.
    """
    platform = Platform(tmp_path_factory.mktemp("platform"), {"database_url": make_database("")})
    try:
        platform.prepare()
        share_layers(platform, "python:3.11")
        yield platform
    finally:
        platform.remove()


@pytest.fixture
def platform(prepared: Platform) -> Iterator[Platform]:
    """With a server that answers, also where an earlier test left none; schedules of earlier tests rest."""
    if prepared.died:
        prepared.start()
    for (schedule,) in prepared.rows("select id from schedules where paused_by = '' and not removed"):
        prepared.post(f"/schedules/{schedule}/pause")
    running = "select id from runs where status in ('created', 'running')"
    eventually(lambda: not prepared.rows(running) and not prepared.left_over().get("runs"), 90, "earlier runs end")
    with prepared.cleared():
        yield prepared
