"""What the services ask to have built: `build:` in short and long form, with paths of the repository.

A service that is built runs what is built. Its image is named as the project's own where the file says so; any other
name, and none, means `${CI_REGISTRY_IMAGE}/SERVICE`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import Service
from cabestan.compose.nodes import Field, Scalar, Spot
from cabestan.compose.profiles import deployed

_NOWHERE = Spot(0, 0, "")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
#: they steer the builder itself: another frontend, the cache of another project
_OF_THE_BUILDER = "BUILDKIT_"
_MOST_ARGUMENTS = 64
_LONGEST_ARGUMENT = 4096


@dataclass(frozen=True, slots=True)
class Build:
    """What `build:` of a service asks for. `context` is relative to the repository, `dockerfile` to it."""

    service: str
    context: str
    dockerfile: str
    #: the name that the service gives the image, with its variables; empty where there is none
    image: str
    #: the stage that is built; empty for the last one
    target: str = ""
    #: what its ARGs are given, with its variables; None where the value is to come from outside
    args: tuple[tuple[str, str | None], ...] = ()
    #: where the service stands
    spot: Spot = field(default=_NOWHERE, compare=False)


def read_builds(report: Report, services: Field | None, folder: str) -> tuple[Build, ...]:
    """Those of all services; `folder` is the project's, that contexts are relative to."""
    return tuple(
        _build(report, name, service, build, folder)
        for name, service in deployed(services)
        if (build := service.get("build")) is not None
    )


def with_builds(
    report: Report, services: Field, found: Iterable[Service], variables: Mapping[str, str]
) -> tuple[Service, ...]:
    """The services, each that is built with the image that it becomes. Reports what cannot be built."""
    builds = {build.service: build for build in read_builds(report, services, ".")}
    known = {name: built_image(build, variables) for name, build in builds.items()}
    return tuple(
        replace(service, image=known.get(service.name) or _borrowed(report, service, builds, known))
        for service in found
    )


def built_image(build: Build, variables: Mapping[str, str]) -> str:
    """What the image of a service that is built is called: as it says, where that is a name of the project's."""
    own = variables.get("CI_REGISTRY_IMAGE", "")
    if (
        build.image
        and own
        and build.image.startswith(own)
        and build.image[len(own) : len(own) + 1] in ("", "/", ":", "@")
    ):
        return build.image
    name = f"{own}/{build.service.lower()}".lstrip("/")
    commit = variables.get("CI_COMMIT_SHA", "")
    return f"{name}:{commit}" if commit else name


def _borrowed(report: Report, service: Service, builds: Mapping[str, Build], known: Mapping[str, str]) -> str:
    """The image of a service that is not built: one that another service is built as, under the name that it has."""
    makers = [build for build in builds.values() if build.image == service.image and service.image]
    if not makers:
        return service.image
    first = makers[0]
    if any(_made_of(build) != _made_of(first) for build in makers):
        several = ", ".join(build.service for build in makers)
        message = f"{several} are built as {service.image}, each otherwise: which of them is meant cannot be told."
        report.error("image-unclear", service.place("image"), message, "Give each of them an image name of its own.")
    return known[first.service]


def _made_of(build: Build) -> tuple[object, ...]:
    return posixpath.normpath(build.context), build.dockerfile, build.target, build.args


def _build(report: Report, name: str, service: Field, field: Field, folder: str) -> Build:
    context, dockerfile = ".", ""
    target: str | None = ""
    args: tuple[tuple[str, str | None], ...] = ()
    if isinstance(field.node, Scalar):
        context = fields.text(report, field) or context
    elif fields.table(report, field, policy.BUILD):
        context_field, dockerfile_field = field.get("context"), field.get("dockerfile")
        context = (fields.text(report, context_field) if context_field else None) or context
        dockerfile = (fields.text(report, dockerfile_field) if dockerfile_field else None) or ""
        if (stage := field.get("target")) is not None:
            target = fields.matching(report, stage, _TARGET, "the name of a stage")
        args = _arguments(report, field.get("args"))
    for path in (context, dockerfile):
        if path.startswith(("/", "~", "-")) or ".." in path.split("/") or any(mark in path for mark in ":\\$"):
            message = f"{path[:80]!r} is no plain path within the repository."
            report.error("build-path", field.spot, message, "Write a relative path such as . or ./web.")
    image = service.get("image")
    written = image.text if image else ""
    if folder != ".":
        context = posixpath.join(folder, context)
    return Build(name, context, dockerfile or "Dockerfile", written, target or "", args, service.key_spot)


def _arguments(report: Report, field: Field | None) -> tuple[tuple[str, str | None], ...]:
    if field is None or field.empty:
        return ()
    found: dict[str, str | None] = {}
    for name, (value, place) in fields.pairs(report, field).items():
        if not _ARGUMENT.fullmatch(name):
            message = f"{name[:80]!r} cannot name an ARG."
            report.error("build-args", place.key_spot, message, "Use letters, digits and _.")
        elif name.upper().startswith(_OF_THE_BUILDER):
            message = f"{name[:80]} would steer the builder itself, which all builds of the platform trust."
            report.error("build-args", place.key_spot, message, "Remove it.")
        elif value is not None and (len(value) > _LONGEST_ARGUMENT or "\n" in value or "\r" in value):
            message = f"The value of {name} has several lines, or more than {_LONGEST_ARGUMENT} characters."
            report.error("build-args", place.spot, message, "Put it into a file that the Dockerfile copies.")
        else:
            found[name] = value
    if len(found) > _MOST_ARGUMENTS:
        message = f"The build is given {len(found)} values, more than {_MOST_ARGUMENTS}."
        report.error("build-args", field.key_spot, message, "Put them into a file that the Dockerfile copies.")
    return tuple(found.items())
