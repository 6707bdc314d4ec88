from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from cabestan.store.database import Database
from cabestan.store.migrate import configuration, migrate
from cabestan.store.schema import metadata


@pytest.fixture(scope="module")
def migrated(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate(database)
    yield database
    database.close()


def test_the_migrated_tables_are_those_of_the_schema(migrated: Database) -> None:
    with migrated.reading() as tx:
        context = MigrationContext.configure(
            tx, opts={"compare_type": True, "compare_server_default": not migrated.is_sqlite}
        )  # SQLite's defaults read back otherwise than they are written
        assert compare_metadata(context, metadata) == []


def test_migrating_a_second_time_changes_nothing(migrated: Database) -> None:
    migrate(migrated)
    with migrated.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_alembic_itself_finds_nothing_left_to_do(migrated: Database) -> None:
    with migrated.writing() as tx:
        command.check(configuration(tx))
