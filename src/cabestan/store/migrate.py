"""Brings the database's tables to the form that this version needs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cabestan.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Does nothing where the tables are up to date; then Alembic, which is large, is not even loaded."""
    if _present(database) == newest():
        return
    from alembic import command

    with database.writing() as connection:
        command.upgrade(configuration(connection, database.registry), "head")


def newest() -> str:
    """The revision that this version needs: the last file's number."""
    return max(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def configuration(connection: sa.Connection, registry: str = "") -> "Config":
    """Alembic's settings for a connection that is open already; `registry` as the database has it."""
    from alembic.config import Config

    # its default is whatever was the output when Alembic was imported first, which may be closed by now
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["registry"] = registry
    return config


def _present(database: Database) -> str | None:
    with database.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
