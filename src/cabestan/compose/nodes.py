"""The tree of a YAML document that remembers where everything stands.

Lines and columns count from 1. `file` is the path of the file that a node stands in, for a tree may be joined of
several; nodes are the same if they say the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Value = str | int | float | bool | None
#: what a tag asks for where files are joined: nothing, to drop what came before, or to take its place
Mark = Literal["", "reset", "override"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `text` is what the file says, `value` what it means: `017` is the number 15."""

    value: Value
    text: str
    line: int
    column: int
    file: str = field(default="", compare=False)
    #: what stood there before its variables were filled in; empty where there were none
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int
    file: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value; the position is the key's."""

    key: str
    value: Node
    line: int
    column: int
    file: str = field(default="", compare=False)
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with unique keys, merge keys resolved: its own entries first, then the merged ones."""

    entries: tuple[Entry, ...]
    line: int
    column: int
    file: str = field(default="", compare=False)

    def get(self, key: str) -> Node | None:
        return next((entry.value for entry in self.entries if entry.key == key), None)


Node = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file, with the path of keys that leads to it: `services.web.image`.

    Without a `file` it is in the one that is being read.
    """

    line: int
    column: int
    path: str
    file: str = field(default="", compare=False)


class Field(NamedTuple):
    """A node with the path that leads to it and the entry that it is the value of.

    One is made for each value that is looked at, hence a named tuple, which is made fastest.
    """

    node: Node
    path: str
    #: a list's member and the whole document have none
    entry: Entry | None = None

    @property
    def key_spot(self) -> Spot:
        """Where the key stands."""
        place = self.entry or self.node
        return Spot(place.line, place.column, self.path, place.file)

    @property
    def spot(self) -> Spot:
        """Where the value stands; an empty value has no place of its own, so the key's."""
        place = self.entry if self.empty and self.entry else self.node
        return Spot(place.line, place.column, self.path, place.file)

    @property
    def empty(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.value is None

    @property
    def value(self) -> Value:
        """What a single value means; None for a table and a list."""
        return self.node.value if isinstance(self.node, Scalar) else None

    @property
    def text(self) -> str:
        """What the file says of a single value; nothing for a table and a list."""
        return self.node.text if isinstance(self.node, Scalar) else ""

    def entries(self) -> Iterator[tuple[str, Field]]:
        """The keys of a table; nothing for other nodes."""
        if isinstance(self.node, Table):
            start = f"{self.path}." if self.path else ""
            for entry in self.node.entries:
                yield entry.key, Field(entry.value, start + entry.key, entry)

    def items(self) -> Iterator[Field]:
        """The members of a list; nothing for other nodes."""
        if isinstance(self.node, Items):
            for index, item in enumerate(self.node.items):
                yield Field(item, f"{self.path}[{index}]")

    def get(self, key: str) -> Field | None:
        if isinstance(self.node, Table):
            for entry in self.node.entries:
                if entry.key == key:
                    return Field(entry.value, f"{self.path}.{key}" if self.path else key, entry)
        return None


def services_of(root: Field) -> tuple[tuple[str, Field], ...]:
    """The services of a whole file, by their names; none where it is no Compose file."""
    services = root.get("services")
    return tuple(services.entries()) if services else ()


def root_field(node: Node) -> Field:
    return Field(node, "")
