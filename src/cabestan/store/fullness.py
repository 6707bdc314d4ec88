"""Telling a disk that is full from all else that can go wrong."""

import errno
import sqlite3
from collections.abc import Iterator

import psycopg.errors

from cabestan.errors import StorageFull

#: SQLite could not enlarge its database, its journal, or the memory that its connections share
_SQLITE_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: BaseException) -> bool:
    """Whether it is an error of a full disk, or was caused by one."""
    return any(map(_says_full, _chain(error)))


def storage_full() -> StorageFull:
    return StorageFull(
        "No room is left on the disk that holds the data.",
        "Make room; what is under way goes on by itself then.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _says_full(error: BaseException) -> bool:
    match error:
        case StorageFull() | psycopg.errors.DiskFull():
            return True
        case sqlite3.Error():
            return getattr(error, "sqlite_errorcode", None) in _SQLITE_FULL
        case OSError():
            return error.errno in _NO_SPACE
    return False
