"""Backups on the disk: packed with gzip, checksummed, whole or not there."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabestan.errors import NotFound, StepFailed

_CHUNK = 1 << 20
_PARTIAL = ".partial"
_LEVEL = 6
_GZIP = 31


@dataclass(frozen=True)
class Packed:
    """A finished file: bytes on the disk and unpacked, and the SHA-256 of what is on the disk."""

    bytes: int
    plain_bytes: int
    sha256: str


class _Packer:
    """Packs what is written to it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._zip = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._hash = hashlib.sha256()
        self._plain = self._packed = 0

    def write(self, chunk: bytes) -> None:
        self._plain += len(chunk)
        self._put(self._zip.compress(chunk))

    def _put(self, packed: bytes) -> None:
        self._hash.update(packed)
        self._packed += len(packed)
        self._file.write(packed)

    def finish(self) -> Packed:
        self._put(self._zip.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        return Packed(self._packed, self._plain, self._hash.hexdigest())

    def close(self) -> None:
        self._file.close()


class BackupFiles:
    """One file per backup, by its name (with folders), and beside it `NAME.json`, which tells what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name

    @contextmanager
    def writing(self, name: str) -> Iterator[_Packer]:
        """Under another name, until `keep` gives it the right one: what a kill leaves never counts.

        What breaks leaves nothing: on a full disk, what was half written would take the room of all else.
        """
        path = self.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(path.name + _PARTIAL)
        packer = _Packer(partial)
        try:
            yield packer
            packer.close()
        except Exception:
            with suppress(OSError):  # there is no room for what it still holds either
                packer.close()
            partial.unlink(missing_ok=True)
            raise

    def keep(self, name: str, facts: Mapping[str, Any]) -> None:
        """`facts` are enough to restore it without Cabestan's database."""
        path = self.path(name)
        self.described(name).write_text(json.dumps(facts, indent=1, ensure_ascii=False))
        os.replace(path.with_name(path.name + _PARTIAL), path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def described(self, name: str) -> Path:
        """The file that tells what is in it."""
        path = self.path(name)
        return path.with_name(f"{path.name}.json")

    def remove(self, name: str) -> None:
        path = self.path(name)
        for left in (path, self.described(name), path.with_name(path.name + _PARTIAL)):
            left.unlink(missing_ok=True)

    def remove_folder_of(self, name: str) -> None:
        """The folders that a file was in, as far as nothing else is in them."""
        for folder in self.path(name).parents:
            if folder == self.folder:
                return
            try:
                folder.rmdir()
            except OSError:  # something is in it, or it is gone
                return

    def check(self, name: str, sha256: str) -> None:
        """Raises StepFailed where the file is not what was written."""
        found = hashlib.sha256()
        with self._open(name) as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        if found.hexdigest() != sha256:
            raise StepFailed(
                f"The backup {self.path(name)} was changed or damaged: its SHA-256 is not what was written.",
                "Restore another one, and look at the disk.",
            )

    def chunks(self, name: str) -> Iterator[bytes]:
        """What it holds, unpacked, in pieces of at most 1 MiB, however well it was packed."""
        unzip = zlib.decompressobj(_GZIP)
        with self._open(name) as file:
            while packed := unzip.unconsumed_tail or file.read(_CHUNK):
                if plain := unzip.decompress(packed, _CHUNK):
                    yield plain
        if not unzip.eof:
            raise StepFailed(f"The backup {self.path(name)} is cut off.", "Restore another one.")

    @contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        try:
            with self.path(name).open("rb") as file:
                yield file
        except FileNotFoundError as error:
            raise NotFound(f"The backup {self.path(name)} is gone from the disk.", "Restore another one.") from error
