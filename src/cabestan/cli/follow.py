"""Following a job's log to its end, over as many connections as that takes."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cabestan.cli.api import Api, Value, address
from cabestan.cli.failures import Unreachable
from cabestan.cli.sse import Event, EventParser
from cabestan.cli.terminal_text import TerminalText
from cabestan.errors import CabestanError

_BLOCK = 1 << 20
#: how long a server may be away, restarting for example, before following gives up
_AWAY_SECONDS = 60.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class EventStream:
    """Server-sent events from a place on, over as many connections as that takes. Their ids are places."""

    def __init__(self, api: Api, path: str, place: int, **query: Value) -> None:
        self._api = api
        self._path = path
        self._query = query
        #: after the last event
        self.place = place

    def batches(self, away_seconds: float = _AWAY_SECONDS) -> Iterator[list[Event]]:
        """What came together, each event once. A lost connection is taken up again where it was.

        Raises Refused, and Unreachable when no server answered for `away_seconds`, or at the very first try.
        """
        blocks = self._connect()
        while True:
            parser = EventParser()
            for block in blocks:
                yield [event for event in parser.feed(block) if self._is_new(event)]
            blocks = self._reconnect(away_seconds)

    def _is_new(self, event: Event) -> bool:
        if not event.id:
            return True
        if int(event.id) <= self.place:
            return False
        self.place = int(event.id)
        return True

    def _connect(self) -> Iterator[bytes]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.place)}
        return _blocks(self._api.open(self._path, headers, **self._query))

    def _reconnect(self, away_seconds: float) -> Iterator[bytes]:
        deadline = time.monotonic() + away_seconds
        pause = _FIRST_PAUSE
        while True:
            time.sleep(pause)
            try:
                return self._connect()
            except Unreachable:
                if time.monotonic() >= deadline:
                    raise
            pause = min(2 * pause, _LONGEST_PAUSE)


class LogFollower:
    """One reader of one log. `write` takes bytes of the log, each exactly once and in order.

    `kind` says of what: `jobs` or `runs`.
    """

    def __init__(self, api: Api, number: int, offset: int, write: Callable[[bytes], None], kind: str = "jobs") -> None:
        self._events = EventStream(api, address(kind, number, "log", "stream"), offset)
        self._write = write

    def run(self, away_seconds: float = _AWAY_SECONDS) -> str:
        """The status of the job or run when its log has ended. Raises what `EventStream` does."""
        for events in self._events.batches(away_seconds):
            self._write(b"".join(_encoded(json.loads(event.data)["text"]) for event in events if event.kind == b"log"))
            for event in events:
                if event.kind == b"end":
                    return str(json.loads(event.data)["status"])
        raise AssertionError  # they go on until the log ends, or raise


def line_offset(api: Api, number: int, line: int, kind: str = "jobs") -> int:
    """Where the line begins, in bytes; the end of the log where it has fewer. Lines count from 1."""
    if line <= 1:
        return 0
    found = api.get(address(kind, number, "log", "lines"), **{"from": line, "count": 1})
    return int(found["lines"][0]["offset"] if found["lines"] else found["size"])


def download(api: Api, number: int, offset: int, write: Callable[[bytes], None], kind: str = "jobs") -> None:
    """The log as far as it is, from the offset."""
    for block in _downloaded(api.open(address(kind, number, "log"), {"Accept": "text/plain"}, offset=offset)):
        write(block)


def _downloaded(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Raises Unreachable where it ends before its end."""
    try:
        with answer:
            while block := answer.read(_BLOCK):
                yield block
            if answer.length:  # what was announced and did not come
                raise http.client.IncompleteRead(b"", answer.length)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The connection broke within the log: {error}.", "Ask again.") from error


def _blocks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """What has come, as soon as it comes; ends with the connection, however that ends."""
    with answer:
        while True:
            try:
                block = answer.read1(_BLOCK)
            except (OSError, http.client.HTTPException, ValueError):
                return
            if not block:
                return
            yield block


def _encoded(text: str) -> bytes:
    """The log's bytes. Lone surrogates stand for bytes that were no UTF-8, where they can."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def ended_well(status: str) -> bool:
    if status not in {"succeeded", "failed", "canceled", "skipped"}:
        raise CabestanError(f"The log ended, with a status that is not known here: {status}.")
    return status == "succeeded"


def show(api: Api, number: int, kind: str, *, from_line: int, live: bool) -> str:
    """Writes a log to stdout: as far as it is, or to its end, whose status it gives then (else nothing)."""
    offset = line_offset(api, number, from_line, kind)
    with _stdout() as write:
        if live:
            return LogFollower(api, number, offset, write, kind).run()
        download(api, number, offset, write, kind)
    return ""


@contextmanager
def _stdout() -> Iterator[Callable[[bytes], None]]:
    """Takes a log's bytes: as they are, or at a terminal without what it would obey."""
    if not sys.stdout.isatty():
        yield _to_stdout
        return
    text = TerminalText()
    try:
        yield lambda block: _to_terminal(text.feed(block))
    finally:
        _to_terminal(text.end())


def _to_stdout(block: bytes) -> None:
    if block:
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()


def _to_terminal(text: str) -> None:
    if text:
        sys.stdout.write(text)
        sys.stdout.flush()
