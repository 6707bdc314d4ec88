"""The log of a container, from the engine into a log of ours.

With a terminal the engine's stream is the bare bytes, in order, `\\r\\n` at line ends; without one it comes in frames,
which are taken apart (`framed`), always in the same order, so that bytes can be counted all the same. Asked in HTTP/1.0
the engine does not chunk it either, so that it goes from the socket to the disk in large blocks. The engine
must keep the log whole (driver `json-file` or `local` without rotation): going on where we were means
reading it again from its start.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cabestan.adapters.stream_frames import Unframer
from cabestan.errors import EngineUnavailable, Invalid, NotFound
from cabestan.store.logs import LogWriter

#: bytes asked of the socket at once
BLOCK = 256 << 10
#: an engine that does not answer a request in this time is unavailable (seconds)
ANSWER_WITHIN = 30.0
#: how long a container may count as running after its log has ended (seconds)
_SETTLE = 3.0
#: bytes compared with the engine's, to know that a log is whole
_TAIL = 16 << 10
_TAIL_LINES = 100


@dataclass(frozen=True)
class LogSource:
    """Where an engine's API answers: `unix:///path` or `tcp://host:port` (with TLS when `tls` is given)."""

    address: str = "unix:///var/run/docker.sock"
    api: str = "1.41"
    tls: ssl.SSLContext | None = None

    def connect(self) -> socket.socket:
        """Raises EngineUnavailable, or Invalid for an address of another kind."""
        try:
            return self._connected()
        except OSError as error:
            raise EngineUnavailable(
                f"The Docker Engine at {self.address} does not answer: {error}.",
                "Is it running? `cabestan doctor` looks closer.",
            ) from error

    def _connected(self) -> socket.socket:
        url = urlsplit(self.address)
        if url.scheme == "unix":
            return _connected_to(url.path)
        if url.scheme != "tcp" or not url.hostname:
            raise Invalid(f"{self.address!r} is not an engine's address.", "Use unix:///path or tcp://host:port.")
        connection = socket.create_connection((url.hostname, url.port or 2375), ANSWER_WITHIN)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return self.tls.wrap_socket(connection, server_hostname=url.hostname) if self.tls else connection


def _connected_to(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_WITHIN)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def log_request(engine: LogSource, container: str, *, follow: bool, tail: int | None = None) -> bytes:
    """The request for a container's log, from its start or the last `tail` lines."""
    what = f"follow={int(follow)}&stdout=1&stderr=1" + (f"&tail={tail}" if tail is not None else "")
    return _request(engine, f"/containers/{quote(container, safe='')}/logs?{what}")


def state_request(engine: LogSource, container: str) -> bytes:
    return _request(engine, f"/containers/{quote(container, safe='')}/json")


def parse_answer(start: bytes) -> tuple[int, bytes] | None:
    """(status, first bytes of the body) from an answer's start; None when its head is not whole yet."""
    head, end, body = start.partition(b"\r\n\r\n")
    return (int(head.split(None, 2)[1]), body) if end else None


def copy_log(
    engine: LogSource,
    container: str,
    writer: LogWriter,
    advanced: Callable[[], None],
    stopped: Callable[[], bool] = lambda: False,
    *,
    framed: bool = False,
) -> bool:
    """Copies a container's log until the container has ended and all is there: True. False when `stopped()`.

    `advanced` is called after each append; `framed`: it has no terminal. Goes on where an earlier call was,
    killed or not. Raises NotFound when the engine does not know the container, EngineUnavailable when it
    stops answering; then call again.
    """
    while not stopped():
        tail = _copy_stream(engine, container, writer, advanced, stopped, follow=True, framed=framed)
        if stopped():
            break
        if not _has_ended(engine, container):
            continue
        if not _is_whole(engine, container, tail, framed=framed):
            _copy_stream(engine, container, writer, advanced, stopped, follow=False, framed=framed)
        writer.finish()
        advanced()
        return True
    return False


def _copy_stream(
    engine: LogSource,
    container: str,
    writer: LogWriter,
    advanced: Callable[[], None],
    stopped: Callable[[], bool],
    *,
    follow: bool,
    framed: bool,
) -> bytes:
    """Feeds the writer what it does not have yet; the stream's last bytes."""
    missing = writer.attach(container)
    tail = b""
    bare = Unframer().feed if framed else bytes
    with closing(_opened(engine, log_request(engine, container, follow=follow))) as stream:
        for block in map(bare, _paced(stream, stopped)):
            tail = (tail + block)[-_TAIL:]
            fresh = block[missing:]
            missing -= len(block) - len(fresh)
            if fresh:
                writer.feed(fresh)
                advanced()
    if missing and not stopped():
        writer.note("(the engine has lost the beginning of this log)", key=f"lost {container}")
    return tail


