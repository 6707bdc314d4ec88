"""The tree of a YAML document that remembers where everything stands.

Lines and columns count from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `text` is what the file says, `value` what it means: `017` is the number 15."""

    value: Value
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value; the position is the key's."""

    key: str
    value: Node
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with unique keys, merge keys resolved: its own entries first, then the merged ones."""

    entries: tuple[Entry, ...]
    line: int
    column: int

    def get(self, key: str) -> Node | None:
        return next((entry.value for entry in self.entries if entry.key == key), None)


Node = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the file, with the path of keys that leads to it: `services.web.image`."""

    line: int
    column: int
    path: str


@dataclass(frozen=True, slots=True)
class Field:
    """A node with the path that leads to it and the place of its key."""

    node: Node
    path: str
    key_spot: Spot

    @property
    def spot(self) -> Spot:
        """Where the value stands; an empty value has no place of its own, so the key's."""
        if isinstance(self.node, Scalar) and self.node.value is None:
            return self.key_spot
        return Spot(self.node.line, self.node.column, self.path)

    @property
    def empty(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.value is None

    def entries(self) -> Iterator[tuple[str, Field]]:
        """The keys of a table; nothing for other nodes."""
        if isinstance(self.node, Table):
            for entry in self.node.entries:
                path = f"{self.path}.{entry.key}" if self.path else entry.key
                yield entry.key, Field(entry.value, path, Spot(entry.line, entry.column, path))

    def items(self) -> Iterator[Field]:
        """The members of a list; nothing for other nodes."""
        if isinstance(self.node, Items):
            for index, item in enumerate(self.node.items):
                path = f"{self.path}[{index}]"
                yield Field(item, path, Spot(item.line, item.column, path))

    def get(self, key: str) -> Field | None:
        return next((field for name, field in self.entries() if name == key), None)


def root_field(node: Node) -> Field:
    return Field(node, "", Spot(node.line, node.column, ""))
