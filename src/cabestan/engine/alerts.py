"""Raising and clearing alerts: for what goes wrong by itself, such as a renewal, a backup or a scheduled run."""

from collections.abc import Callable

from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.store import alerts as store
from cabestan.store import outbox
from cabestan.store import projects as project_store

_MOST_WORDS = 4000


def raise_alert(
    services: Services,
    kind: str,
    subject: str,
    message: str,
    remedy: str,
    *,
    words: str = "",
    project: Project | None = None,
) -> None:
    """Raised again, it stays one alert with its first time; its words become the new ones. The same are only read.

    `message` has its reason in its first line; what follows it is put before the last `words`, which are bounded.

    Without a project it is of the whole installation, and for administrators alone.
    """
    message, words = told(message, words)
    with services.database.reading() as tx:
        found = store.find_open(tx, kind, subject)
    said, name = (message, remedy, words), project.name if project else ""
    if found and (found.message, found.remedy, found.words, found.project) == (*said, name):
        return
    with services.database.writing() as tx:
        now, key = services.now(), project.id if project else None
        if store.put(tx, kind, subject, message, remedy, key, now, words):
            outbox.tell(tx, key, now)


def told(message: str, words: str = "") -> tuple[str, str]:
    """One line, and all the others: the last of them, for an end tells more than a beginning."""
    first, _, rest = message.strip().partition("\n")
    return first, "\n".join(part for part in (rest.strip("\n"), words.strip("\n")) if part)[-_MOST_WORDS:]


def clear_all(services: Services, kind: str, gone: Callable[[str], bool]) -> None:
    """Those of a kind whose subject is `gone`."""
    with services.database.reading() as tx:
        found = [alert.subject for alert in store.all_open(tx, kind) if gone(alert.subject)]
    for subject in found:
        clear_alert(services, kind, subject)


def clear_alert(services: Services, kind: str, subject: str) -> None:
    """Does nothing where none is open; asked often, it costs a reading only."""
    with services.database.reading() as tx:
        found = store.find_open(tx, kind, subject)
    if found:
        with services.database.writing() as tx:
            store.clear(tx, found.id, services.now())
            project = project_store.find(tx, found.project) if found.project else None
            outbox.tell(tx, project.id if project else None, services.now())
