"""What the services ask to have built: `build:` in short and long form, with paths of the repository."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.nodes import Field, Scalar


@dataclass(frozen=True, slots=True)
class Build:
    """What `build:` of a service asks for. `context` is relative to the repository, `dockerfile` to it."""

    service: str
    context: str
    dockerfile: str
    #: the name that the service gives the image, with its variables; empty where there is none
    image: str


def read_builds(report: Report, services: Field | None, folder: str) -> tuple[Build, ...]:
    """Those of all services; `folder` is the project's, that contexts are relative to."""
    return tuple(
        _build(report, name, build, service.get("image"), folder)
        for name, service in (services.entries() if services else ())
        if (build := service.get("build")) is not None
    )


def check_builds(report: Report, services: Field) -> None:
    """Reports what cannot be built."""
    read_builds(report, services, ".")


def _build(report: Report, service: str, field: Field, image: Field | None, folder: str) -> Build:
    context, dockerfile = ".", ""
    if isinstance(field.node, Scalar):
        context = fields.text(report, field) or context
    elif fields.table(report, field, policy.BUILD):
        context_field, dockerfile_field = field.get("context"), field.get("dockerfile")
        context = (fields.text(report, context_field) if context_field else None) or context
        dockerfile = (fields.text(report, dockerfile_field) if dockerfile_field else None) or ""
    for path in (context, dockerfile):
        if path.startswith(("/", "~", "-")) or ".." in path.split("/") or any(mark in path for mark in ":\\$"):
            message = f"{path[:80]!r} is no plain path within the repository."
            report.error("build-path", field.spot, message, "Write a relative path such as . or ./web.")
    name = image.node.text if image and isinstance(image.node, Scalar) else ""
    if folder != ".":
        context = posixpath.join(folder, context)
    return Build(service, context, dockerfile or "Dockerfile", name)
