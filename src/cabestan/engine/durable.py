"""Durable workflows: steps that are recorded, so that a killed process goes on where it was (DBOS Transact)."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID

from cabestan.engine.turns.dispatcher import Dispatcher, NotNow
from cabestan.engine.turns.line import Places, Turn
from cabestan.engine.turns.places import THREADS
from cabestan.errors import NotFound
from cabestan.store.fullness import is_full

_T = TypeVar("_T")
#: Changes only when the steps of a workflow do: work in flight of another version would be stranded.
_APPLICATION_VERSION = "1"
_FORGOTTEN_AT_ONCE = 200
_UNDER_WAY = ["PENDING", "ENQUEUED"]
_CONNECTIONS = 10
#: seconds between two looks of DBOS for what is to be taken up again: just after it was asked to, and else, for each
#: look costs some 30 ms of processor time
_SOON, _SELDOM = 0.2, 5.0
_SOON_FOR = 5.0
#: it has one writer at a time, and those that wait for the write lock sleep ever longer: few may try at once
_SQLITE_CONNECTIONS = 3


class _NoRoom(BaseException):
    """Ends a workflow's thread as the end of the process would: nothing is recorded, the workflow is still pending."""


class Durable:
    """Runs workflows by name. A workflow that was started once under an id is never started a second time.

    What is started waits in line until one of the places of its kind is free (`places`), and holds no thread meanwhile.

    One that meets a full disk is laid aside, `out_of_room` is set, and `take_up` has it go on after its last recorded
    step. `checkpoint(name)` is called before and after each step: tests kill the process there.
    """

    def __init__(
        self,
        database_url: str,
        checkpoint: Callable[[str], None],
        out_of_room: threading.Event,
        places: Mapping[str, Places] = MappingProxyType({}),
    ) -> None:
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
            "max_executor_threads": THREADS,
        }
        self._config = config
        self._dbos = DBOS(config=config)
        logging.getLogger("dbos").setLevel(logging.WARNING)
        self._checkpoint = checkpoint
        self._workflows: dict[str, Callable[..., None]] = {}
        self._turns: dict[str, Callable[..., Turn]] = {}
        self._dispatcher = Dispatcher(places)
        self._launched = threading.Event()
        self._out_of_room = out_of_room
        self._laid_aside: set[str] = set()
        self._calming = threading.Timer(0, lambda: None)
        #: set when the process is about to end: what breaks from then on is taken up at the next start
        self.closing = False

    def register(self, name: str, workflow: Callable[..., None], turn: Callable[..., Turn] | None = None) -> None:
        """Before `launch`; the name is what a restarted process finds it by. `turn` tells of its arguments who asks."""

        def run(*arguments: int) -> None:
            self._launched.wait()
            try:
                workflow(*arguments)
            except _NoRoom:
                self._lay_aside()
                raise
            except Exception as error:
                if not is_full(error):
                    self._leave()
                    raise
                self._lay_aside()
                raise _NoRoom from error
            self._leave()

        self._workflows[name] = DBOS.workflow(name=name)(run)
        self._turns[name] = turn or (lambda *_: Turn(name, project=0))

    def start(self, name: str, workflow_id: str, *arguments: int) -> None:
        """Starts it in the background when it is its turn, unless this id was started before.

        Where the disk is full, it has to be asked for again after `out_of_room`.
        """
        begin = partial(self._begin, self._workflows[name], workflow_id, *arguments)
        self._dispatcher.ask(workflow_id, self._turn(name, *arguments), begin)

    def waits(self, workflow_id: str) -> bool:
        """Whether it was started and waits for its turn."""
        return self._dispatcher.waits(workflow_id)

    def served(self, kind: str) -> Mapping[int, int]:
        """By project, a number that is the greater the later it got a place of this kind."""
        return self._dispatcher.served(kind)

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

        That has its places before it goes on, and before anything else may have one. Where it fails, as on a full disk,
        it may be tried again.
        """
        if self._launched.is_set():
            return
        self._look_often()
        try:
            DBOS.launch()
            for pending in DBOS.list_workflows(status=_UNDER_WAY, load_output=False):
                arguments = pending.input["args"] if pending.input else ()
                self._dispatcher.hold(pending.workflow_id, self._turn(pending.name, *arguments))
        except Exception:
            DBOS.destroy()
            self._dbos = DBOS(config=self._config)
            raise
        self._launched.set()
        self._dispatcher.start()

    def take_up(self) -> None:
        """Takes up again what was laid aside. Raises the database's own error where there is no room yet."""
        if self._laid_aside:
            self._look_often()
        for workflow_id in tuple(self._laid_aside):
            DBOS.resume_workflow(workflow_id)
            self._laid_aside.discard(workflow_id)
        self._dispatcher.begin_again()

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
        """The ids of the workflows that were started and have not ended, those in line included."""
        recorded = DBOS.list_workflows(status=_UNDER_WAY, load_input=False, load_output=False)
        # those in line are asked for after that: what a workflow started before its end is then in the one or the other
        return self._dispatcher.known().union(workflow.workflow_id for workflow in recorded)

    def close(self) -> None:
        """What is under way breaks off without a record; that it does is no news, and the log shall not tell of it."""
        self.closing = True
        self._calming.cancel()
        self._dispatcher.stop()
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        DBOS.destroy(destroy_registry=True)

    def _look_often(self) -> None:
        """For a while. What DBOS takes up again goes through a queue of its own, which it looks into now and then."""
        self._calming.cancel()
        self._look_every(_SOON)
        self._calming = threading.Timer(_SOON_FOR, self._look_every, [_SELDOM])
        self._calming.daemon = True
        self._calming.start()

    def _look_every(self, seconds: float) -> None:
        """Of its queues, this one alone has no setting for it."""
        self._dbos._registry.get_internal_queue()._polling_interval_sec = seconds

    def _turn(self, name: str, *arguments: int) -> Turn:
        """Work on something that was deleted stands in a line of its own, and finds that out by itself."""
        nobody = Turn(name, project=0)
        try:
            return self._turns[name](*arguments) if name in self._turns else nobody
        except NotFound:
            return nobody

    def _begin(self, workflow: Callable[..., None], workflow_id: str, *arguments: int) -> bool:
        """False where it was started before."""
        try:
            if DBOS.get_workflow_status(workflow_id):
                return False
            with SetWorkflowID(workflow_id):
                DBOS.start_workflow(workflow, *arguments)
        except Exception as error:
            if not is_full(error):
                raise
            self._out_of_room.set()
            raise NotNow from error
        return True

    def _leave(self) -> None:
        """Its place is free for the next one."""
        if DBOS.workflow_id:
            self._dispatcher.leave(DBOS.workflow_id)

    def _lay_aside(self) -> None:
        """It keeps its place, so that no more is begun that would only meet the same."""
        if DBOS.workflow_id:
            self._laid_aside.add(DBOS.workflow_id)
        self._out_of_room.set()


def _write_ahead(path: str) -> None:
    """SQLite's write-ahead log, which the file keeps to: a step costs one write to the disk instead of several.

    Where it cannot be had now (a full disk), everything works without it.
    """
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
