"""Paths of the repository under `volumes`: they become volumes, in which the commit's files would never be seen."""

from __future__ import annotations

import posixpath

from cabestan.compose.commit_files import PLACEHOLDERS
from cabestan.compose.findings import Report
from cabestan.compose.library import folder_of
from cabestan.compose.model import ComposeFile, Volume
from cabestan.domain.finding import Finding
from cabestan.domain.tree import LinkRefused, Tree, resolve

#: by its name alone, which gives way to what is known
_GUESS = "path-is-volume"


def names_paths(compose: ComposeFile) -> bool:
    """Whether there is anything to compare with a commit's files."""
    return any(volume.source.startswith("./") for volume in compose.volumes)


def check_paths(report: Report, compose: ComposeFile, tree: Tree) -> None:
    """Reports what the commit has at the path of a volume, and links on the way there."""
    for volume in compose.volumes:
        if volume.source.startswith("./"):
            path = posixpath.normpath(posixpath.join(folder_of(compose.file), volume.source))
            _check_links(report, volume, path, tree)
            if what := _what(path, tree):
                message = f"{what}, but a volume starts empty and keeps what it has: its files would never be seen."
                remedy = f"Remove it, and COPY {path} into the image; data belongs into a path that the commit lacks."
                report.error("mounted-source", volume.spot, message, remedy)


def without_guesses(findings: tuple[Finding, ...], known: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The first ones, without what the others tell for certain of the same line."""
    told = {(one.file, one.line) for one in known if one.code == "mounted-source"}
    return tuple(one for one in findings if one.code != _GUESS or (one.file, one.line) not in told)


def _check_links(report: Report, volume: Volume, path: str, tree: Tree) -> None:
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        link = "/".join(parts[:end])
        if link in tree.links:
            message = f"{link} is a symbolic link in the repository."
            report.error("volume-link", volume.spot, message, "Name a path that is no link, such as ./data.")


def _what(path: str, tree: Tree) -> str:
    """What the commit has there, in words; empty where it has nothing."""
    try:
        path = resolve(path, tree.links)
    except LinkRefused:
        return ""
    if path in tree.plain:
        return f"{path} is a file of the commit"
    if path in tree.submodules:
        return f"{path} is a submodule of the commit"
    inside = (file for file in tree.plain if file.startswith(f"{path}/"))
    first = next((file for file in sorted(inside) if posixpath.basename(file) not in PLACEHOLDERS), None)
    return f"{path} is a folder of the commit, with {first}" if first else ""
