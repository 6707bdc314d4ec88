"""The connection to the database: SQLite or PostgreSQL, the same to all above."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError

from cabestan.errors import ConfigurationError, Invalid
from cabestan.store.fullness import is_full, storage_full
from cabestan.store.schema.columns import set_registry

#: How long a writer waits for another one (SQLite has one at a time).
_BUSY_SECONDS = 30
#: as many as there are threads that answer requests, and some for workflows: to open one costs more than most queries
_KEPT_CONNECTIONS = 32
#: the number of PostgreSQL's lock for it; ours alone within the database
_WRITING = 0x6361626573


class Database:
    """Hands out transactions. A writing one takes the write lock first, so that it can never fail half-way for it."""

    def __init__(self, url: str, registry: str = "") -> None:
        """`registry` is the address that references of images are given, which are kept without it."""
        self.url = sa.engine.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self.registry = registry
        set_registry(self.engine.dialect, registry)
        #: threads that write wait here rather than at the database's lock: there each would hold a connection, until
        #: none is left for those that read
        self._turn = threading.Lock()
        #: set when something could not be written for want of room
        self.out_of_room = threading.Event()
        #: called after each transaction that wrote, by the thread that did
        self.when_written: list[Callable[[], None]] = []

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._only_what_fits(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes: all of it or nothing, one at a time.

        SQLite: `BEGIN IMMEDIATE`. PostgreSQL: a lock that ends with the transaction, so that what is read in one
        (the highest number, the refs seen last) still holds when it writes.
        """
        with self._only_what_fits(), self._turn, self.engine.connect() as connection:
            connection = connection.execution_options(cabestan_writing=True)
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING)))
                yield connection
        for call in self.when_written:
            call()

    def check(self) -> None:
        """Raises ConfigurationError when the database cannot be used."""
        try:
            with self.reading() as connection:
                connection.execute(sa.select(1))
        except SQLAlchemyError as error:
            shown = self.url.render_as_string(hide_password=True)
            raise ConfigurationError(
                f"The database {shown} does not answer: {_first_line(error)}",
                "Check database_url, that the server runs and that its user may connect.",
            ) from error

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _only_what_fits(self) -> Iterator[None]:
        """Raises Invalid for what the database cannot hold (numbers beyond 64 bits, text with NUL or half
        characters), StorageFull where the disk holds no more.
        """
        try:
            yield
        except (DataError, OverflowError, UnicodeEncodeError) as error:
            words = "A number is too large, or a text holds characters such as NUL."
            raise Invalid(words, "Leave them out.") from error
        except OperationalError as error:
            if not is_full(error):
                raise
            self.out_of_room.set()
            raise storage_full() from error


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        pool_size=_KEPT_CONNECTIONS,
        pool_use_lifo=True,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_SECONDS}000"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("cabestan_writing", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # which asks the disk for nothing; each page has several of them
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    url = url.set(drivername="postgresql+psycopg")
    return sa.create_engine(
        url, pool_size=10, max_overflow=10, pool_pre_ping=True, connect_args={"connect_timeout": 10}
    )


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, OperationalError) and error.orig else error
    return str(cause).strip().partition("\n")[0]
