"""From the text of a Compose file to the checked model: read, fill in the variables, check, in this order.

All that is wrong is told at once. The results agree with Docker's own reader but for these: variables and
labels may be true or false (`DEBUG: true`), dates stay as written, `x-…` blocks are not interpolated, and one
letter may name a volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cabestan.compose import fields, policy
from cabestan.compose.cron import check_cron_jobs
from cabestan.compose.findings import ComposeRefused, Finding, Report
from cabestan.compose.interpolate import InterpolationRefused, expand
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.mounts import MountReader
from cabestan.compose.nodes import Entry, Field, Items, Node, Scalar, Spot, Table, root_field
from cabestan.compose.order import check_order
from cabestan.compose.placeholder import holds_secret, is_mixed
from cabestan.compose.routes import check_routes
from cabestan.compose.services import ServiceReader
from cabestan.compose.source import Limits, read_yaml
from cabestan.errors import Invalid

#: where variables are filled in, as Docker does
_INTERPOLATED = ("services", "volumes")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that may be deployed, and what is doubtful in it."""

    compose: ComposeFile
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """What `build:` of a service asks for; paths are relative to the repository, texts as written."""

    service: str
    context: str
    dockerfile: str
    #: the name that the service gives the image, with its variables; empty where there is none
    image: str


def load(text: str, file: str, variables: Mapping[str, str], *, limits: Limits | None = None) -> Loaded:
    """The checked file. `variables` are all that it may use; secrets among them are placeholders.

    Raises ComposeRefused with all findings, and Invalid for a variable that imitates a placeholder.
    """
    limits = limits or Limits()
    _check_variables(variables)
    report = Report(file)
    root = root_field(_top(read_yaml(text, file, limits), report))
    policy.check_keys(report, root, policy.TOP)
    filled = _Filling(report, variables, limits.max_text).top(root)
    compose = _compose(report, filled, variables)
    check_order(report, compose)
    check_routes(report, compose)
    check_cron_jobs(report, compose)
    report.refuse_if_wrong()
    return Loaded(compose, report.warnings)


def build_contexts(text: str, file: str, *, limits: Limits | None = None) -> tuple[Build, ...]:
    """What the services ask to build, without filling in variables. Raises ComposeRefused."""
    report = Report(file)
    root = root_field(_top(read_yaml(text, file, limits), report))
    services = root.get("services")
    builds = [
        _build(report, name, build, service.get("image"))
        for name, service in (services.entries() if services else ())
        if (build := service.get("build")) is not None
    ]
    report.refuse_if_wrong()
    return tuple(builds)


def _check_variables(variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if is_mixed(value):
            message = f"The variable {name} holds a character for private use."
            raise Invalid(message, "Remove the character.")


def _top(node: Node, report: Report) -> Table:
    if isinstance(node, Table):
        return node
    spot = Spot(1, 1, "")
    report.error("not-compose", spot, "The file holds no mapping.", "Begin with services:.")
    raise ComposeRefused(report.findings)


def _build(report: Report, service: str, field: Field, image: Field | None) -> Build:
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
    return Build(service, context, dockerfile or "Dockerfile", name)


def _compose(report: Report, root: Field, variables: Mapping[str, str]) -> ComposeFile:
    _check_version(report, root.get("version"))
    mounts = MountReader(report, _declared_volumes(report, root.get("volumes")))
    services = root.get("services")
    found: list[Service] = []
    if services is None or not isinstance(services.node, Table) or not services.node.entries:
        report.error("no-services", (services or root).spot, "The file names no services.", "Add services:.")
    else:
        reader = ServiceReader(report, variables, mounts)
        found = [service for name, value in services.entries() if (service := reader.read(name, value))]
        _check_builds(report, services)
    return ComposeFile(report.file, tuple(found), tuple(mounts.volumes.values()))


def _check_version(report: Report, field: Field | None) -> None:
    if field is None:
        return
    text = field.node.text if isinstance(field.node, Scalar) else ""
    if text.partition(".")[0] not in ("2", "3"):
        report.error("version", field.spot, f"{text[:20]!r} is no known version.", "Remove it, or write '3.8'.")


def _declared_volumes(report: Report, field: Field | None) -> frozenset[str]:
    if field is None or field.empty or not fields.table(report, field):
        return frozenset()
    for _, volume in field.entries():
        if not volume.empty:
            fields.table(report, volume, policy.VOLUME)
    return frozenset(name for name, _ in field.entries())


def _check_builds(report: Report, services: Field) -> None:
    for name, service in services.entries():
        if (build := service.get("build")) is not None:
            _build(report, name, build, None)


@dataclass(slots=True)
class _Filling:
    """Fills in the variables of a tree, and keeps secrets where no page or process list shows them."""

    report: Report
    variables: Mapping[str, str]
    #: characters that may still come
    left: int
    told: set[str] = field(default_factory=set)

    def top(self, root: Field) -> Field:
        entries = tuple(
            self._entry(value, name) if name in _INTERPOLATED else _as_is(value, name) for name, value in root.entries()
        )
        return Field(Table(entries, root.node.line, root.node.column), root.path, root.key_spot)

    def _entry(self, value: Field, name: str) -> Entry:
        return Entry(name, self._node(value), value.key_spot.line, value.key_spot.column)

    def _node(self, field: Field) -> Node:
        node = field.node
        match node:
            case Table():
                entries = tuple(self._entry(value, name) for name, value in field.entries())
                return Table(entries, node.line, node.column)
            case Items():
                return Items(tuple(self._node(item) for item in field.items()), node.line, node.column)
            case Scalar(value=str() as text):
                return self._scalar(field, node, text)
        return node

    def _scalar(self, field: Field, node: Scalar, text: str) -> Scalar:
        filled = self._expand(field, text) if "$" in text else text
        self.left -= len(filled)
        if self.left < 0:
            message = "The values of the file are too long together."
            self.report.error("too-large", field.spot, message, "Make them shorter.")
            raise ComposeRefused(self.report.findings)
        if holds_secret(filled) and not _may_hold_secrets(field.path):
            message = f"{filled[:120]} would show a secret."
            self.report.error("secret-shown", field.spot, message, "Use secrets in environment only.")
        return Scalar(filled, filled, node.line, node.column)

    def _expand(self, field: Field, text: str) -> str:
        try:
            expansion = expand(text, self.variables)
        except InterpolationRefused as error:
            self.report.error("interpolation", field.spot, error.message, error.remedy)
            return text
        for name in expansion.unset:
            if name not in self.told:
                self.told.add(name)
                message = f"The variable {name} is not set; it is empty here."
                self.report.warn("variable-unset", field.spot, message, f"Set it, or write ${{{name}:-default}}.")
        return expansion.text


def _as_is(value: Field, name: str) -> Entry:
    return Entry(name, value.node, value.key_spot.line, value.key_spot.column)


def _may_hold_secrets(path: str) -> bool:
    """Values of `services.NAME.environment` only; names of services have no dot."""
    parts = path.split(".")
    return len(parts) > 2 and parts[0] == "services" and parts[2].partition("[")[0] == "environment"
