"""The workflow of a deletion. Each step may be done again after a kill; what is gone already stays so."""

import time
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa
import structlog

from cabestan.domain.deletion import Deletion, DeletionKind, DeletionStatus
from cabestan.engine.deleting import last_backups, of_environment, of_project, wishes
from cabestan.engine.guard import guarded
from cabestan.engine.lost import LOST, take_up
from cabestan.engine.services import Services
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError
from cabestan.store import backups as backup_store
from cabestan.store import deletions as store
from cabestan.store import managed as managed_store
from cabestan.store import outbox
from cabestan.store import projects as project_store
from cabestan.store import runs as run_store
from cabestan.store.fullness import is_full, storage_full

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 0.5
_Work = Callable[[Services, Deletion], None]


def register(services: Services) -> None:
    work = guarded(services, partial(_run, services), partial(fail, services))
    services.durable.register("deletion", lambda deletion_id: work(deletion_id), partial(_turn, services))


def _turn(services: Services, deletion_id: int) -> Turn:
    with services.database.reading() as tx:
        return Turn(Kind.DELETION, store.get(tx, deletion_id).project_id, deletion_id)


def _run(services: Services, deletion_id: int) -> None:
    with services.database.reading() as tx:
        kind = store.get(tx, deletion_id).kind
    failure = ""
    for name, words, work in _STEPS[kind]:
        failure = services.durable.step(f"deletion.{name}", partial(_do, services, deletion_id, words, work))
        if failure:
            break
    services.durable.step("deletion.record", partial(_record, services, deletion_id, failure))


def fail(services: Services, deletion_id: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw."""
    _record(services, deletion_id, reason)


def take_up_open(services: Services) -> None:
    """At a start: those that were accepted are begun, unless they were."""

    def accepted() -> tuple[Deletion, ...]:
        with services.database.reading() as tx:
            return store.all_open(tx)

    take_up(
        services.durable,
        accepted,
        lambda deletion: f"deletion-{deletion.id}",
        lambda deletion: fail(services, deletion.id, f"{LOST} Delete it again."),
        partial(wishes.start, services),
    )


def _do(services: Services, deletion_id: int, words: str, work: _Work) -> str:
    """Empty, or why it failed."""
    with services.database.writing() as tx:
        store.update(tx, deletion_id, at=words)
        deletion = store.get(tx, deletion_id)
        _tell(services, tx, deletion)
    try:
        services.home.patiently(lambda: work(services, deletion))
    except CabestanError as error:
        return _shown(services, deletion, str(error))
    except Exception as error:
        if services.durable.closing:
            raise
        if is_full(error):  # it may be this very backup that fills it: to try again would fill it again
            return str(storage_full())
        _log.exception("a step of a deletion failed unexpectedly", deletion=deletion_id, step=words)
        what = _shown(services, deletion, f"{type(error).__name__}: {error}")
        return f"Something unexpected went wrong: {what}. The server's log tells more."
    return ""


def _shown(services: Services, deletion: Deletion, words: str) -> str:
    """In which an engine or a database may have repeated a value."""
    with services.database.reading() as tx:
        project = project_store.find(tx, deletion.project)
        return secrets.redactor(tx, services.vault, project).text(words) if project else words


def _wait(services: Services, deletion: Deletion) -> None:
    """For what is under way: nothing of it is broken off half-way but pipelines and runs, which were told to end."""
    told = ""
    while busy := _under_way(services, deletion):
        if services.durable.closing:  # the next start goes on with it
            raise RuntimeError("the server ends")
        if busy != told:
            with services.database.writing() as tx:
                store.update(tx, deletion.id, at=f"waiting for {busy}")
                _tell(services, tx, deletion)
            told = busy
        time.sleep(_LOOK_SECONDS)


def _under_way(services: Services, deletion: Deletion) -> str:
    """What it waits for, in words; empty where nothing goes on."""
    if deletion.kind is DeletionKind.PROJECT and (left := wishes.cancel_pipelines(services, deletion.project_id)):
        return f"pipeline {left[0]}"
    with services.database.reading() as tx:
        for words in wishes.waits_for(tx, deletion):
            return words
        for environment in of_environment.all_of(tx, deletion):
            for run in run_store.open_in(tx, environment.id):
                return f"run {run.id}"
            for instance in managed_store.in_environment(tx, environment.id):
                operation = backup_store.open_of(tx, instance.id)
                if operation and operation.deletion_id is None:
                    return f"the {operation.kind} of {instance.name}"
    return ""


def _record(services: Services, deletion_id: int, failure: str) -> None:
    status = DeletionStatus.FAILED if failure else DeletionStatus.SUCCEEDED
    with services.database.writing() as tx:
        deletion, now = store.get(tx, deletion_id), services.now()
        at = deletion.at if failure else ""
        store.update(tx, deletion_id, at=at, status=status, detail=failure, finished_at=now)
        _tell(services, tx, deletion)


def _tell(services: Services, tx: sa.Connection, deletion: Deletion) -> None:
    """The project's pages, and those of deletions."""
    there = project_store.find(tx, deletion.project)
    outbox.tell(tx, there.id if there else None, services.now(), "deletions")


_WAIT = ("wait", "waiting for what is under way", _wait)
_SAVE = ("save", "backing its data up a last time", last_backups.take)
#: name, words for people, what is done. What serves is stopped first: then nothing is written after the last backup
_STEPS: dict[DeletionKind, tuple[tuple[str, str, _Work], ...]] = {
    DeletionKind.VOLUME: (
        _WAIT,
        _SAVE,
        ("take-away", "removing the volume", of_environment.remove_volume),
    ),
    DeletionKind.ENVIRONMENT: (
        _WAIT,
        ("stop", "stopping its services", of_environment.stop),
        _SAVE,
        ("take-away", "removing its networks, volumes and databases", of_environment.take_away),
        ("forget", "forgetting its records", of_environment.forget),
    ),
    DeletionKind.PROJECT: (
        _WAIT,
        ("stop", "stopping its services", of_environment.stop),
        _SAVE,
        ("take-away", "removing its networks, volumes and databases", of_environment.take_away),
        ("forget", "forgetting its environments", of_environment.forget),
        ("images", "removing its images and its builder", of_project.take_away),
        ("forget-project", "forgetting its records", of_project.forget),
    ),
}
