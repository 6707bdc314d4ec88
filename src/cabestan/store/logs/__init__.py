"""Job logs: bytes on disk, exactly once, readable from any place while they grow."""

from cabestan.store.logs.hub import Channel, LogHub, Piece
from cabestan.store.logs.layout import Head
from cabestan.store.logs.lines import LogLine
from cabestan.store.logs.reader import LISTED, LogReader
from cabestan.store.logs.search import Found
from cabestan.store.logs.store import LogStore
from cabestan.store.logs.writer import LARGEST, LogWriter

__all__ = [
    "LARGEST",
    "LISTED",
    "Channel",
    "Found",
    "Head",
    "LogHub",
    "LogLine",
    "LogReader",
    "LogStore",
    "LogWriter",
    "Piece",
]
