"""Fills in the variables of a tree, and keeps secrets where no page or process list shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cabestan.compose.asked import Questions
from cabestan.compose.findings import ComposeRefused, Report
from cabestan.compose.interpolate import InterpolationRefused, expand
from cabestan.compose.nodes import Entry, Field, Items, Node, Scalar, Table
from cabestan.compose.placeholder import holds_secret

#: where variables are filled in, as Docker does
_INTERPOLATED = ("configs", "networks", "services", "volumes")
#: what runs in the container, where `$$NAME` is its own variable
_IN_CONTAINER = re.compile(r"services\.[^.]*\.(?:command|entrypoint|healthcheck)\b")
_EXTENDED_FILE = re.compile(r"services\.[^.]*\.extends\.file")


@dataclass(slots=True)
class Filling:
    """Fills in one file after the other; what does not change is kept as it is."""

    report: Report
    variables: Mapping[str, str]
    #: characters that may still come
    left: int
    told: set[str] = field(default_factory=set)
    questions: Questions = field(default_factory=Questions)

    def top(self, root: Table) -> Table:
        """The root of a file, filled in. Reports what is wrong; raises ComposeRefused where it grows too long."""
        entries = (self._entry(entry, entry.key) if entry.key in _INTERPOLATED else entry for entry in root.entries)
        return Table(tuple(entries), root.line, root.column, root.file)

    def _entry(self, entry: Entry, path: str) -> Entry:
        node = self._node(Field(entry.value, path, entry))
        if node is entry.value:
            return entry
        return Entry(entry.key, node, entry.line, entry.column, entry.file, entry.mark)

    def _node(self, field: Field) -> Node:
        node = field.node
        match node:
            case Scalar():
                return self._scalar(field, node, node.value) if isinstance(node.value, str) else node
            case Table():
                return self._table(node, f"{field.path}.")
            case Items():
                items = tuple(self._node(item) for item in field.items())
                is_same = all(new is old for new, old in zip(items, node.items, strict=True))
                return node if is_same else Items(items, node.line, node.column, node.file)

    def _table(self, table: Table, start: str) -> Table:
        """Most values are short and have no variable: nothing is made for them."""
        entries = tuple(
            entry if self._is_plain(entry.value) else self._entry(entry, start + entry.key) for entry in table.entries
        )
        is_same = all(new is old for new, old in zip(entries, table.entries, strict=True))
        return table if is_same else Table(entries, table.line, table.column, table.file)

    def _is_plain(self, node: Node) -> bool:
        """Whether it is a value without variables; counts it if there is room."""
        if not isinstance(node, Scalar):
            return False
        length = len(node.text)
        if "$" in node.text or length > self.left:
            return False
        self.left -= length
        return True

    def _scalar(self, field: Field, node: Scalar, text: str) -> Scalar:
        filled = self._expand(field, text) if "$" in text else text
        self.left -= len(filled)
        if self.left < 0:
            message = "The values of the file are too long together."
            self.report.error("too-large", field.spot, message, "Make them shorter.")
            raise ComposeRefused(self.report.findings)
        if filled is text:
            return node
        if holds_secret(filled) and not _may_hold_secrets(field.path):
            message = f"{filled[:120]} would show a secret."
            self.report.error("secret-shown", field.spot, message, "Use secrets in environment only.")
        return Scalar(filled, filled, node.line, node.column, node.file, text)

    def _expand(self, field: Field, text: str) -> str:
        if _EXTENDED_FILE.fullmatch(field.path):
            message = "The path of an extended file has no variables: a release keeps the file for all environments."
            self.report.error("extends-path", field.spot, message, "Write the path out.")
            return text
        try:
            expansion = expand(text, self.variables)
        except InterpolationRefused as error:
            self.report.error("interpolation", field.spot, error.message, error.remedy)
            return text
        self.questions.note_all(field.spot, expansion.asked)
        for name in expansion.unset:
            if name not in self.told:
                self.told.add(name)
                message = f"The variable {name} is not set; it is empty here."
                remedy = f"Set it, or write ${{{name}:-default}}."
                if _IN_CONTAINER.match(field.path):
                    remedy += f" One of the container itself is $${name}."
                self.report.warn("variable-unset", field.spot, message, remedy)
        return expansion.text


def _may_hold_secrets(path: str) -> bool:
    """Values of `services.NAME.environment` only; names of services have no dot."""
    parts = path.split(".")
    return len(parts) > 2 and parts[0] == "services" and parts[2].partition("[")[0] == "environment"
