"""Mounts over files of the commit, which would be a volume that keeps the first version of them for ever.

A file, or a folder of few of them, is given to the service as it is in the commit. What is mounted over a service's own
sources is for development: the image has them, so it is left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from cabestan.compose.commit_files import MOST_FILES, Read, build_context, files_below, is_source
from cabestan.compose.configs import text_of
from cabestan.compose.findings import Report
from cabestan.compose.model import CommitFile
from cabestan.compose.nodes import Field, Spot

_ANONYMOUS = "A volume without a name is a new one for each container: what is written to it is not found again."
_NAME_IT = "Remove it: the image has the folder. Where data is to be kept, name it: ./data:/path."
#: so that scripts can be run
_MODE = 0o555


@dataclass(frozen=True, slots=True)
class Commit:
    """The files of the commit; `folder` is the project's, that relative paths are seen from."""

    read: Read
    folder: str

    def named(self, report: Report, fields: Mapping[str, Field]) -> dict[str, CommitFile | None]:
        """Those that the fields name, without a target."""
        found = {key: text_of(report, field, self.read, self.folder) for key, field in fields.items()}
        return {
            key: CommitFile(one.source, one.text, "", fields[key].spot) if one else None for key, one in found.items()
        }


@dataclass(slots=True)
class CommitMounts:
    """Of one service after the other."""

    report: Report
    commit: Commit
    #: what the service is built from; nothing where it is not built
    context: str | None = None
    files: list[CommitFile] = field(default_factory=list)
    anonymous: list[Spot] = field(default_factory=list)
    left_out: bool = False

    def begin(self, service: Field) -> None:
        self.files, self.anonymous, self.left_out = [], [], False
        self.context = build_context(service)

    def end(self) -> tuple[CommitFile, ...]:
        """What the service gets. Reports volumes without a name, unless they only keep other mounts off."""
        for spot in self.anonymous:
            if self.left_out:
                message = "A volume without a name beside mounts of the sources is left out with them."
                self.report.warn("mount-left-out", spot, message, "Leave it to a file for development.")
            else:
                self.report.error("no-anonymous-volume", spot, _ANONYMOUS, _NAME_IT)
        return tuple(self.files)

    def take(self, source: str, target: str, spot: Spot) -> bool:
        """Whether the mount is of files of the commit, and dealt with.

        What cannot be given is not: it would be a volume, which is refused where the commit is known.
        """
        if not source.startswith(".") or ".." in source.split("/"):
            return False
        path = posixpath.normpath(source)
        full = posixpath.normpath(posixpath.join(self.commit.folder, path))
        if path != ".":
            text = self.commit.read(full)
            if text is not None:
                return self._give({full: text}, full, target, spot)
        below = files_below(self.commit.read, full) if path != "." else ()
        if below is None or (path == "." and not is_source(self.context, path)):
            return False
        if is_source(self.context, path):
            return self._leave_out(source, spot)
        read = {name: self.commit.read(name) for name in below}
        texts = {name: text for name, text in read.items() if text is not None}
        if len(below) > MOST_FILES or len(texts) < len(below):
            return False
        return self._give(texts, full, target, spot)

    def _leave_out(self, source: str, spot: Spot) -> bool:
        message = (
            f"{source} is what the service is built from: the mount is left out, and what is written there not kept."
        )
        remedy = "COPY the files in the Dockerfile; keep data in a volume of its own, such as ./data."
        self.report.warn("mount-left-out", spot, message, remedy)
        self.left_out = True
        return True

    def _give(self, texts: Mapping[str, str], path: str, target: str, spot: Spot) -> bool:
        message = "The service gets the files as they are in the commit, and cannot write to them."
        self.report.warn(
            "files-given", spot, message, "COPY them into an image, or name a path without files for data."
        )
        for name, text in texts.items():
            self.files.append(CommitFile(name, text, target.rstrip("/") + name[len(path) :], spot, mode=_MODE))
        return True
