"""Reads `configs`: texts of the commit, or of the Compose file, that services get as files they cannot write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cabestan.compose import fields, policy
from cabestan.compose.commit_files import MOST_BYTES, Read, path_within, refused_link
from cabestan.compose.findings import Report
from cabestan.compose.model import CommitFile
from cabestan.compose.nodes import Field, Scalar, Spot
from cabestan.compose.secret_files import read_mode, read_owner
from cabestan.domain.tree import LINK_REMEDY

_TARGET = re.compile(r"(?:/[A-Za-z0-9_.@+-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its path in the commit, or another name."""

    source: str
    text: str


def declared_configs(report: Report, field: Field | None, read: Read, folder: str) -> Mapping[str, Text | None]:
    """The top level: the name that services use to the text; None where it is not there, which is reported."""
    return {key: _declared(report, key, config, read, folder) for key, config in fields.entries(report, field)}


def _declared(report: Report, key: str, field: Field, read: Read, folder: str) -> Text | None:
    if not fields.table(report, field, policy.CONFIG):
        return None
    file, content = field.get("file"), field.get("content")
    if content is not None:
        text = fields.text(report, content)
        if text is not None and len(text.encode()) > MOST_BYTES:
            message = f"The config {key[:80]} has more than {MOST_BYTES} bytes."
            report.error("too-large", content.spot, message, "Put it into an image.")
        return Text(key, text) if text is not None else None
    if file is None:
        report.error("no-value", field.spot, f"The config {key[:80]} has no file.", "Add file: PATH.")
        return None
    return text_of(report, file, read, folder)


def text_of(report: Report, field: Field, read: Read, folder: str) -> Text | None:
    """The text of a file that is named; reports one that the commit does not have, or that a link leads away from."""
    written = fields.text(report, field)
    if written is None:
        return None
    path = path_within(folder, written)
    text = read(path) if path is not None else None
    if path is not None and text is not None:
        return Text(path, text)
    if path is not None and (words := refused_link(read, path)):
        report.error("link-refused", field.spot, words, LINK_REMEDY)
    else:
        message = f"The commit has no file {written[:80]!r}, or it has more than {MOST_BYTES} bytes or is no text."
        report.error("file-missing", field.spot, message, "Commit it, under a relative path such as conf/web.conf.")
    return None


def read_configs(report: Report, field: Field, declared: Mapping[str, Text | None]) -> tuple[CommitFile, ...]:
    """Those of a service."""
    return tuple(file for item in fields.members(report, field) if (file := _one(report, item, declared)))


def _one(report: Report, item: Field, declared: Mapping[str, Text | None]) -> CommitFile | None:
    named, target = item, None
    if not isinstance(item.node, Scalar):
        if not fields.table(report, item, policy.SERVICE_CONFIG):
            return None
        source = item.get("source")
        if source is None:
            report.error("no-value", item.spot, "The config is not named.", "Add source: NAME.")
            return None
        named, target = source, item.get("target")
    key = fields.text(report, named)
    if key is None:
        return None
    if key not in declared:
        message = f"The config {key[:80]} is not declared."
        report.error("config-undeclared", named.spot, message, f"Add `configs: {{{key}: {{file: PATH}}}}`.")
        return None
    found = declared[key]
    path = _target(report, target, f"/{key}", item.spot)
    if found is None or path is None:
        return None
    return CommitFile(
        found.source,
        found.text,
        path,
        item.spot,
        uid=read_owner(report, item.get("uid")),
        gid=read_owner(report, item.get("gid")),
        mode=read_mode(report, item.get("mode")),
    )


def _target(report: Report, field: Field | None, otherwise: str, spot: Spot) -> str | None:
    path = fields.text(report, field) if field is not None else otherwise
    if path is not None and (not _TARGET.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        message = f"{path[:80]!r} is no path in the container."
        report.error("config-target", field.spot if field else spot, message, "Write a plain absolute path.")
        return None
    return path
