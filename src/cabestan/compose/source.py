"""Bounded reading of YAML into nodes that know their place.

The bounds hold before memory is spent: an alias counts as all the nodes that it stands for, so that a small
file cannot grow into a large tree. As with Docker, keys are unique, `<<` merges and anchors work, and `!reset` and
`!override` tell how files are joined; other tags but YAML's own, and further documents, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.nodes import Entry, Items, Mark, Node, Scalar, Table, Value
from cabestan.compose.placeholder import MARKS
from cabestan.compose.scalars import resolve

_MERGE = "<<"
_MARKS: dict[str, Mark] = {"!reset": "reset", "!override": "override"}
_TAG = "tag:yaml.org,2002:"
#: the tags that text may have, with the kinds of value that it must mean then
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    f"{_TAG}str": (str,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (float, int),
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}
_OTHER_TAGS = {SequenceStartEvent: f"{_TAG}seq", MappingStartEvent: f"{_TAG}map"}
_FORBIDDEN = MARKS | {"\0"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may ask for, and all files of a project together."""

    #: bytes of the file in UTF-8
    max_bytes: int = 256 * 1024
    #: lists and mappings in one another
    max_depth: int = 20
    #: values, lists and mappings, each alias counted as what it stands for
    max_nodes: int = 20_000
    max_aliases: int = 200
    #: characters of all values after interpolation
    max_text: int = 2 * 1024 * 1024
    #: files that are joined, with those that their services extend
    max_files: int = 32
    #: services that extend one another in a chain
    max_chain: int = 20


