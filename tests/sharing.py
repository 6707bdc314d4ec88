"""Several workers share the tests (`-n`): what each is handed at a time, and in which order.

What waits for the engine comes first, so that there is something to do meanwhile; the browser's tests come last.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: long files whose tests share nothing but the worker's platform: each test may go to another worker
_BY_TEST = {
    "test_canary.py",
    "test_examples.py",
    "test_from_push_to_production.py",
    "test_https.py",
    "test_kill_at_each_step.py",
    "test_platform_commands.py",
    "test_restarts.py",
}
#: going from one to the other makes a worker prepare its databases anew
_DATABASES = ("sqlite", "postgresql")


def rank(path: PurePath) -> int:
    """The place of a file: those that need the engine, of which those that stay whole come first; others; the browser.

    Playwright's event loop stays in the main thread, where others start their own: after its tests come no others.
    """
    if "e2e" in path.parts:
        return 3
    if "integration" not in path.parts:
        return 2
    return 1 if path.name in _BY_TEST else 0


def unit(test: str) -> str:
    """What a worker is handed at once: the test's file, as far as it runs on one kind of database, or the test."""
    file = test.partition("::")[0]
    kind = next((kind for kind in _DATABASES if f"[{kind}" in test), "")
    return test if rank(PurePath(file)) == 1 else f"{file} {kind}".rstrip()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One alone keeps to the order of the files, but for the browser's."""
    shared = hasattr(config, "workerinput")
    items.sort(key=lambda item: rank(item.path) if shared else "e2e" in item.path.parts)


class Sharing(LoadScopeScheduling):
    """In the order of the collection, a unit at a time."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """What nobody closed fails the last test, for what a worker finds after its tests is not heard of."""
    yield
    gc.collect()
