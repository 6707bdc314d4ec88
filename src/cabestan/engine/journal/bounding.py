"""A flood, bounded: of what a container says in one second so many lines are kept, the rest is counted and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cabestan.domain.journal import Said

_SECOND = 10**9


@dataclass
class Bound:
    """Of one container. By the lines' own times: what is read late is not said faster."""

    lines_per_second: int
    _second: int = 0
    _kept: int = 0
    _dropped: int = 0
    _messages: int = 0
    _last: int = 0

    def apply(self, lines: Sequence[Said]) -> Sequence[Said]:
        """Those that are kept, in their order, and a note where some were not."""
        if not self._dropped and self._has_room(lines):
            return lines
        found: list[Said] = []
        for line in lines:
            if line.time // _SECOND != self._second:
                found.extend(self.rest())
                self._second, self._kept = line.time // _SECOND, 0
            if self._kept < self.lines_per_second:
                self._kept += 1
                found.append(line)
            else:
                self._dropped += 1
                self._messages += line.messages
                self._last = line.time
        return found

    def rest(self) -> Sequence[Said]:
        """A note on what was dropped and is not told yet."""
        if not self._dropped:
            return ()
        text = f"({self._dropped} lines dropped: it says more than {self.lines_per_second} lines in a second)"
        note = Said(self._last, False, text.encode(), self._messages, note=True)
        self._dropped = self._messages = 0
        return (note,)

    def _has_room(self, lines: Sequence[Said]) -> bool:
        """Without looking at each of them: few came, of one second, or all of another one than before."""
        if not lines or lines[0].time // _SECOND != lines[-1].time // _SECOND:
            return False
        if lines[0].time // _SECOND != self._second:
            self._second, self._kept = lines[0].time // _SECOND, 0
        self._kept += len(lines)
        if self._kept <= self.lines_per_second:
            return True
        self._kept -= len(lines)
        return False
