"""Durable workflows: steps that are recorded, so that a killed process goes on where it was (DBOS Transact)."""

import contextvars
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID

_T = TypeVar("_T")
#: Changes only when the steps of a workflow do: work in flight of another version would be stranded.
_APPLICATION_VERSION = "1"
_THREADS = 256
_FORGOTTEN_AT_ONCE = 200


class Durable:
    """Runs workflows by name. A workflow that was started once under an id is never started a second time.

    `checkpoint(name)` is called before and after each step: tests kill the process there.
    """

    def __init__(self, database_url: str, checkpoint: Callable[[str], None]) -> None:
        config: DBOSConfig = {
            "name": "cabestan",
            "system_database_url": database_url,
            "application_version": _APPLICATION_VERSION,
            "executor_id": "local",
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": 10,
            "max_executor_threads": _THREADS,
        }
        DBOS(config=config)
        logging.getLogger("dbos").setLevel(logging.WARNING)
        self._checkpoint = checkpoint
        self._workflows: dict[str, Callable[..., None]] = {}
        #: set when the process is about to end: what breaks from then on is taken up at the next start
        self.closing = False

    def register(self, name: str, workflow: Callable[..., None]) -> None:
        """Before `launch`; the name is what a restarted process finds it by."""
        self._workflows[name] = DBOS.workflow(name=name)(workflow)

    def start(self, name: str, workflow_id: str, *arguments: int) -> None:
        """Starts it in the background, unless this id was started before.

        In a context of its own: called from within a step, it is no child of that step's workflow.
        """

        def start() -> None:
            with SetWorkflowID(workflow_id):
                DBOS.start_workflow(self._workflows[name], *arguments)

        contextvars.Context().run(start)

    def step(self, name: str, work: Callable[[], _T]) -> _T:
        """Inside a workflow: does the work and records its result, which must be plain data, or repeats the result.

        The work may be done a second time when the process is killed before the result is recorded.
        """
        self._checkpoint(f"{name}:before")
        result = DBOS.run_step({"name": name}, work)
        self._checkpoint(f"{name}:after")
        return result

    def launch(self) -> None:
        """Goes on with everything that was under way when the process ended."""
        DBOS.launch()

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
        self.closing = True
        DBOS.destroy(destroy_registry=True)
