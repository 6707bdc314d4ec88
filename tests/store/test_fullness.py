from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from psycopg.errors import DiskFull

from cabestan.errors import StorageFull
from cabestan.store.database import Database
from cabestan.store.fullness import is_full, storage_full


def _caused_by(cause: Exception) -> Exception:
    later = RuntimeError("later")
    later.__cause__ = cause
    return later


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "quota"), DiskFull("full"), storage_full()]
)
def test_a_full_disk_is_told_from_the_error_or_its_cause(error: Exception) -> None:
    assert is_full(error)
    assert is_full(_caused_by(error))


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "broken"), sqlite3.OperationalError("database is locked"), ValueError("full")]
)
def test_other_errors_are_not_those_of_a_full_disk(error: Exception) -> None:
    assert not is_full(error)
    assert not is_full(_caused_by(error))


def _write_too_much(database: Database) -> None:
    with database.writing() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 4")
        tx.exec_driver_sql("INSERT INTO things VALUES (zeroblob(1000000))")


def test_a_database_that_cannot_grow_says_so_and_remembers_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.sqlite'}")
    with database.writing() as tx:
        tx.exec_driver_sql("CREATE TABLE things (thing BLOB)")
    assert not database.out_of_room.is_set()
    with pytest.raises(StorageFull):
        _write_too_much(database)
    assert database.out_of_room.is_set()
    database.close()
