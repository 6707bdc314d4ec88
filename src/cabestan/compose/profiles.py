"""`profiles`: with Docker, a service that has one is started when it is asked for; nothing asks here."""

from __future__ import annotations

from collections.abc import Iterator

from cabestan.compose import fields
from cabestan.compose.findings import Report
from cabestan.compose.nodes import Field, Items


def deployed(services: Field | None) -> Iterator[tuple[str, Field]]:
    """The services that have no profile, by their names."""
    return ((name, service) for name, service in (services.entries() if services else ()) if not _profiles(service))


def left_out(report: Report, services: Field) -> None:
    """Warns of the others."""
    for name, service in services.entries():
        if (field := service.get("profiles")) is None or field.empty:
            continue
        fields.members(report, field)
        if _profiles(service):
            message = f"{name} has a profile, so it is not deployed."
            report.warn("profile", field.key_spot, message, "Remove profiles where it is to be deployed.")


def _profiles(service: Field) -> bool:
    field = service.get("profiles")
    return field is not None and isinstance(field.node, Items) and bool(field.node.items)
