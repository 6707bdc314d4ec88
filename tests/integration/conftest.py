"""One platform for the whole session; tests make projects of their own on it."""

from collections.abc import Iterator

import pytest
from tests.integration.harness import Platform


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Router and registry run; the server does not."""
    platform = Platform(tmp_path_factory.mktemp("platform"))
    try:
        platform.prepare()
        yield platform
    finally:
        platform.remove()


@pytest.fixture
def platform(prepared: Platform) -> Iterator[Platform]:
    """With a server that answers; one that an earlier test left with other settings is started anew."""
    if prepared.died:
        prepared.start()
    yield prepared
