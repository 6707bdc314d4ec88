"""What an installation had before variables got levels is there afterwards."""

import sqlalchemy as sa
from alembic import command

from cabestan.store.database import Database
from cabestan.store.migrate import configuration

_ROWS = (
    "INSERT INTO projects (id, name, default_branch, created_at) VALUES (1, 'shop/api', 'main', 0)",
    "INSERT INTO environments (id, project_id, name, position, watch_seconds) VALUES (1, 1, 'staging', 1, 5)",
    "INSERT INTO pipelines (id, project_id, branch, created_at) VALUES (1, 1, 'main', 0)",
    "INSERT INTO releases (id, project_id, pipeline_id, number, created_at) VALUES (1, 1, 1, 1, 0)",
    "INSERT INTO settings (id, project_id, name, version, secret, value, created_at)"
    " VALUES (1, 1, 'LEVEL', 1, {false}, 'high', 0)",
)
_TABLES = ("projects", "environments", "pipelines", "releases", "settings")


def _counts(tx: sa.Connection) -> list[int]:
    return [tx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in _TABLES]


def test_rows_survive(database_url: str) -> None:
    database = Database(database_url)
    with database.writing() as tx:
        command.upgrade(configuration(tx), "0001")
        for row in _ROWS:
            tx.execute(sa.text(row.format(false="0" if database.is_sqlite else "false")))
        command.upgrade(configuration(tx), "0002")
    with database.reading() as tx:
        assert _counts(tx) == [1] * 5
        found = tx.execute(sa.text("SELECT protected_branches FROM projects")).scalar_one()
        setting = tx.execute(sa.text("SELECT project_id, group_name, value, masked FROM settings")).one()
        released = tx.execute(sa.text("SELECT dotenv, variables FROM releases")).one()
    assert (found, tuple(setting), tuple(released)) == ('["@default"]', (1, "", "high", False), ("", "{}"))
    database.close()
