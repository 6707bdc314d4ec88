"""Raising and clearing alerts: for what goes wrong by itself, such as a renewal, a backup or a scheduled run."""

from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.store import alerts as store


def raise_alert(
    services: Services, kind: str, subject: str, message: str, remedy: str, *, project: Project | None = None
) -> None:
    """Raised again, it stays one alert with its first time; its words become the new ones.

    Without a project it is of the whole installation, and for administrators alone.
    """
    with services.database.writing() as tx:
        changed = store.put(tx, kind, subject, message, remedy, project.id if project else None, services.now())
    if changed:
        services.changes.publish(project.name if project else "")


def clear_alert(services: Services, kind: str, subject: str) -> None:
    """Does nothing where none is open; asked often, it costs a reading only."""
    with services.database.reading() as tx:
        found = store.find_open(tx, kind, subject)
    if found:
        with services.database.writing() as tx:
            store.clear(tx, found.id, services.now())
        services.changes.publish(found.project)
