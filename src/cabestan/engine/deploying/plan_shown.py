"""Plans as people may see them: the values of masked variables are for those who may change them."""

from collections.abc import Iterator
from dataclasses import replace

import sqlalchemy as sa

from cabestan.domain.access import Permission, User, may
from cabestan.domain.deployment import Plan, PlannedChange
from cabestan.domain.redaction import Redactor
from cabestan.store import projects as project_store
from cabestan.store import variables as store


def plan_for(tx: sa.Connection, user: User, project: str, plan: Plan) -> Plan:
    """The same plan, its fingerprint included, without what the user may not read in it."""
    if may(user, Permission.CONFIGURE, project):
        return plan
    masked = store.masked_of_project(tx, project_store.get(tx, project))
    return _without(Redactor(form for value in masked for form in _written(value)), plan) if masked else plan


def _without(redactor: Redactor, plan: Plan) -> Plan:
    def shown(text: str) -> str:
        return redactor.redact(text.encode()).decode(errors="replace")

    changes = tuple(PlannedChange(change.kind, change.subject, shown(change.text)) for change in plan.changes)
    return replace(plan, changes=changes, warnings=tuple(map(shown, plan.warnings)), stack=shown(plan.stack))


def _written(value: str) -> Iterator[str]:
    """As it is, and as a stack file has it: each `$` doubled, in quotes where it needs them."""
    yield value
    doubled = value.replace("$", "$$")
    yield doubled
    yield doubled.replace("\\", "\\\\").replace('"', '\\"')
