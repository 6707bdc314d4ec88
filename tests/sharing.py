"""Several workers share the tests (`-n`): what each is handed at a time, and in which order.

What takes long comes first: the browser's tests, all in one piece, for browser and site cost much to start; then what
waits for the engine, so that there is something to do meanwhile. A platform costs a tenth of a processor while it is
there, so a worker has two of them for as short as can be.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: files with a platform of their own: while they run, the worker need not have another one beside it
_OWN_PLATFORM = {
    "test_acme.py",
    "test_engine_restart.py",
    "test_full_disk.py",
    "test_start_on_a_full_disk.py",
}
#: files whose tests share nothing but the worker's platform: each test may go to another worker. First those with
#: tests of minutes, which would else be what all wait for in the end
_LONG_TESTS = {
    "test_backups_elsewhere.py",
    "test_kills_of_database_steps.py",
    "test_major_upgrade.py",
    "test_managed_services.py",
}
_BY_TEST = {
    "test_canary.py",
    "test_examples.py",
    "test_from_push_to_production.py",
    "test_https.py",
    "test_kill_at_each_step.py",
    "test_platform_commands.py",
}
_LONG = 2
_PARTED = 4
#: needs neither engine nor browser
_FREE = 5
#: going from one to the other makes a worker prepare its databases anew
_DATABASES = ("sqlite", "postgresql")


def rank(path: PurePath) -> int:
    """The place of a file: the browser; those with an engine, those of many short tests last; others."""
    if "e2e" in path.parts:
        return 0
    if "integration" not in path.parts:
        return _FREE
    if path.name in _OWN_PLATFORM:
        return 1
    if path.name in _LONG_TESTS:
        return _LONG
    return _PARTED if path.name in _BY_TEST else 3


def unit(test: str) -> str:
    """What a worker is handed at once: the test's file, as far as it runs on one kind of database, or the test."""
    file = PurePath(test.partition("::")[0])
    if rank(file) in (_LONG, _PARTED):
        return test
    kind = next((kind for kind in _DATABASES if f"[{kind}" in test), "")
    return f"{file.parent if rank(file) == 0 else file} {kind}".rstrip()


def _is_free(scope: str) -> bool:
    return rank(PurePath(scope.partition("::")[0].partition(" ")[0])) == _FREE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One alone keeps to the order of the files. What was loaded stays: the collector need not look at it again."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.path))
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "tests with an engine or a browser wait for this file: base images are there then, or it says why not"
    parser.addoption("--images", type=Path, metavar="FILE", help=text)


def _waits(config: pytest.Config) -> bool:
    """Whether base images are still being made."""
    file: Path | None = config.getoption("--images")
    return file is not None and not file.exists()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Around all that is told and timed of a test."""
    while rank(item.path) < _FREE and _waits(item.config):
        time.sleep(0.1)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    file: Path | None = item.config.getoption("--images")
    if file and rank(item.path) < _FREE and (words := file.read_text()):
        pytest.fail(words, pytrace=False)


class Sharing(LoadScopeScheduling):
    """In the order of the collection, a unit at a time; what needs no engine first where the images are not there."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _assign_work_unit(self, node: Any) -> None:
        if _waits(self.config) and (free := next(filter(_is_free, self.workqueue), "")):
            self.workqueue.move_to_end(free, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """What nobody closed fails the last test, for what a worker finds after its tests is not heard of."""
    yield
    gc.collect()
