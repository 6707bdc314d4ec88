"""One container's log, as it is read: what was known is dropped, a flood bounded, the rest waits to be kept."""

from __future__ import annotations

from collections.abc import Sequence

from cabestan.adapters.container_lines import Lines, LineStream
from cabestan.domain.journal import Position, Progress, Resuming, Said, Source
from cabestan.engine.journal.bounding import Bound
from cabestan.engine.journal.merging import Waiting

#: a note on what was dropped waits so long for the next line (seconds)
_NOTE_SECONDS = 1.0
#: an engine begins to answer within this time, or has nothing to tell (seconds)
_ANSWER_SECONDS = 0.3
_LOST = b"(what it said before this was thrown away by its engine before it was read)"


class Tap:
    """`running`: whether it was, before its log was opened. `lines_per_second` are kept, more are dropped."""

    stream: LineStream

    def __init__(
        self, container: str, environment_id: int, source: Source, position: Position, *, running: bool, most: int
    ) -> None:
        self.id = container
        self.environment_id = environment_id
        self.progress = Progress(position)
        self.waiting = Waiting(source)
        self.since = position.since
        self._resuming = Resuming(position)
        self._running = running
        self._lines = Lines()
        self._bound = Bound(most)

    def begin(self, stream: LineStream, now: float) -> None:
        self.stream = stream
        self._begun_at = self.waiting.behind_since = now

    def nothing_came(self, now: float) -> None:
        """The engine has no more of it, unless it has not begun to answer yet."""
        if now - self._begun_at >= _ANSWER_SECONDS:
            self.waiting.behind_since = None

    def parts(self) -> Sequence[Tap]:
        """Those whose lines are kept in the journal of an environment: itself."""
        return (self,)

    def read(self, now: float) -> None:
        """What has come; at its end also what was begun."""
        messages = self.stream.read()
        fresh = [message for message in messages if not self._resuming.is_known(message.time)] if messages else []
        said = self._bound.apply(self._lines.feed(fresh))
        if self._resuming.lost and fresh:
            said = (Said(fresh[0].time, False, _LOST, 0, note=True), *said)
            self._resuming.lost = False
        if self.is_over:
            said = (*said, *self._bound.apply(self._lines.end()), *self._bound.rest())
        self.waiting.add(said, now)
        self.waiting.ended = self.stream.ended
        if self.stream.ended:
            self.waiting.behind_since = None
        elif self.waiting.behind_since is None:
            self.waiting.behind_since = now

    @property
    def is_over(self) -> bool:
        """All that it said is read: it had ended before its log was opened."""
        return self.stream.ended and not self._running

    @property
    def is_done(self) -> bool:
        return self.stream.ended and not self.waiting.lines

    def note_dropped(self, now: float) -> None:
        """What was dropped is told, also where nothing follows."""
        if now - self.waiting.last_at >= _NOTE_SECONDS:
            self.waiting.add(self._bound.rest(), now)

    def took(self, lines: list[Said]) -> Position:
        """How far it is taken with these."""
        self.progress.take(lines)
        if self.is_over and not self.waiting.lines:
            self.progress.end()
        return self.progress.position
