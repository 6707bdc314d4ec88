"""Joins files, and services with what they extend, by the rules of Docker Compose.

Mappings join key by key, lists follow one another, a single value takes the place of the one before. The table
below has what differs from that. `!reset` drops what came before, `!override` takes its place; both hold until
the last file is joined, when `settled` ends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cabestan.compose.findings import Report
from cabestan.compose.nodes import Entry, Items, Node, Scalar, Spot, Table

Path = tuple[str, ...]
_SERVICES = "services"
_Rule = Callable[["Merger", Node, Node, Path], Node]


@dataclass(frozen=True, slots=True)
class Merger:
    """Joins two trees. What cannot be joined is reported, and the later one kept."""

    report: Report

    def files(self, base: Table, over: Table) -> Table:
        """The roots of two files, the later one over the earlier."""
        return self._tables(base, over, ())

    def services(self, name: str, base: Table, over: Table) -> Table:
        """A service over the one that it extends."""
        joined = self._tables(base, over, (_SERVICES, name))
        return replace(joined, line=over.line, column=over.column, file=over.file)

    def _tables(self, base: Table, over: Table, path: Path) -> Table:
        entries = {entry.key: entry for entry in base.entries}
        for entry in over.entries:
            before = entries.get(entry.key)
            if before is None or entry.mark or entry.key.startswith("x-"):
                entries[entry.key] = entry
            else:
                entries[entry.key] = self._entry(before, entry, (*path, entry.key))
        return Table(tuple(entries.values()), base.line, base.column, base.file)

    def _entry(self, before: Entry, entry: Entry, path: Path) -> Entry:
        """What is joined stands where it was first given, what is replaced where it was last."""
        if before.mark == "reset":
            return replace(entry, mark="override")
        node = self.joined(before.value, entry.value, path)
        place = entry if node is entry.value else before
        return replace(place, value=node, mark=before.mark)

    def joined(self, base: Node, over: Node, path: Path) -> Node:
        """Two values of one key. An empty one changes nothing, unless it takes the place of the other."""
        key = path[2:] if path[:1] == (_SERVICES,) else ()
        if key in _REPLACED:
            return over
        if _is_empty(base) or _is_empty(over):
            return base if _is_empty(over) else over
        rule = _RULES.get(key)
        return rule(self, base, over, path) if rule else self.plainly(base, over, path)

    def plainly(self, base: Node, over: Node, path: Path) -> Node:
        """As keys without a rule of their own."""
        match base, over:
            case Table(), Table():
                return self._tables(base, over, path)
            case Items(), Items():
                return replace(base, items=(*base.items, *over.items))
            case Table() | Items(), _:
                self.refuse(over, path)
        return over

    def refuse(self, over: Node, path: Path) -> None:
        spot = Spot(over.line, over.column, ".".join(path), over.file)
        message = f"{path[-1]} has another shape than where it was given before."
        self.report.error("cannot-merge", spot, message, "Write both in the same form, or put !override before it.")


def settled(table: Table) -> Table:
    """The tree without marks: what `!reset` stands before is not there."""
    entries = tuple(_settled_entry(entry) for entry in table.entries if entry.mark != "reset")
    return Table(entries, table.line, table.column, table.file)


def _settled_entry(entry: Entry) -> Entry:
    return replace(entry, value=_settled_node(entry.value), mark="")


def _settled_node(node: Node) -> Node:
    match node:
        case Table():
            return settled(node)
        case Items():
            return replace(node, items=tuple(_settled_node(item) for item in node.items))
    return node


def _by_name(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """`NAME: value` and `- NAME=value` alike: the later value of a name counts."""
    before, after = _named(base), _named(over)
    if before is None or after is None:
        merger.refuse(over, path)
        return over
    entries = {entry.key: entry for table in (before, after) for entry in table.entries}
    return replace(before, entries=tuple(entries.values()))


def _named(node: Node) -> Table | None:
    """A list of `NAME=value` as the mapping that it stands for; None for what is neither."""
    if isinstance(node, Table):
        return node
    if not isinstance(node, Items):
        return None
    entries: dict[str, Entry] = {}
    for item in node.items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            return None
        name, equals, text = item.value.partition("=")
        value = replace(item, value=text, text=text) if equals else replace(item, value=None, text="")
        entries[name] = Entry(name, value, item.line, item.column, item.file)
    return Table(tuple(entries.values()), node.line, node.column, node.file)


def _hosts(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """Addresses of both: one name may have several."""
    return _together(merger, _host_lines(base), _host_lines(over), path)


def _host_lines(node: Node) -> Node:
    """`NAME: address` and `NAME: [address, …]` as lines `NAME=address`."""
    if not isinstance(node, Table):
        return node
    lines: list[Node] = []
    for entry in node.entries:
        addresses = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
        for address in addresses:
            if not isinstance(address, Scalar):
                return node
            line = f"{entry.key}={address.text}"
            lines.append(replace(address, value=line, text=line))
    return Items(tuple(lines), node.line, node.column, node.file)


def _together(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """Both lists, without what is said twice; a single value stands for a list of it."""
    base, over = _as_items(base), _as_items(over)
    if not isinstance(base, Items) or not isinstance(over, Items):
        merger.refuse(over, path)
        return over
    seen: dict[object, Node] = {}
    for item in (*base.items, *over.items):
        seen.setdefault(_sense(item), item)
    return replace(base, items=tuple(seen.values()))


def _as_items(node: Node) -> Node:
    return Items((node,), node.line, node.column, node.file) if isinstance(node, Scalar) else node


def _sense(item: Node) -> object:
    """The port 80 is "80"."""
    return item.text if isinstance(item, Scalar) else item


def _by_target(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """Volumes: one for each place in the container, the later counts."""
    return _by_sense(merger, base, over, path, volume_target)


def _by_source(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """Secrets: what a later file says of one takes the place of what was said before."""
    return _by_sense(merger, base, over, path, secret_source)


def _by_sense(merger: Merger, base: Node, over: Node, path: Path, sense: Callable[[Node], object]) -> Node:
    if not isinstance(base, Items) or not isinstance(over, Items):
        merger.refuse(over, path)
        return over
    items = {sense(item): item for item in (*base.items, *over.items)}
    return replace(base, items=tuple(items.values()))


def volume_target(item: Node) -> object:
    """Where in the container a volume goes, in both forms; the node itself where it does not say so."""
    if isinstance(item, Scalar) and isinstance(item.value, str):
        source, *rest = item.value.split(":")
        return (rest[0] if rest else source).rstrip("/")
    target = item.get("target") if isinstance(item, Table) else None
    if isinstance(target, Scalar) and isinstance(target.value, str):
        return target.value.rstrip("/")
    return item


def secret_source(item: Node) -> object:
    """Which secret is meant, in both forms; the node itself where it does not say so."""
    source = item.get("source") if isinstance(item, Table) else item
    return source.value if isinstance(source, Scalar) and isinstance(source.value, str) else item


def _dependencies(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """A list of names and a mapping with conditions alike."""
    return merger.plainly(_conditions(base), _conditions(over), path)


def _conditions(node: Node) -> Node:
    if not isinstance(node, Items):
        return node
    entries: dict[str, Entry] = {}
    for item in node.items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            return node
        started = Scalar("service_started", "service_started", item.line, item.column, item.file)
        place = (item.line, item.column, item.file)
        table = Table((Entry("condition", started, *place),), *place)
        entries[item.value] = Entry(item.value, table, *place)
    return Table(tuple(entries.values()), node.line, node.column, node.file)


def _logging(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """Options belong to their driver: another driver begins anew."""
    if isinstance(base, Table) and isinstance(over, Table):
        before, after = base.get("driver"), over.get("driver")
        if before and after and _sense(before) != _sense(after):
            return over
    return merger.plainly(base, over, path)


def _build(merger: Merger, base: Node, over: Node, path: Path) -> Node:
    """A path stands for a mapping with a context."""
    return merger.plainly(_with_context(base), _with_context(over), path)


def _with_context(node: Node) -> Node:
    if not isinstance(node, Scalar) or node.value is None:
        return node
    place = (node.line, node.column, node.file)
    return Table((Entry("context", node, *place),), *place)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


#: the keys of a service of which the later value takes the place of the earlier
_REPLACED: frozenset[Path] = frozenset({("command",), ("entrypoint",), ("healthcheck", "test")})
#: those that follow a rule of their own
_RULES: Mapping[Path, _Rule] = {
    ("environment",): _by_name,
    ("labels",): _by_name,
    ("extra_hosts",): _hosts,
    ("env_file",): _together,
    ("expose",): _together,
    ("ports",): _together,
    ("links",): _together,
    ("tmpfs",): _together,
    ("volumes",): _by_target,
    ("secrets",): _by_source,
    ("depends_on",): _dependencies,
    ("logging",): _logging,
    ("build",): _build,
}
