"""Durable workflows: steps that are recorded, so that a killed process goes on where it was (DBOS Transact)."""

import contextvars
import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID

from cabestan.store.fullness import is_full

_T = TypeVar("_T")
#: Changes only when the steps of a workflow do: work in flight of another version would be stranded.
_APPLICATION_VERSION = "1"
_THREADS = 256
_FORGOTTEN_AT_ONCE = 200
_CONNECTIONS = 10
#: it has one writer at a time, and those that wait for the write lock sleep ever longer: few may try at once
_SQLITE_CONNECTIONS = 3


class _NoRoom(BaseException):
    """Ends a workflow's thread as the end of the process would: nothing is recorded, the workflow is still pending."""


class Durable:
    """Runs workflows by name. A workflow that was started once under an id is never started a second time.

    One that meets a full disk is laid aside, `out_of_room` is set, and `go_on` takes it up after its last recorded
    step. `checkpoint(name)` is called before and after each step: tests kill the process there.
    """

    def __init__(self, database_url: str, checkpoint: Callable[[str], None], out_of_room: threading.Event) -> None:
        url = sa.engine.make_url(database_url)
        is_sqlite = url.get_backend_name() == "sqlite"
        if is_sqlite:
            _write_ahead(str(url.database))
        config: DBOSConfig = {
            "name": "cabestan",
            "system_database_url": database_url,
            "application_version": _APPLICATION_VERSION,
            "executor_id": "local",
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": _SQLITE_CONNECTIONS if is_sqlite else _CONNECTIONS,
            "max_executor_threads": _THREADS,
        }
        self._config = config
        DBOS(config=config)
        logging.getLogger("dbos").setLevel(logging.WARNING)
        self._checkpoint = checkpoint
        self._workflows: dict[str, Callable[..., None]] = {}
        self._out_of_room = out_of_room
        self._laid_aside: set[str] = set()
        self._launched = False
        #: set when the process is about to end: what breaks from then on is taken up at the next start
        self.closing = False

    def register(self, name: str, workflow: Callable[..., None]) -> None:
        """Before `launch`; the name is what a restarted process finds it by."""

        def run(*arguments: int) -> None:
            try:
                workflow(*arguments)
            except Exception as error:
                if not is_full(error):
                    raise
                self._lay_aside()
                raise _NoRoom from error
            except _NoRoom:
                self._lay_aside()
                raise

        self._workflows[name] = DBOS.workflow(name=name)(run)

    def start(self, name: str, workflow_id: str, *arguments: int) -> None:
        """Starts it in the background, unless this id was started before.

        In a context of its own: called from within a step, it is no child of that step's workflow. Where the disk is
        full, it has to be asked for again after `out_of_room`.
        """

        def start() -> None:
            with SetWorkflowID(workflow_id):
                DBOS.start_workflow(self._workflows[name], *arguments)

        try:
            contextvars.Context().run(start)
        except Exception as error:
            if not is_full(error):
                raise
            self._out_of_room.set()

    def step(self, name: str, work: Callable[[], _T]) -> _T:
        """Inside a workflow: does the work and records its result, which must be plain data, or repeats the result.

        The work may be done a second time when the process is killed before the result is recorded.
        """

        def attempt() -> _T:
            try:
                return work()
            except Exception as error:
                if is_full(error):  # not to be recorded as this step's end
                    raise _NoRoom from error
                raise

        self._checkpoint(f"{name}:before")
        result = DBOS.run_step({"name": name}, attempt)
        self._checkpoint(f"{name}:after")
        return result

    def launch(self) -> None:
        """Goes on with everything that was under way when the process ended. Does nothing where it was launched.

        Where it fails, as on a full disk, it may be tried again.
        """
        if self._launched:
            return
        try:
            DBOS.launch()
        except Exception:
            DBOS.destroy()
            DBOS(config=self._config)
            raise
        self._launched = True

    def go_on(self) -> None:
        """Takes up again what was laid aside. Raises the database's own error where there is no room yet."""
        for workflow_id in tuple(self._laid_aside):
            DBOS.resume_workflow(workflow_id)
            self._laid_aside.discard(workflow_id)

    def forget(self, before: datetime) -> None:
        """Drops the records of workflows that were started before a time and have ended."""
        ended = ["SUCCESS", "ERROR", "CANCELLED"]
        while old := DBOS.list_workflows(
            status=ended,
            completed_before=before.isoformat(),
            limit=_FORGOTTEN_AT_ONCE,
            load_input=False,
            load_output=False,
        ):
            DBOS.delete_workflows([workflow.workflow_id for workflow in old])

    def alive(self) -> frozenset[str]:
        """The ids of the workflows that were started and have not ended."""
        found = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
        return frozenset(workflow.workflow_id for workflow in found)

    def close(self) -> None:
        """What is under way breaks off without a record; that it does is no news, and the log shall not tell of it."""
        self.closing = True
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        DBOS.destroy(destroy_registry=True)

    def _lay_aside(self) -> None:
        if DBOS.workflow_id:
            self._laid_aside.add(DBOS.workflow_id)
        self._out_of_room.set()


def _write_ahead(path: str) -> None:
    """SQLite's write-ahead log, which the file keeps to: a step costs one write to the disk instead of several.

    Where it cannot be had now (a full disk), everything works without it.
    """
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
