"""What all tests share: databases, of the kind that `--database` asks for, and unhurried property tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from tests.engine.world import World, make_world
from tests.postgresql import cluster
from tests.repositories import Checkout

from cabestan.server import set_up_logging
from cabestan.store.database import Database
from cabestan.store.migrate import migrate
from cabestan.store.schema import metadata
from cabestan.store.schema.columns import registry_of

pytest_plugins = ["tests.sharing", "tests.unsteady"]
_KINDS = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "both": ("sqlite", "postgresql")}
_numbers = itertools.count(1)

# Property tests must not fail because the machine is busy: no deadline per example.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
set_up_logging("info")


def _share_compiled_statements() -> None:
    """Each database has an engine of its own, which would compile the same statements anew: a quarter of the time.

    One cache for all of SQLite; its dialects are alike where they have the registry at the same address, and must say
    so to be found as a part of the keys.
    """
    compiled: LRUCache[Any, Any] = LRUCache(5_000)
    kind = SQLiteDialect_pysqlite
    kind.__eq__ = lambda self, other: type(self) is type(other) and registry_of(self) == registry_of(other)  # type: ignore[method-assign]
    kind.__hash__ = lambda self: hash((type(self), registry_of(self)))  # type: ignore[method-assign]

    @sa.event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        if isinstance(connection.dialect, SQLiteDialect_pysqlite):
            connection.execution_options(compiled_cache=compiled)


_share_compiled_statements()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=sorted(_KINDS), default="sqlite", help="what the tests with a database run on"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        kinds = _KINDS[metafunc.config.getoption("--database")]
        metafunc.parametrize("database_kind", kinds, scope="session")


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[str]:
    with cluster() as address:
        yield address


#: makes an empty database, or a copy of the one with the address given, and returns its address
MakeDatabase = Callable[[str], str]


@pytest.fixture(scope="session")
def make_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MakeDatabase:
    if database_kind == "sqlite":
        folder = tmp_path_factory.mktemp("databases")
        return lambda template: _new_file(folder, template)
    address: str = request.getfixturevalue("postgresql_address")
    return lambda template: _new_postgresql(address, template)


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase) -> str:
    """An empty database of this module alone."""
    return make_database("")


@pytest.fixture(scope="session")
def migrated_url(make_database: MakeDatabase) -> str:
    """A database with all tables and nothing in them, to be copied."""
    url = make_database("")
    database = Database(url)
    migrate(database)
    database.close()
    return url


@pytest.fixture(scope="module")
def module_url(make_database: MakeDatabase, migrated_url: str) -> str:
    """A database of this module alone, with all tables and nothing in them."""
    return make_database(migrated_url)


@pytest.fixture
def fresh_url(make_database: MakeDatabase, migrated_url: str, request: pytest.FixtureRequest) -> str:
    """The same for each test. PostgreSQL empties the module's, for it copies slowly."""
    if migrated_url.startswith("sqlite:"):
        return make_database(migrated_url)
    url: str = request.getfixturevalue("module_url")
    database = Database(url)
    with database.writing() as tx:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        tx.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
    database.close()
    return url


@pytest.fixture
def database(fresh_url: str) -> Iterator[Database]:
    opened = Database(fresh_url, "127.0.0.1:5600")
    yield opened
    opened.close()


def _new_file(folder: Path, template: str) -> str:
    path = folder / f"{next(_numbers)}.sqlite"
    if template:
        path.write_bytes(Path(template.removeprefix("sqlite:///")).read_bytes())
    return f"sqlite:///{path}"


def _new_postgresql(address: str, template: str) -> str:
    name = f"test_{next(_numbers)}"
    engine = sa.create_engine(
        address.replace("postgresql:", "postgresql+psycopg:") + "/postgres", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('/')[2] or 'template1'}")
    engine.dispose()
    return f"{address}/{name}"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty Git repository to work in."""
    return Checkout.make(tmp_path / "checkout")


@pytest.fixture
def world(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    """The whole platform but for Docker."""
    made = make_world(tmp_path, database)
    monkeypatch.setattr("cabestan.engine.running.following.copy_log", made.jobs.copy_log)
    return made
