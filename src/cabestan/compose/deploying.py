"""Reads `deploy`: what of it a project may decide."""

from __future__ import annotations

import re
from typing import Literal, cast

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import Deploy, Order, Resources, Restart
from cabestan.compose.nodes import Field
from cabestan.compose.scalars import number_text

_CONSTRAINT = re.compile(
    r"(node\.labels\.[A-Za-z0-9][A-Za-z0-9._-]{0,62})[ ]?(==|!=)[ ]?([A-Za-z0-9][A-Za-z0-9._-]{0,62})",
    re.ASCII,
)
_CPUS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?", re.ASCII)
_MOST_REPLICAS = 100


def read_deploy(report: Report, field: Field) -> Deploy | None:
    if not fields.table(report, field, policy.DEPLOY):
        return None
    if mode := field.get("mode"):
        fields.choice(report, mode, ("replicated",))
    replicas = field.get("replicas")
    limits, reservations = _resources(report, field.get("resources"))
    return Deploy(
        replicas=read_replicas(report, replicas) if replicas else None,
        limits=limits,
        reservations=reservations,
        order=_order(report, field.get("update_config")),
        constraints=_constraints(report, field.get("placement")),
        restart=_restart(report, field.get("restart_policy")),
    )


def read_replicas(report: Report, field: Field) -> int | None:
    return fields.integer(report, field, 0, _MOST_REPLICAS)


def _restart(report: Report, field: Field | None) -> Restart | None:
    """None where it says nothing, so that the service's own `restart` holds."""
    if field is None or field.empty or not fields.table(report, field, policy.RESTART):
        return None
    condition, attempts = field.get("condition"), field.get("max_attempts")
    wanted = fields.choice(report, condition, ("any", "on-failure", "none")) if condition else "any"
    most = fields.integer(report, attempts, 0, 9999) if attempts else None
    return Restart(cast("Literal['any', 'on-failure', 'none']", wanted), most or None) if wanted else None


def _resources(report: Report, field: Field | None) -> tuple[Resources, Resources]:
    if field is None or not fields.table(report, field, policy.RESOURCES):
        return Resources(), Resources()
    return _resource(report, field.get("limits")), _resource(report, field.get("reservations"))


def _resource(report: Report, field: Field | None) -> Resources:
    if field is None or not fields.table(report, field, policy.RESOURCE):
        return Resources()
    cpus, memory = field.get("cpus"), field.get("memory")
    return Resources(read_cpus(report, cpus) if cpus else None, fields.size(report, memory) if memory else None)


def read_cpus(report: Report, field: Field) -> str | None:
    value = field.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = number_text(value)
    if isinstance(value, str) and _CPUS.fullmatch(value):
        return value
    fields.wrong(report, field, "a number of processors such as 0.5")
    return None


def _order(report: Report, field: Field | None) -> Order | None:
    if field is None or not fields.table(report, field, policy.UPDATE):
        return None
    order = field.get("order")
    return cast("Order | None", fields.choice(report, order, ("start-first", "stop-first")) if order else None)


def _constraints(report: Report, field: Field | None) -> tuple[str, ...]:
    if field is None or not fields.table(report, field, policy.PLACEMENT):
        return ()
    constraints = field.get("constraints")
    lines = fields.members(report, constraints) if constraints else ()
    return tuple(line for item in lines if (line := _constraint(report, item)))


def _constraint(report: Report, item: Field) -> str | None:
    line = fields.text(report, item)
    found = _CONSTRAINT.fullmatch(line) if line else None
    if line and found is None:
        message = f"{line[:80]!r} is no constraint on node labels."
        report.error("placement", item.spot, message, "Write node.labels.NAME == VALUE.")
    return " ".join(found.groups()) if found else None
