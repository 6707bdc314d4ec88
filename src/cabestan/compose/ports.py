"""Reads `expose` and `ports`: which ports of the container a service answers on. None is published."""

from __future__ import annotations

import re

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import Ports
from cabestan.compose.nodes import Field, Table

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?", re.ASCII)
_MOST_PORT = 65535
_PROTOCOLS = ("tcp", "udp", "sctp")


def read_expose(report: Report, field: Field) -> tuple[Ports, ...]:
    return tuple(ports for item in fields.members(report, field) if (ports := _port(report, item)))


def _port(report: Report, item: Field) -> Ports | None:
    value = item.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _port_text(report, item, value if isinstance(value, str) else "")


def _port_text(report: Report, item: Field, value: str) -> Ports | None:
    found = _PORTS.fullmatch(value)
    if found is not None:
        first, last = int(found[1]), int(found[2] or found[1])
        if 0 < first <= last <= _MOST_PORT:
            return Ports(first, last, found[3] or "tcp")
    fields.wrong(report, item, "a port such as 8080, 8000-8005 or 53/udp")
    return None


def read_ports(report: Report, field: Field) -> tuple[Ports, ...]:
    message = "ports is not published on the machine; it only tells the port of the container."
    report.warn("ports-deprecated", field.key_spot, message, "Write expose, and a route in labels.")
    return tuple(ports for item in fields.members(report, field) if (ports := _published(report, item)))


def _published(report: Report, item: Field) -> Ports | None:
    """The container's side of `[[address:]published:]target[/protocol]`, or of the long form."""
    if isinstance(item.node, Table):
        fields.table(report, item, policy.PORT)
        target = item.get("target")
        protocol = item.get("protocol")
        number = fields.integer(report, target, 1, _MOST_PORT) if target else None
        if target is None:
            fields.wrong(report, item, "a port with a target")
        kind = fields.choice(report, protocol, _PROTOCOLS) if protocol else None
        return Ports(number, number, kind or "tcp") if number else None
    if isinstance(item.value, str):
        return _port_text(report, item, item.value.rpartition(":")[2])
    return _port(report, item)
