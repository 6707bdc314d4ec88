"""What the router says of requests, as lines of the environments whose they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cabestan.adapters.access_lines import environment_of, line_of, parse_request
from cabestan.adapters.container_lines import LineStream, Message
from cabestan.domain.journal import Origin, Position, Progress, Said, Source
from cabestan.engine.journal.bounding import Bound
from cabestan.engine.journal.merging import Waiting

ROUTER = "router"


class Requests:
    """To one environment. The router tells them in their order, so that a time says which were taken before."""

    is_over = False

    def __init__(self, container: str, environment_id: int, position: Position, most: int) -> None:
        self.id = container
        self.environment_id = environment_id
        self.waiting = Waiting(Source(ROUTER, Origin.ACCESS))
        self._progress = Progress(position)
        self._bound = Bound(most)

    def take(self, lines: Sequence[Said], now: float) -> None:
        newest = self._progress.position.newest
        self.waiting.add(self._bound.apply([line for line in lines if line.time > newest]), now)

    def note_dropped(self, now: float) -> None:
        if now - self.waiting.last_at >= 1:
            self.waiting.add(self._bound.rest(), now)

    def took(self, lines: list[Said]) -> Position:
        self._progress.take(lines)
        return self._progress.position


class AccessTap:
    """The router's log, which is read whole at each start: it is bounded, and what was taken is dropped."""

    stream: LineStream
    since = 0
    is_over = False

    def __init__(self, container: str, instance: str, find: Callable[[int], Requests | None]) -> None:
        """`find` gives the part of an environment; None where there is none of that number."""
        self.id = container
        self._instance = instance
        self._find = find
        self._parts: dict[int, Requests | None] = {}

    def begin(self, stream: LineStream, now: float) -> None:  # noqa: ARG002
        self.stream = stream

    def nothing_came(self, now: float) -> None:
        """Nobody waits for it."""

    def read(self, now: float) -> None:
        found: dict[int, list[Said]] = {}
        for message in self.stream.read():
            if told := self._told(message):
                found.setdefault(told[0], []).append(told[1])
        for environment_id, lines in found.items():
            if environment_id not in self._parts:
                self._parts[environment_id] = self._find(environment_id)
            if part := self._parts[environment_id]:
                part.take(lines, now)

    def parts(self) -> Sequence[Requests]:
        return [part for part in self._parts.values() if part]

    @property
    def is_done(self) -> bool:
        return self.stream.ended and not any(part.waiting.lines for part in self.parts())

    def _told(self, message: Message) -> tuple[int, Said] | None:
        request = parse_request(message.text)
        environment_id = environment_of(request["RouterName"], self._instance) if request else None
        if request is None or environment_id is None:
            return None
        return environment_id, Said(message.time, False, line_of(request))
