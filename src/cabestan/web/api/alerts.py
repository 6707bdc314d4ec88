"""What went wrong by itself."""

from fastapi import APIRouter

from cabestan.domain.access import Permission, may
from cabestan.domain.alert import Alert
from cabestan.engine import disk
from cabestan.errors import NotFound
from cabestan.store import alerts as store
from cabestan.store import projects as project_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.api import shapes
from cabestan.web.api.paging import Before, Limit

router = APIRouter()
#: that a database knows
_LARGEST_ID = 2**62


@router.get("/alerts")
def alerts(
    visitor: SignedIn, services: Wired, cleared: bool = False, before: Before = None, limit: Limit = 50
) -> shapes.Json:
    """The newest first: of the projects that one may see, and for administrators of the installation."""
    user = visitor.user
    with services.database.reading() as tx:
        names = [p.name for p in project_store.all_projects(tx) if may(user, Permission.READ, p.name)]
        found = store.page(
            tx, installation=user.admin, project_names=names, cleared=cleared, before=before, limit=limit + 1
        )
    if not before and (full := disk.alert(services)):
        return shapes.page((full, *found[: limit - 1]), limit, _shape, lambda alert: alert.id)
    return shapes.page(found, limit, _shape, lambda alert: alert.id)


@router.get("/alerts/{alert_id}")
def alert(visitor: SignedIn, services: Wired, alert_id: int) -> shapes.Json:
    """One, open or over. What one may not see does not exist."""
    with services.database.reading() as tx:
        found = store.find(tx, alert_id) if alert_id <= _LARGEST_ID else None
    user = visitor.user
    if not found or not (may(user, Permission.READ, found.project) if found.project else user.admin):
        raise NotFound(f"There is no alert {alert_id}.", "`cabestan alert list --all` shows them.")
    return _shape(found)


def _shape(value: Alert) -> shapes.Json:
    return {
        **shapes.fields(value, "id", "kind", "subject", "message", "words", "remedy"),
        "project": value.project or None,
        **shapes.fields(value, "raised_at", "cleared_at"),
    }
