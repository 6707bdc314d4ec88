"""The logs in one directory."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

from cabestan.domain.redaction import Redactor
from cabestan.errors import Conflict
from cabestan.store.logs.frames import pack, unpack
from cabestan.store.logs.layout import LogPaths
from cabestan.store.logs.reader import LogReader
from cabestan.store.logs.writer import LARGEST, LogWriter


class LogStore:
    """Makes writers and readers by log id (letters, digits, `-`, `_`; else Invalid). Safe for threads."""

    def __init__(self, directory: Path, largest: int = LARGEST) -> None:
        """`largest`: of one log, in bytes."""
        self._directory = directory
        self._largest = largest
        self._readers: WeakValueDictionary[str, LogReader] = WeakValueDictionary()
        directory.mkdir(parents=True, exist_ok=True)

    def writer(self, log_id: str, redactor: Redactor | None = None) -> LogWriter:
        """The log's one writer. Raises Conflict when there is another one, or when the log is packed away."""
        return LogWriter(self._paths(log_id), redactor, self._largest)

    def reader(self, log_id: str) -> LogReader:
        """A reader, shared by all who use it at the same time. The log need not exist yet."""
        reader = self._readers.get(log_id)
        if reader is None:
            reader = self._readers[log_id] = LogReader(log_id, self._paths(log_id))
        return reader

    def compress(self, log_id: str) -> None:
        """Packs an ended log; the same reader reads it. Can be repeated. Raises Conflict when it has not
        ended.
        """
        paths = self._paths(log_id)
        with LogReader(log_id, paths) as reader:
            if not reader.ended():
                raise Conflict(f"The log {log_id} has not ended.", "Compress it after its job.")
            pack(paths, reader.size())

    def unpack(self, log_id: str) -> None:
        """Makes a packed log take lines again, for a job that is run once more. Does nothing where it is plain."""
        unpack(self._paths(log_id))

    def delete(self, log_id: str) -> None:
        """Removes a log's files, where there are any."""
        self._readers.pop(log_id, None)
        paths = self._paths(log_id)
        for path in (paths.log, paths.packed, paths.frames, paths.index):
            path.unlink(missing_ok=True)

    def _paths(self, log_id: str) -> LogPaths:
        return LogPaths.of(self._directory, log_id)
