"""Relative paths of a service from another folder, as they are seen from the project's folder.

These are what Docker changes too: the paths of volumes and files of variables, and the context of a build.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace

from cabestan.compose.nodes import Items, Node, Scalar, Table


def rebased(service: Node, prefix: str) -> Node:
    """The service with `prefix` before its paths; `.` changes nothing."""
    if prefix == "." or not isinstance(service, Table):
        return service
    entries = []
    for entry in service.entries:
        if entry.key == "volumes" and isinstance(entry.value, Items):
            items = tuple(_volume(item, prefix) for item in entry.value.items)
            entries.append(replace(entry, value=replace(entry.value, items=items)))
        elif entry.key == "env_file":
            entries.append(replace(entry, value=_env_file(entry.value, prefix)))
        elif entry.key == "build":
            entries.append(replace(entry, value=_build(entry.value, prefix)))
        else:
            entries.append(entry)
    return replace(service, entries=tuple(entries))


def _volume(item: Node, prefix: str) -> Node:
    if isinstance(item, Table):
        kind = item.get("type")
        is_bind = isinstance(kind, Scalar) and kind.value == "bind"
        return _with_key(item, "source", prefix) if is_bind else item
    if not isinstance(item, Scalar) or not isinstance(item.value, str):
        return item
    source, colon, rest = item.value.partition(":")
    return _text(item, _moved(source, prefix) + colon + rest) if colon and source.startswith(".") else item


def _env_file(node: Node, prefix: str) -> Node:
    match node:
        case Items():
            return replace(node, items=tuple(_env_file(item, prefix) for item in node.items))
        case Table():
            return _with_key(node, "path", prefix)
    return _path(node, prefix)


def _build(node: Node, prefix: str) -> Node:
    return _with_key(node, "context", prefix) if isinstance(node, Table) else _path(node, prefix)


def _with_key(table: Table, key: str, prefix: str) -> Table:
    entries = (replace(e, value=_path(e.value, prefix)) if e.key == key else e for e in table.entries)
    return replace(table, entries=tuple(entries))


def _path(node: Node, prefix: str) -> Node:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return _text(node, _moved(node.value, prefix))
    return node


def _moved(path: str, prefix: str) -> str:
    """What is no relative path stays as it is, and is refused where it is read."""
    if path.startswith(("/", "~")) or ":" in path or "\\" in path:
        return path
    moved = posixpath.normpath(posixpath.join(prefix, path))
    return moved if moved.startswith("..") else f"./{moved}"


def _text(node: Scalar, text: str) -> Scalar:
    return replace(node, value=text, text=text)
