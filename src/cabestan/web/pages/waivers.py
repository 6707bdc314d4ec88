"""The page of a project's waivers."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from cabestan.compose.rules import RULES
from cabestan.engine.deploying import waivers as engine
from cabestan.store import waivers as store
from cabestan.web.access import require_admin
from cabestan.web.pages.answers import Configuring, Reading, Text

router = APIRouter()
_AT = "/{group}/{name}/settings/waivers"


@router.get(_AT)
def waivers(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        record = store.record(tx, at.project.id)
    holding = [waiver for waiver in record if waiver.removed_at is None]
    taken = {waiver.code for waiver in holding}
    waivable = sorted(rule.code for rule in RULES.values() if rule.waivable and rule.code not in taken)
    return at.html(
        "waivers.html",
        "Waivers",
        holding=holding,
        former=[waiver for waiver in record if waiver.removed_at],
        codes=waivable if at.user.admin else (),
        title_of=title_of,
        may_waive=at.user.admin,
    )


@router.post(_AT)
def waive(at: Configuring, code: Text, reason: Annotated[str, Form(max_length=1000)] = "") -> Response:
    require_admin(at.user)
    engine.waive(at.services, at.project, code.strip(), reason, at.user.name)
    return at.see("settings/waivers")


@router.post(_AT + "/remove")
def take_back(at: Configuring, code: Text) -> Response:
    require_admin(at.user)
    engine.take_back(at.services, at.project, code, at.user.name)
    return at.see("settings/waivers")


def title_of(code: str) -> str:
    """Of the rule, without its backticks; empty for one that there is no more."""
    rule = RULES.get(code)
    return rule.title.replace("`", "") if rule else ""