def _paced(stream: _Stream, stopped: Callable[[], bool]) -> Iterator[bytes]:
    """The stream's blocks. The engine sends line by line; a short pause when it is busy makes large blocks
    of them.

    The pause adapts: it must not let the socket's buffer (some 270 lines) fill up and stall the engine.
    """
    pause, last = _Pause(), 0.0
    while not stopped():
        block = stream.block()
        if block == b"":
            return
        now = time.monotonic()
        if block is not None:
            yield block
            pause = pause.after(block, now - last)
            last = now
            time.sleep(pause.seconds)


@dataclass(frozen=True)
class _Pause:
    """How long to wait before the next block, in seconds."""

    seconds: float = 0.0

    def after(self, block: bytes, since: float) -> _Pause:
        """`block` came `since` seconds after the one before."""
        lines = block.count(b"\n")
        if since > 0.05 or lines > 180 or len(block) > 20 << 10:
            return _Pause()
        if lines > 90:
            return _Pause(self.seconds / 2)
        return _Pause(min(0.01, max(0.0005, self.seconds * 2))) if lines < 40 else self


class _Stream:
    """The body of an answer."""

    def __init__(self, connection: socket.socket, first: bytes) -> None:
        self._connection = connection
        self._first = first
        connection.settimeout(1.0)

    def block(self) -> bytes | None:
        """The next bytes; none at the end, None when nothing came for a second."""
        first, self._first = self._first, b""
        try:
            return first or self._connection.recv(BLOCK)
        except TimeoutError:
            return None
        except ConnectionError:
            return b""

    def close(self) -> None:
        self._connection.close()


def _request(engine: LogSource, path: str) -> bytes:
    return f"GET /v{engine.api}{path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode()


def _opened(engine: LogSource, request: bytes) -> _Stream:
    """The answer's body, when the engine said yes; else its words as an error."""
    connection = engine.connect()
    try:
        connection.sendall(request)
        return _accepted(engine, connection)
    except OSError as error:
        connection.close()
        raise EngineUnavailable(
            f"The Docker Engine at {engine.address} broke off: {error}.", "Is it running?"
        ) from error
    except BaseException:
        connection.close()
        raise


def _accepted(engine: LogSource, connection: socket.socket) -> _Stream:
    status, body = _answer(engine, connection)
    if status != 200:
        raise _refusal(engine, status, body + connection.recv(BLOCK))
    return _Stream(connection, body)


def _answer(engine: LogSource, connection: socket.socket) -> tuple[int, bytes]:
    start = b""
    while (parsed := parse_answer(start)) is None:
        block = connection.recv(BLOCK)
        if not block:
            raise EngineUnavailable(f"The Docker Engine at {engine.address} broke off.", "Is it running?")
        start += block
    return parsed


def _refusal(engine: LogSource, status: int, body: bytes) -> NotFound | EngineUnavailable:
    words = body.decode("utf-8", "replace").strip()
    if status == 404:
        return NotFound(
            f"The Docker Engine says: {words}", "The container was removed; its log cannot be read any more."
        )
    return EngineUnavailable(f"The Docker Engine at {engine.address} answered {status}: {words}", "See its own log.")


def _whole(engine: LogSource, request: bytes) -> bytes:
    with closing(_opened(engine, request)) as stream:
        return b"".join(block for block in iter(stream.block, b"") if block)


def _has_ended(engine: LogSource, container: str) -> bool:
    """Whether the container is over, asked a few times: its log may end a moment before it does."""
    deadline = time.monotonic() + _SETTLE
    while _is_alive(_whole(engine, state_request(engine, container))):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_alive(inspected: bytes) -> bool:
    """Running, or not started yet: one whose start failed has an error."""
    state: dict[str, Any] = json.loads(inspected)["State"]
    return bool(state["Running"] or (state["Status"] == "created" and not state["Error"]))


def _is_whole(engine: LogSource, container: str, tail: bytes, *, framed: bool) -> bool:
    """Whether the stream ended with what the engine has last: a follower may be cut off before."""
    answer = _whole(engine, log_request(engine, container, follow=False, tail=_TAIL_LINES))
    last = (Unframer().feed(answer) if framed else answer)[-_TAIL:]
    shared = min(len(last), len(tail))
    return last[len(last) - shared :] == tail[len(tail) - shared :] and (shared > 0 or not last)
