"""Waivers as administrators give and take them. What waits for approval is planned again each time."""

from cabestan.compose import rules
from cabestan.domain.project import Project
from cabestan.domain.rule import Waiver
from cabestan.engine.deploying import deployments
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.store import outbox
from cabestan.store import waivers as store

_LONGEST_REASON = 500


def waive(services: Services, project: Project, code: str, reason: str, by: str) -> Waiver:
    """Raises NotFound for no rule, Invalid for one that cannot be waived or no reason, Conflict for a second one."""
    rule = rules.check_waivable(code)
    reason = " ".join(reason.split())
    if not reason or len(reason) > _LONGEST_REASON:
        raise Invalid("A waiver needs a reason.", f"Say why, in at most {_LONGEST_REASON} characters; it is kept.")
    with services.database.writing() as tx:
        waiver = store.add(tx, project.id, rule.code, by=by, reason=reason, now=services.now())
        outbox.tell(tx, project.id, services.now())
    deployments.configuration_changed(services, project.id)
    return waiver


def take_back(services: Services, project: Project, code: str, by: str) -> None:
    with services.database.writing() as tx:
        store.remove(tx, project.id, code, by=by, now=services.now())
        outbox.tell(tx, project.id, services.now())
    deployments.configuration_changed(services, project.id)