#: a node with the number of nodes in it and the levels below it
_Built = tuple[Node, int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's tree, the number of nodes in it, and whether there are marks in it."""

    root: Node
    size: int
    marked: bool


def read_yaml(text: str, file: str, limits: Limits | None = None) -> Node:
    """The root node of a document; an empty text is an empty scalar. Raises ComposeRefused, one finding."""
    return read_document(text, file, limits).root


def read_document(text: str, file: str, limits: Limits | None = None) -> Document:
    """As `read_yaml`, with what is to be known of the tree."""
    limits = limits or Limits()
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        refuse(file, 1, 1, "not-yaml", "The file is not valid Unicode.", "Save it as UTF-8.", error)
    if size > limits.max_bytes:
        message = f"The file has {size} bytes, more than {limits.max_bytes}."
        refuse(file, 1, 1, "too-large", message, "Make it smaller.")
    try:
        composer = _Composer(yaml.parse(text, Loader=yaml.CSafeLoader), file, limits)
        return Document(composer.document(), composer.nodes, composer.marked)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if (tab := _tab_near(text, line)) is not None:
            message = "A tab stands where YAML takes spaces only."
            refuse(file, *tab, "not-yaml", message, "Indent with spaces.", error)
        refuse(file, line, column, "not-yaml", f"Not valid YAML: {error.problem}.", "Correct it.", error)
    except yaml.YAMLError as error:
        refuse(file, 1, 1, "not-yaml", f"Not valid YAML: {error}.", "Correct it.", error)


def _tab_near(text: str, line: int) -> tuple[int, int] | None:
    """The place of a tab in the indentation of the line that could not be read, or of the one before."""
    lines = text.splitlines()
    for number in (line, line - 1):
        written = lines[number - 1] if 0 < number <= len(lines) else ""
        indent = written[: len(written) - len(written.lstrip())]
        if "\t" in indent:
            return number, indent.index("\t") + 1
    return None


def refuse(
    file: str, line: int, column: int, code: str, message: str, remedy: str, cause: Exception | None = None
) -> NoReturn:
    """Raises ComposeRefused for a file that cannot even be read."""
    raise ComposeRefused([Finding(code, "error", file, line, column, "", message, remedy)]) from cause


@dataclass(slots=True)
class _Composer:
    """Makes nodes of the parser's events, counting as it goes."""

    events: Iterator[Event]
    file: str
    limits: Limits
    anchors: dict[str, _Built] = field(default_factory=dict)
    nodes: int = 0
    aliases: int = 0
    marked: bool = False

    def document(self) -> Node:
        self._expect(StreamStartEvent)
        first = next(self.events)
        if isinstance(first, StreamEndEvent):
            return Scalar(None, "", 1, 1, self.file)
        node, _, _ = self._node(next(self.events), 1)
        next(self.events)
        after = next(self.events)
        if isinstance(after, DocumentStartEvent):
            self._refuse(after, "not-yaml", "A second document begins here.", "Keep one document in the file.")
        return node

    def _expect(self, kind: type[Event]) -> None:
        event = next(self.events)
        assert isinstance(event, kind), f"the parser began with {event}"

    def _node(self, event: Event, depth: int, *, mark: Mark = "") -> _Built:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1, depth)
        built: _Built
        if isinstance(event, ScalarEvent):
            value = self._scalar_value(event, marked=bool(mark))
            built = Scalar(value, event.value, *_place(event), self.file), 1, 0
        else:
            built = self._collection(event, depth, marked=bool(mark))
        anchor = event.anchor if isinstance(event, NodeEvent) else None
        if anchor is not None:
            self.anchors[anchor] = built
        return built

    def _collection(self, event: Event, depth: int, *, marked: bool) -> _Built:
        assert isinstance(event, SequenceStartEvent | MappingStartEvent), f"a value was expected, not {event}"
        if event.tag is not None and not marked and event.tag != _OTHER_TAGS[type(event)]:
            self._refuse_tag(event, event.tag)
        if isinstance(event, SequenceStartEvent):
            return self._items(event, depth)
        return self._table(event, depth)

    def _refuse_tag(self, event: Event, tag: str) -> NoReturn:
        name = tag.replace(_TAG, "!!")
        if tag in _MARKS:
            message, remedy = f"The tag {name} goes with the value of a key only.", "Write KEY: !reset null."
        else:
            message, remedy = f"The tag {name} is not allowed.", "Remove it; quote text instead."
        self._refuse(event, "yaml-tag", message, remedy)

    def _alias(self, event: AliasEvent, depth: int) -> _Built:
        self.aliases += 1
        if self.aliases > self.limits.max_aliases:
            message = f"The file has more than {self.limits.max_aliases} aliases."
            self._refuse(event, "too-many-aliases", message, "Write some of them out.")
        built = self.anchors.get(event.anchor or "")
        if built is None:
            message = f"The alias *{event.anchor} stands for nothing before it, or for what it is in."
            self._refuse(event, "yaml-alias", message, f"Put &{event.anchor} on an earlier value.")
        _, size, height = built
        self._count(event, size, depth + height)
        return built

    def _count(self, event: Event, nodes: int, depth: int) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.max_nodes:
            message = f"The file holds more than {self.limits.max_nodes} values, counting what aliases stand for."
            self._refuse(event, "too-large", message, "Make it smaller.")
        if depth > self.limits.max_depth:
            message = f"More than {self.limits.max_depth} levels of lists and mappings."
            self._refuse(event, "too-deep", message, "Make it flatter.")

    def _scalar_value(self, event: ScalarEvent, *, marked: bool = False) -> Value:
        text: str = event.value
        if not _FORBIDDEN.isdisjoint(text):
            message = "The text holds a character that is not allowed: NUL or one for private use."
            self._refuse(event, "bad-character", message, "Remove it.")
        if event.tag is not None and not marked:
            return self._tagged(event)
        if event.implicit[0] or (marked and not event.style):
            return resolve(text)
        return text

    def _tagged(self, event: ScalarEvent) -> Value:
        kinds = _SCALAR_TAGS.get(event.tag or "")
        if kinds is None:
            self._refuse_tag(event, event.tag or "")
        if kinds == (str,):
            return event.value
        value = resolve(event.value)
        if type(value) not in kinds:
            message = f"{event.value[:80]!r} is not what its tag says."
            self._refuse(event, "yaml-tag", message, "Remove the tag.")
        return value

    def _items(self, start: SequenceStartEvent, depth: int) -> _Built:
        built = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            built.append(self._node(event, depth + 1))
        node = Items(tuple(each for each, _, _ in built), *_place(start), self.file)
        return node, *_extent(built)

    def _table(self, start: MappingStartEvent, depth: int) -> _Built:
        built: list[_Built] = []
        entries: dict[str, Entry] = {}
        merges: list[Table] = []
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self._key(event)
            is_merge = key == _MERGE and isinstance(event, ScalarEvent) and event.implicit[0]
            if key in entries or (is_merge and merges):
                self._refuse(event, "duplicate-key", f"The key {key} is given twice.", "Keep one of them.")
            value, mark = self._value(depth + 1)
            built.append(value)
            if is_merge:
                merges = self._merged(event, value[0])
            else:
                entries[key] = Entry(key, value[0], *_place(event), self.file, mark)
        for entry in chain.from_iterable(table.entries for table in merges):
            entries.setdefault(entry.key, entry)
        node = Table(tuple(entries.values()), *_place(start), self.file)
        return node, *_extent(built)

    def _value(self, depth: int) -> tuple[_Built, Mark]:
        """The value of a key, with the mark that stands before it."""
        event = next(self.events)
        tag = getattr(event, "tag", None)
        if tag is None or tag not in _MARKS:
            return self._node(event, depth), ""
        self.marked = True
        return self._node(event, depth, mark=_MARKS[tag]), _MARKS[tag]

    def _key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent) or event.tag is not None:
            self._refuse(event, "key-not-text", "A key must be plain text.", "Write a word before the colon.")
        self._count(event, 1, 1)
        key = self._scalar_value(event)
        if not isinstance(key, str):
            self._refuse(event, "key-not-text", f"The key {event.value} is not text.", "Put it in quotes.")
        return key

    def _merged(self, event: Event, node: Node) -> list[Table]:
        parts = node.items if isinstance(node, Items) else (node,)
        tables = [part for part in parts if isinstance(part, Table)]
        if not tables or len(tables) != len(parts):
            self._refuse(event, "yaml-merge", "<< merges a mapping or a list of mappings.", "Give it *an-alias.")
        return tables

    def _refuse(self, event: Event, code: str, message: str, remedy: str) -> NoReturn:
        refuse(self.file, *_place(event), code, message, remedy)


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1


def _extent(built: list[_Built]) -> tuple[int, int]:
    """Size and height of what holds these."""
    size, height = 1, 0
    for _, each_size, each_height in built:
        size += each_size
        height = max(height, each_height + 1)
    return size, max(height, 1)
