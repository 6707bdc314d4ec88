"""Raising and clearing alerts: for what goes wrong by itself, such as a renewal, a backup or a scheduled run."""

from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.store import alerts as store
from cabestan.store import outbox
from cabestan.store import projects as project_store


def raise_alert(
    services: Services, kind: str, subject: str, message: str, remedy: str, *, project: Project | None = None
) -> None:
    """Raised again, it stays one alert with its first time; its words become the new ones. The same are only read.

    Without a project it is of the whole installation, and for administrators alone.
    """
    with services.database.reading() as tx:
        found = store.find_open(tx, kind, subject)
    if found and (found.message, found.remedy, found.project) == (message, remedy, project.name if project else ""):
        return
    with services.database.writing() as tx:
        now, key = services.now(), project.id if project else None
        if store.put(tx, kind, subject, message, remedy, key, now):
            outbox.tell(tx, key, now)


def clear_alert(services: Services, kind: str, subject: str) -> None:
    """Does nothing where none is open; asked often, it costs a reading only."""
    with services.database.reading() as tx:
        found = store.find_open(tx, kind, subject)
    if found:
        with services.database.writing() as tx:
            store.clear(tx, found.id, services.now())
            project = project_store.find(tx, found.project) if found.project else None
            outbox.tell(tx, project.id if project else None, services.now())
