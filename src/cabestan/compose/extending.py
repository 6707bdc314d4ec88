"""Services that extend others, of the same file or of another one in the repository.

The base comes first, then what the service says itself, by the rules of `merging`. Relative paths of a base are
seen from the project's folder, as Docker does. A file is named in plain words, without variables: a release
must hold it before it is known for which environment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cabestan.compose import fields, policy
from cabestan.compose.commit_files import path_within
from cabestan.compose.findings import ComposeRefused, Report
from cabestan.compose.library import Library, folder_of
from cabestan.compose.merging import Merger
from cabestan.compose.nodes import Field, Node, Scalar, Table, root_field
from cabestan.compose.rebasing import rebased

_EXTENDS = "extends"
#: the file and the name of each service on the way from the first one
_Trail = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The services of a file, and the folder that its own `extends` start from."""

    path: str
    folder: str
    services: Field


@dataclass(slots=True)
class Extender:
    """Puts what is extended into each service. `fill` fills in the variables of a further file."""

    report: Report
    library: Library
    fill: Callable[[Table], Table]
    #: the folder of the project, that all relative paths are seen from
    folder: str
    shelves: dict[str, _Shelf] = field(default_factory=dict)
    #: what was extended already, by file, folder that it is seen from, and name, for a base may have many heirs
    done: dict[tuple[str, str, str], Node] = field(default_factory=dict)
    #: whether there was anything to do
    extended: bool = False

    def apply(self, root: Table, path: str) -> Table:
        """The file without any `extends`."""
        services = root_field(root).get("services")
        if services is None or all(service.get(_EXTENDS) is None for _, service in services.entries()):
            return root
        self.extended = True
        shelf = _Shelf(path, self.folder, services)
        extended = _with_values(services, lambda service: self._service(shelf, service, ((path, _name(service)),)))
        entries = (replace(e, value=extended) if e.key == "services" else e for e in root.entries)
        return replace(root, entries=tuple(entries))

    def _service(self, shelf: _Shelf, service: Field, trail: _Trail) -> Node:
        extends = service.get(_EXTENDS)
        if extends is None or not isinstance(service.node, Table):
            return service.node
        key = (shelf.path, shelf.folder, _name(service))
        if key not in self.done:
            own = replace(service.node, entries=tuple(e for e in service.node.entries if e.key != _EXTENDS))
            base = self._base(shelf, extends, trail)
            self.done[key] = Merger(self.report).services(_name(service), base, own) if base else own
        return self.done[key]

    def _base(self, shelf: _Shelf, extends: Field, trail: _Trail) -> Table | None:
        """The service that is extended, itself extended; None where the report says why not."""
        name, file = self._named(extends)
        other = self._shelf(shelf, file) if file else shelf
        if name is None or other is None:
            return None
        wanted = str(name.value)
        self._check_trail(name, (*trail, (other.path, wanted)))
        service = other.services.get(wanted)
        if service is None:
            message = f"There is no service {wanted[:80]} in {other.path}."
            self.report.error("extends", name.spot, message, "Correct the name of the service.")
            return None
        base = self._service(other, service, (*trail, (other.path, wanted)))
        if isinstance(base, Table):
            return base
        fields.wrong(self.report, service, "a mapping")
        return None

    def _named(self, extends: Field) -> tuple[Field | None, Field | None]:
        """The service that is extended, and the file where it is another one."""
        if isinstance(extends.node, Scalar):
            return (extends if fields.text(self.report, extends) else None), None
        if not fields.table(self.report, extends, policy.EXTENDS):
            return None, None
        name, file = extends.get("service"), extends.get("file")
        if name is None:
            message = "extends names no service."
            self.report.error("extends", extends.key_spot, message, "Add service: NAME.")
        elif fields.text(self.report, name) is None or (file and fields.text(self.report, file) is None):
            return None, None
        return name, file

    def _check_trail(self, name: Field, trail: _Trail) -> None:
        """Raises ComposeRefused for a circle, or for a chain that is too long."""
        most = self.library.limits.max_chain
        if trail[-1] in trail[:-1]:
            circle = " → ".join(service for _, service in trail)
            self.report.error("extends-circle", name.spot, f"The services extend each other: {circle}.", "Cut it.")
        elif len(trail) > most:
            message = f"More than {most} services extend one another."
            self.report.error("too-deep", name.spot, message, "Join some of them.")
        else:
            return
        raise ComposeRefused(self.report.findings)

    def _shelf(self, shelf: _Shelf, file: Field) -> _Shelf | None:
        """The services of a further file."""
        written = str(file.value)
        path = path_within(shelf.folder, written)
        if path is None:
            message = f"{written[:80]!r} is no plain path within the repository."
            self.report.error("extends-path", file.spot, message, "Write a relative path such as common/base.yml.")
            return None
        if path not in self.shelves:
            document = self.library.further(path)
            if document is None:
                message = f"There is no file {path[:80]}."
                self.report.error("extends-path", file.spot, message, "Correct the path, or commit the file.")
                return None
            services = root_field(self.fill(document.root)).get("services")
            if services is None or not isinstance(services.node, Table):
                message = f"{path[:80]} names no services."
                self.report.error("extends", file.spot, message, "Add services: there.")
                return None
            self.shelves[path] = _Shelf(path, folder_of(path), self._rebased(services, folder_of(path)))
        return self.shelves[path]

    def _rebased(self, services: Field, folder: str) -> Field:
        prefix = posixpath.relpath(folder, self.folder)
        node = _with_values(services, lambda service: rebased(service.node, prefix))
        return services._replace(node=node)


def _name(service: Field) -> str:
    return service.entry.key if service.entry else ""


def _with_values(table: Field, change: Callable[[Field], Node]) -> Table:
    """The table with each value changed."""
    assert isinstance(table.node, Table), "only tables have values"
    entries = (replace(f.entry, value=change(f)) for _, f in table.entries() if f.entry)
    return replace(table.node, entries=tuple(entries))
