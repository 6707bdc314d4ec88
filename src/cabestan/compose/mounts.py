"""Volumes of a service, in short and long form. No path of the machine is ever mounted.

`./data:/data` becomes a volume of the environment that is named after the path; it starts empty and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cabestan.compose import fields, policy
from cabestan.compose.commit_mounts import CommitMounts
from cabestan.compose.findings import Report
from cabestan.compose.model import Mount, Volume
from cabestan.compose.nodes import Field, Scalar, Spot

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TARGET = re.compile(r"(?:/[A-Za-z0-9_.@+-]+)+/?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,12})([kmg]?)b?", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (of the container)
_MODES = frozenset({"ro", "rw", "nocopy"})
#: for files of a developer's machine; they mean nothing to a volume
_IDLE_MODES = frozenset({"z", "Z", "cached", "delegated", "consistent"})
_MOST_BYTES = 2**40
_HOST_PATH = "Only paths below the project's own directory, such as ./data, become volumes."
_USE_VOLUME = "Use a named volume, or a path such as ./data."
_NESTED = "Mount the outer path once, and use a directory in it."


@dataclass(slots=True)
class MountReader:
    """Reads the mounts of all services, and collects the volumes that they stand on."""

    report: Report
    #: names in the top-level `volumes`
    declared: frozenset[str]
    commit: CommitMounts
    volumes: dict[str, Volume] = field(default_factory=dict)

    def volumes_key(self, field: Field) -> tuple[Mount, ...]:
        mounts = (self._mount(item) for item in fields.members(self.report, field))
        return tuple(mount for mount in mounts if mount is not None)

    def tmpfs_key(self, field: Field) -> tuple[Mount, ...]:
        """`tmpfs`: one path or a list of them, each with `:size=10m` if wanted."""
        items = (field,) if isinstance(field.node, Scalar) else fields.members(self.report, field)
        mounts = (self._memory_line(item) for item in items)
        return tuple(mount for mount in mounts if mount is not None)

    def shared_memory(self, field: Field) -> tuple[Mount, ...]:
        """`shm_size`, which Swarm does not know: memory at its place."""
        found = _SIZE.fullmatch((fields.size(self.report, field) or "").replace(" ", ""))
        return (
            (Mount(None, _SHARED_MEMORY, field.spot, size=int(found[1]) * _UNITS[found[2].lower()]),) if found else ()
        )

    def check_targets(self, mounts: Iterable[Mount]) -> None:
        """Reports a place in the container that two mounts of a service take."""
        taken: set[str] = set()
        for mount in mounts:
            if mount.target in taken:
                message = f"Two volumes would be at {mount.target}."
                self.report.error("mount-twice", mount.spot, message, "Keep one of them.")
            taken.add(mount.target)

    def _mount(self, item: Field) -> Mount | None:
        if isinstance(item.node, Scalar):
            return self._short(item)
        return self._long(item) if fields.table(self.report, item, policy.MOUNT) else None

    def _short(self, item: Field) -> Mount | None:
        line = fields.text(self.report, item)
        if line is None:
            return None
        source, *rest = line.split(":")
        if not rest:
            self._note_anonymous(item.spot)
            return None
        if len(rest) > 2:
            message = f"{line[:80]!r} is no volume."
            self.report.error("bad-volume", item.spot, message, "Write NAME:/path or NAME:/path:ro.")
            return None
        modes = frozenset(rest[1].split(",")) if len(rest) == 2 else frozenset[str]()
        if wrong := modes - _MODES - _IDLE_MODES:
            message = f"The volume option {min(wrong)[:40]!r} is not allowed."
            self.report.error("volume-option", item.spot, message, "Use ro, rw or nocopy.")
        target = self._target(rest[0], item.spot)
        if target is not None and self.commit.take(source, target, item.spot):
            return None
        key = self._source(source, item.spot)
        if key is None or target is None:
            return None
        return Mount(key, target, item.spot, read_only="ro" in modes, nocopy="nocopy" in modes)

    def _long(self, item: Field) -> Mount | None:
        kind_field, target_field = item.get("type"), item.get("target")
        if kind_field is None or target_field is None:
            message = "A volume in long form needs type and target."
            self.report.error("bad-volume", item.spot, message, "Add them.")
            return None
        kind = fields.choice(self.report, kind_field, ("volume", "bind", "tmpfs"))
        path = fields.text(self.report, target_field)
        target = self._target(path, target_field.spot) if path else None
        if kind is None or target is None:
            return None
        read_only = self._flag(item.get("read_only"))
        if kind == "tmpfs":
            return self._long_memory(item, target, read_only)
        return self._long_volume(item, kind, target, read_only)

    def _long_volume(self, item: Field, kind: str, target: str, read_only: bool) -> Mount | None:
        self._check_options(item, {"volume": policy.MOUNT_VOLUME, "bind": policy.MOUNT_BIND}, kind)
        source_field = item.get("source")
        if source_field is None:
            self._note_anonymous(item.spot)
            return None
        source = fields.text(self.report, source_field)
        if source is None:
            return None
        if kind == "bind" and source[0] not in "./~\\":
            source = f"./{source}"
        if kind == "bind" and self.commit.take(source, target, item.spot):
            return None
        key = self._source(source, source_field.spot)
        options = item.get("volume")
        nocopy = self._flag(options.get("nocopy") if options else None)
        return Mount(key, target, item.spot, read_only=read_only, nocopy=nocopy) if key else None

    def _long_memory(self, item: Field, target: str, read_only: bool) -> Mount | None:
        self._check_options(item, {"tmpfs": policy.MOUNT_TMPFS}, "tmpfs")
        if (source := item.get("source")) is not None:
            self.report.error("bad-volume", source.key_spot, "Memory has no source.", "Remove source.")
        options = item.get("tmpfs")
        size_field = options.get("size") if options else None
        size = fields.integer(self.report, size_field, 1, _MOST_BYTES) if size_field else None
        return Mount(None, target, item.spot, read_only=read_only, size=size)

    def _check_options(self, item: Field, allowed: dict[str, policy.Keys], kind: str) -> None:
        for name in ("volume", "bind", "tmpfs"):
            options = item.get(name)
            if options is None:
                continue
            if name not in allowed or name != kind:
                message = f"{name} does not go with the type {kind}."
                self.report.error("bad-volume", options.key_spot, message, "Remove it.")
            else:
                fields.table(self.report, options, allowed[name])

    def _memory_line(self, item: Field) -> Mount | None:
        line = fields.text(self.report, item)
        if line is None:
            return None
        path, _, options = line.partition(":")
        target = self._target(path, item.spot)
        size = None
        for option in filter(None, options.split(",")):
            name, _, value = option.partition("=")
            if name == "size" and (found := _SIZE.fullmatch(value)):
                size = int(found[1]) * _UNITS[found[2].lower()]
            else:
                message = f"The tmpfs option {option[:40]!r} is not allowed."
                self.report.error("volume-option", item.spot, message, "Use size=10m.")
        return Mount(None, target, item.spot, size=size) if target else None

    def _flag(self, field: Field | None) -> bool:
        return bool(fields.flag(self.report, field)) if field else False

    def _target(self, path: str, spot: Spot) -> str | None:
        segments = path.split("/")
        if not _TARGET.fullmatch(path) or ".." in segments or "." in segments:
            message = f"{path[:80]!r} is no path in the container."
            self.report.error("bad-volume", spot, message, "Write a plain absolute path such as /data.")
            return None
        return path.rstrip("/")

    def _source(self, source: str, spot: Spot) -> str | None:
        """The key of the volume that the source stands for."""
        if source[:1] in ("/", "~", "\\", "") or ".." in source.replace("\\", "/").split("/"):
            self._refuse_host_path(source, spot)
            return None
        if source.startswith("."):
            return self._path(source, spot)
        if not _NAME.fullmatch(source):
            message = f"{source[:80]!r} is no name of a volume."
            self.report.error("bad-volume", spot, message, _USE_VOLUME)
            return None
        if source not in self.declared:
            message = f"The volume {source} is not declared."
            self.report.error("volume-undeclared", spot, message, f"Add `volumes: {{{source}: {{}}}}`.")
            return None
        return self._keep(Volume(source, source, spot))

    def _refuse_host_path(self, source: str, spot: Spot) -> None:
        if source.rpartition("/")[2].endswith(".sock"):
            message = f"{source[:80]!r} would hand over the machine's engine or another of its sockets."
            self.report.error("no-socket", spot, message, "Remove it.")
            return
        message = f"{source[:80]!r} is a path of the machine. {_HOST_PATH}"
        self.report.error("no-host-path", spot, message, _USE_VOLUME)

    def _path(self, source: str, spot: Spot) -> str | None:
        segments = [segment for segment in source.split("/") if segment not in ("", ".")]
        if not segments:
            message = "The source code is not mounted: it is in the image."
            self.report.error("no-host-path", spot, message, _USE_VOLUME)
            return None
        key = "-".join(segments).lstrip(".-_")
        if not all(_SEGMENT.fullmatch(segment) for segment in segments) or not _NAME.fullmatch(key):
            message = f"{source[:80]!r} cannot name a volume."
            remedy = "Use letters, digits and . _ - in the path."
            self.report.error("bad-volume", spot, message, remedy)
            return None
        if "." in segments[-1].lstrip("."):
            message = f"{source} becomes a volume, which is a folder that starts empty, and no file."
            remedy = "Remove it, and COPY the file into the image; a folder for data has a name without a dot."
            self.report.warn("path-is-volume", spot, message, remedy)
        return self._keep(Volume(key, "./" + "/".join(segments), spot))

    def _keep(self, volume: Volume) -> str | None:
        for other in self.volumes.values():
            if other.key == volume.key and other.source != volume.source:
                message = f"{volume.source} and {other.source} would be the same volume {volume.key}."
                self.report.error("volume-clash", volume.spot, message, "Rename one of them.")
                return None
            if _nested(volume.source, other.source):
                message = f"{volume.source} and {other.source} lie in one another, but volumes are apart."
                self.report.error("volume-clash", volume.spot, message, _NESTED)
                return None
        self.volumes.setdefault(volume.key, volume)
        return volume.key

    def _note_anonymous(self, spot: Spot) -> None:
        self.commit.anonymous.append(spot)


def _nested(one: str, other: str) -> bool:
    return one.startswith("./") and (one.startswith(other + "/") or other.startswith(one + "/"))
