"""Rules that a project is let off."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from cabestan.compose.rules import RULES
from cabestan.domain.access import Permission
from cabestan.domain.rule import Waiver
from cabestan.engine.deploying import waivers as engine
from cabestan.store import waivers as store
from cabestan.web.access import SignedIn, Wired, project_for, require_admin
from cabestan.web.api import shapes

router = APIRouter()
_AT = "/projects/{group}/{name}/waivers"


class NewWaiver(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str = Field(max_length=1000)


@router.get(_AT)
def waivers(visitor: SignedIn, services: Wired, group: str, name: str, removed: bool = False) -> shapes.Json:
    """Those that hold; with `removed`, all that there ever were, the newest first."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.record(tx, project.id) if removed else store.holding(tx, project.id)
    return shapes.whole(found, _shape)


@router.put(_AT + "/{code}")
def waive(visitor: SignedIn, services: Wired, group: str, name: str, code: str, wanted: NewWaiver) -> shapes.Json:
    """By an administrator. Rules that protect the machine or other projects cannot be waived (422)."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    require_admin(visitor.user)
    return _shape(engine.waive(services, project, code, wanted.reason, visitor.user.name))


@router.delete(_AT + "/{code}", status_code=204)
def take_back(visitor: SignedIn, services: Wired, group: str, name: str, code: str) -> Response:
    """By an administrator. The waiver stays on record."""
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.CONFIGURE)
    require_admin(visitor.user)
    engine.take_back(services, project, code, visitor.user.name)
    return Response(status_code=204)


def _shape(value: Waiver) -> shapes.Json:
    rule = RULES.get(value.code)
    told = {"code": value.code, "title": rule.title if rule else ""}
    return told | shapes.fields(value, "by", "reason", "created_at", "removed_by", "removed_at")
