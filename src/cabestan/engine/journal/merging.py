"""One order for what several containers said: by time, with each stack trace kept together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cabestan.domain.journal import Origin, Said, Source

#: a container's last lines wait so long for more of the same stack trace (seconds)
TRACE_SECONDS = 0.2
#: and nobody waits longer than this for one whose log is behind (seconds)
BEHIND_SECONDS = 2.0
#: a trace of more lines is cut
_LONGEST_TRACE = 500


@dataclass
class Waiting:
    """What one container said and nobody was told yet."""

    source: Source
    lines: list[Said] = field(default_factory=list)
    #: when the last one came, and the first of those that wait (seconds, of the monotonic clock)
    last_at: float = 0.0
    first_at: float = 0.0
    #: since when the engine may have more of it that is not here yet; none where all is
    behind_since: float | None = None
    ended: bool = False

    def add(self, lines: Sequence[Said], now: float) -> None:
        if lines:
            self.first_at = self.first_at if self.lines else now
            self.last_at = now
            self.lines.extend(lines)

    def is_behind(self, newest: int, now: float) -> bool:
        """Whether others wait for it: for a while, and for as long as it is not far behind what they say."""
        if self.behind_since is None:
            return False
        near = bool(self.lines) and newest - self.lines[-1].time < BEHIND_SECONDS * 10**9
        return near or now - self.behind_since < BEHIND_SECONDS

    def ready(self, now: float) -> int:
        """How many lines may go: all but a trace that may go on."""
        count = len(self.lines)
        if self.ended or now - self.last_at >= TRACE_SECONDS:
            return count
        start = count - 1
        while start > 0 and self.lines[start].continued:
            start -= 1
        return count if count - start > _LONGEST_TRACE else max(start, 0)


def taken(waiting: Iterable[Waiting], now: float) -> list[tuple[Waiting, list[Said]]]:
    """What goes on now, of each: nothing that is newer than what a container whose log is still read may yet say."""
    everybody = list(waiting)
    every = [one for one in everybody if one.lines]
    newest = max((one.lines[-1].time for one in every), default=0)
    ready = [(one, one.ready(now)) for one in every]
    awaited = [one.lines[-1].time if one.lines else 0 for one in everybody if one.is_behind(newest, now)]
    awaited += [one.lines[count].time for one, count in ready if count < len(one.lines)]
    until = min(awaited, default=None)
    found = []
    for one, most in ready:
        count = _up_to(one.lines[:most], until if now - one.first_at < BEHIND_SECONDS else None)
        if count:
            found.append((one, one.lines[:count]))
            one.lines = one.lines[count:]
            one.first_at = now
    return found


def _up_to(lines: Sequence[Said], until: int | None) -> int:
    """How many at the beginning are not newer, whole traces."""
    if until is None:
        return len(lines)
    for place, line in enumerate(lines):
        if line.time > until and not line.continued:
            return place
    return len(lines)


def merged(parts: Iterable[tuple[Source, Sequence[Said]]]) -> list[tuple[Source, Said]]:
    """In the order of time; a line that goes on with another one stays behind it. Notes are the platform's."""
    keyed = []
    for place, (source, lines) in enumerate(parts):
        head = 0
        for line in lines:
            head = head if line.continued and head else line.time
            keyed.append((head, place, source, line))
    keyed.sort(key=lambda one: one[:2])  # stable: lines of one container keep their order
    return [(source._replace(origin=Origin.PLATFORM) if line.note else source, line) for _, _, source, line in keyed]
