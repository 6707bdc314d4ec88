"""What containers say, line by line with the engine's times, as it comes: read without waiting, many side by side.

The engine is asked in HTTP/1.0, so that the bare stream comes. Without a terminal a message is a frame of its own: a
head of eight bytes (the kind of output, three of zero, the length), then the time and the text. A message without a
line end is part of a longer line: the engine cuts those at 16 KiB.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import docker.errors

from cabestan.adapters.container_logs import BLOCK, LogSource, parse_answer
from cabestan.adapters.engine_api import Engine
from cabestan.domain.journal import Said, continues
from cabestan.domain.labels import INSTANCE_LABEL, MANAGED_LABEL, RELEASE_LABEL, ROLE_LABEL, SERVICE_LABEL
from cabestan.errors import NotFound

#: longer lines are cut (bytes)
LONGEST_LINE = 64 << 10
#: `2026-11-30T23:13:12.123456789Z`, and a blank
_STAMP, _TEXT = 30, 31
_FRAME_HEAD = 8
_STDERR = 2
_PIECE = 16 << 10
_TASK = re.compile(r"\.(\d+)\.[a-z0-9]+$")
_ROUTER = "router"
_NOT_STARTED = "created"
#: labels of what says something that is kept
_SPEAKING = (SERVICE_LABEL, MANAGED_LABEL, f"{ROLE_LABEL}={_ROUTER}")
_SERVICE_ID_LABEL = "com.docker.swarm.service.id"
_TASK_NAME_LABEL = "com.docker.swarm.task.name"


class Message(NamedTuple):
    """One of the engine's. `whole`: its line ends with it."""

    time: int
    error: bool
    text: bytes
    whole: bool


@dataclass(frozen=True)
class Container:
    """One of ours that was started. `replica` is 0 where its service has no numbers, `release` where it is of none."""

    id: str
    running: bool
    labels: Mapping[str, str]
    replica: int
    release: int


def containers_on(engine: Engine, manager: Engine, instance: str) -> tuple[Container, ...]:
    """All that are there, running or not, of services of applications, and the router. Raises EngineUnavailable."""
    own = f"{INSTANCE_LABEL}={instance}"
    with engine.speaking("list the containers") as client:
        found = [one for label in _SPEAKING for one in client.api.containers(all=True, filters={"label": [own, label]})]
    with manager.speaking("list the services") as client:
        services = client.api.services(filters={"label": own})
    releases = {service["ID"]: _release(service) for service in services}
    return tuple({one["Id"]: _container(one, releases) for one in found if one["State"] != _NOT_STARTED}.values())


def speaks(labels: Mapping[str, str]) -> bool:
    """Whether what a container with these labels says is kept."""
    return SERVICE_LABEL in labels or MANAGED_LABEL in labels or labels.get(ROLE_LABEL) == _ROUTER


def container_on(engine: Engine, manager: Engine, container: str) -> Container | None:
    """The one with that id; None where it is gone, or not started. Raises EngineUnavailable."""
    with engine.speaking("look at a container") as client:
        found = client.api.containers(all=True, filters={"id": container})
    if not found or found[0]["State"] == _NOT_STARTED:
        return None
    service = found[0]["Labels"].get(_SERVICE_ID_LABEL, "")
    with manager.speaking("look at a service") as client:
        services = client.api.services(filters={"id": service}) if service else []
    return _container(found[0], {one["ID"]: _release(one) for one in services})


def _release(service: Mapping[str, Any]) -> str:
    return str((service["Spec"].get("Labels") or {}).get(RELEASE_LABEL, ""))


def _container(found: Mapping[str, Any], releases: Mapping[str, str]) -> Container:
    labels = found["Labels"]
    task = _TASK.search(labels.get(_TASK_NAME_LABEL, ""))
    release = releases.get(labels.get(_SERVICE_ID_LABEL, ""), "")
    running = found["State"] in ("running", "paused", "restarting")
    return Container(found["Id"], running, labels, int(task[1]) if task else 0, int(release or 0))


