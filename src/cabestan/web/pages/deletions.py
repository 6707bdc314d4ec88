"""The page that shows what goes and asks for the name, and those that tell how far a deletion is."""

from fastapi import APIRouter, Response

from cabestan.domain.access import Permission
from cabestan.domain.environment import Environment
from cabestan.engine.deleting import shown, wishes
from cabestan.errors import NotFound
from cabestan.store import deletions as store
from cabestan.store import environments as environment_store
from cabestan.web.access import SignedIn, Wired, require, sees_deletion
from cabestan.web.api.deletions import require_approval_right
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Asked, Configuring, Inside, Reading, Text, html, see
from cabestan.web.pages.frame import GENERAL, Crumb, plain_frame

router = APIRouter()
_AT = "/{group}/{name}/delete"
_PLACE = "/deletions"
_SHOWN = 100


@router.get(_PLACE)
def deletions(visitor: SignedIn, services: Wired) -> Response:
    with services.database.reading() as tx:
        found = [one for one in store.page(tx) if sees_deletion(visitor.user, one)][:_SHOWN]
    frame = plain_frame(visitor, "Deletions", "deletions", href=_PLACE)
    return html("deletions.html", frame, deletions=found, now=services.now())


@router.get(_PLACE + "/{deletion_id}")
def deletion(visitor: SignedIn, services: Wired, deletion_id: int) -> Response:
    with services.database.reading() as tx:
        found, kept = store.get(tx, deletion_id), store.kept(tx, deletion_id)
    if found.by != visitor.user.name:
        require(visitor.user, Permission.READ, found.project, store.no_deletion(deletion_id))
    frame = plain_frame(visitor, f"Deletion of {found.name}", "deletions", href=f"{_PLACE}/{deletion_id}")
    folder = str(services.backups.folder)
    return html("deletion.html", frame, deletion=found, kept=kept, folder=folder, now=services.now())


@router.get(_AT)
def ask(at: Reading, environment: Asked = "", volume: Asked = "") -> Response:
    """Nothing is done yet."""
    found = _environment(at, environment)
    if volume and not (found and any(one.volume == volume for one in wishes.volumes_of(at.services, found))):
        raise NotFound(f"{environment or at.project.name} has no volume {volume}.", "Check the address.")
    going = shown.of_environment(at.services, found) if found else shown.of_project(at.services, at.project)
    crumbs = (Crumb(found.name, href(found)),) if found else ()
    return at.html(
        "delete.html",
        "Environments" if found else GENERAL,
        *crumbs,
        Crumb("Delete", f"/{at.project.name}/delete"),
        kind="volume" if volume else "environment" if environment else "project",
        name=volume or environment or at.project.name,
        environment=environment,
        volume=volume,
        going=() if volume else going,
        days=at.services.settings.last_backup_days,
    )


@router.post(_AT)
def delete(
    at: Configuring, confirm: Text, environment: Text = "", volume: Text = "", without_backup: Text = ""
) -> Response:
    found = _environment(at, environment)
    require_approval_right(at.services, at.user, at.project, found)
    by, typed, saving = at.user.name, confirm.strip(), not without_backup
    if found and volume:
        begun = wishes.delete_volume(at.services, found, volume, by, typed, saving=saving)
    elif found:
        begun = wishes.delete_environment(at.services, found, by, typed, saving=saving)
    else:
        begun = wishes.delete_project(at.services, at.project, by, typed, saving=saving)
    return see(f"{_PLACE}/{begun.id}")


def _environment(at: Inside, name: str) -> Environment | None:
    if not name:
        return None
    with at.services.database.reading() as tx:
        return environment_store.get(tx, at.project.id, name)
