from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.conftest import MakeDatabase

from cabestan.store import releases
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


def test_a_release_of_before_keeps_its_compose_file(make_database: MakeDatabase) -> None:
    database = Database(make_database(""))
    with database.writing() as tx:
        command.upgrade(configuration(tx), "0001")
        _an_old_release(tx)
    migrate(database)
    with database.reading() as tx:
        kept = releases.get(tx, 1, 1)
    database.close()
    assert (kept.compose_file, kept.texts) == ("compose.yml", {"compose.yml": "services: {é: {}}"})


def _an_old_release(tx: sa.Connection) -> None:
    for statement in (
        "INSERT INTO projects (id, name, default_branch, created_at) VALUES (1, 'a/b', 'main', 0)",
        "INSERT INTO pipelines (id, project_id, created_at) VALUES (1, 1, 0)",
        "INSERT INTO releases (project_id, pipeline_id, number, images, compose_file, compose, created_at) "
        "VALUES (1, 1, 1, '{}', 'compose.yml', 'services: {é: {}}', 0)",
    ):
        tx.exec_driver_sql(statement)