class LineStream:
    """One container's messages, from a time on. `read` gives what has come, and never waits."""

    def __init__(self, engine: LogSource, container: str, *, terminal: bool, since: int) -> None:
        """`since` in nanoseconds; what is older is left out. Raises EngineUnavailable."""
        self._parse = terminal_messages if terminal else framed_messages
        self._rest = b""
        self._head: bytes | None = b""
        self.ended = False
        #: the engine does not know it any more
        self.gone = False
        self._connection = engine.connect()
        asked = f"follow=1&stdout=1&stderr=1&timestamps=1&since={since // 10**9}.{since % 10**9:09}"
        with suppress(OSError):  # then it is at its end
            request = f"GET /v{engine.api}/containers/{quote(container, safe='')}/logs?{asked} HTTP/1.0"
            self._connection.sendall(f"{request}\r\nHost: engine\r\n\r\n".encode())
        self._connection.setblocking(False)

    def fileno(self) -> int:
        return self._connection.fileno()

    def read(self) -> list[Message]:
        """What has come. `ended` once nothing more will."""
        try:
            block = self._connection.recv(BLOCK)
        except BlockingIOError:
            return []
        except OSError:
            block = b""
        self.ended = not block
        if self._head is not None:
            block = self._body(block)
        messages, self._rest = self._parse(self._rest + block)
        return messages

    def close(self) -> None:
        self._connection.close()

    def _body(self, block: bytes) -> bytes:
        """What follows the answer's head, once it is whole."""
        self._head = (self._head or b"") + block
        parsed = parse_answer(self._head)
        if not parsed:
            return b""
        status, body = parsed
        self._head = None
        if status != 200:
            self.gone, self.ended = status == 404, True
            return b""
        return body


def has_terminal(engine: Engine, container: str) -> bool:
    """Raises NotFound where it is gone, EngineUnavailable."""
    with engine.speaking("look at a container") as client:
        try:
            return bool(client.api.inspect_container(container)["Config"]["Tty"])
        except docker.errors.NotFound as error:
            raise NotFound(f"The container {container[:12]} is gone.", "Its log is gone with it.") from error


def framed_messages(data: bytes) -> tuple[list[Message], bytes]:
    """Those that are whole, and the rest."""
    found, at, end = [], 0, len(data)
    while end - at >= _FRAME_HEAD:
        start = at + _FRAME_HEAD
        stop = start + int.from_bytes(data[at + 4 : start], "big")
        if stop > end:
            break
        whole = data[stop - 1 : stop] == b"\n"
        text = data[start + _TEXT : stop - 1 if whole else stop]
        found.append(Message(nanoseconds(data[start : start + _STAMP]), data[at] == _STDERR, text, whole))
        at = stop
    return found, data[at:]


def terminal_messages(data: bytes) -> tuple[list[Message], bytes]:
    """The same of a container with a terminal: lines, within which a long one's further pieces have their times too."""
    *lines, rest = data.split(b"\n")
    found = []
    for line in lines:
        piece, line = line[: _TEXT + _PIECE], line[_TEXT + _PIECE :]
        while line[_STAMP - 1 : _TEXT] == b"Z ":
            found.append(Message(nanoseconds(piece[:_STAMP]), False, piece[_TEXT:], False))
            piece, line = line[: _TEXT + _PIECE], line[_TEXT + _PIECE :]
        text = (piece + line)[_TEXT:].removesuffix(b"\r")
        found.append(Message(nanoseconds(piece[:_STAMP]), False, text, True))
    return found, rest


def nanoseconds(stamp: bytes) -> int:
    """Since 1970, of a time as the engine writes it; those of one second are looked up."""
    second = _seconds.get(stamp[:19])
    if second is None:
        if len(_seconds) > _REMEMBERED:
            _seconds.clear()
        parsed = time.strptime(stamp[:19].decode(errors="replace"), "%Y-%m-%dT%H:%M:%S")
        second = _seconds[stamp[:19]] = calendar.timegm(parsed) * 10**9
    return second + int(stamp[20:29])


_REMEMBERED = 1000
_seconds: dict[bytes, int] = {}


class Lines:
    """Makes lines of messages: pieces of long ones are put together, for each kind of output."""

    def __init__(self) -> None:
        self._pieces: dict[bool, list[Message]] = {}
        self._before = {False: b"", True: b""}

    def feed(self, messages: Sequence[Message]) -> list[Said]:
        found = []
        for message in messages:
            if message.whole and message.error not in self._pieces:
                found.append(self._said(message.time, message.error, message.text, 1))
            elif message.whole:
                pieces = [*self._pieces.pop(message.error), message]
                text = b"".join(piece.text for piece in pieces)
                found.append(self._said(pieces[0].time, message.error, text, len(pieces)))
            else:
                self._pieces.setdefault(message.error, []).append(message)
        return found

    def end(self) -> list[Said]:
        """What was begun and will not be ended."""
        left = [Message(*pieces[-1][:2], b"", True) for pieces in self._pieces.values()]
        return self.feed(left)

    def _said(self, moment: int, error: bool, text: bytes, messages: int) -> Said:
        if len(text) > LONGEST_LINE:
            text = text[:LONGEST_LINE] + f"… ({len(text) - LONGEST_LINE} bytes more)".encode()
        text = text.replace(b"\r", b"") if b"\r" in text else text
        continued = continues(self._before[error], text)
        self._before[error] = text
        return Said(moment, error, text, messages, continued)
