"""One platform for all tests of this folder (for each worker, of several); tests make projects of their own on it."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import MakeDatabase
from tests.integration import databases, layers
from tests.integration.harness import Platform, eventually

#: has the platform's registry hold the layers of these base images, `NAME:VERSION`
ShareLayers = Callable[..., None]


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers have."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def share_layers(whole_run: Path) -> ShareLayers:
    def share(platform: Platform, *images: str) -> None:
        login, volume = platform.registry_login, f"{platform.instance}-registry"
        for image in images:
            layers.share(whole_run, platform.client, login, volume, image)

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


@pytest.fixture
def killed(platform: Platform) -> Iterator[Platform]:
    """The platform, its server stopped, with no kills done yet; afterwards the server runs without any again.

    What earlier tests left under way ends first: the kills are for this test's push.
    """
    eventually(lambda: platform.workflows() == 0, 90, "earlier work ends")
    platform.stop()
    platform.forget_kills()
    yield platform
    if not platform.died:
        platform.kill()


@pytest.fixture(scope="package")
def clients(prepared: Platform, whole_run: Path) -> Iterator[str]:
    """An image with the clients of all databases. The engine alone has it; the first worker makes it for all."""
    name = f"{prepared.instance}.invalid/clients:1"
    with layers.one_at_a_time(whole_run, "clients"):
        prepared.client.images.build(fileobj=io.BytesIO(databases.CLIENTS.encode()), tag=name, rm=True)
    yield name
    prepared.client.images.remove(name, force=True)
