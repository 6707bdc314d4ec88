"""A container's log: gone on with where it was, whatever ended the stream before."""

import time
from collections.abc import Sequence

from cabestan.adapters.container_lines import Message
from cabestan.domain.journal import Position, Source
from cabestan.engine.journal.tap import Tap

_SECOND = 10**9


class FakeStream:
    """Gives what it was made with, in as many reads, and ends after the last one where it is to."""

    def __init__(self, *reads: Sequence[Message], ends: bool = False) -> None:
        self._reads, self._ends = list(reads), ends
        self.ended = False

    def read(self) -> list[Message]:
        found = list(self._reads.pop(0))
        self.ended = self._ends and not self._reads
        return found


def messages(*seconds: int, whole: bool = True) -> list[Message]:
    return [Message(second * _SECOND, False, str(second).encode(), whole) for second in seconds]


def tap(position: Position = Position(), *, running: bool = True, most: int = 1000) -> Tap:
    return Tap("c" * 64, 1, Source("web"), position, running=running, most=most)


def read(one: Tap, *reads: Sequence[Message], ends: bool = False) -> list[str]:
    one.begin(FakeStream(*reads, ends=ends), 0.0)  # type: ignore[arg-type]
    for _ in reads:
        one.read(time.monotonic())
    return [line.text.decode() for line in one.waiting.lines]


def test_what_was_taken_before_is_dropped() -> None:
    first = tap()
    assert read(first, messages(1, 2, 3)) == ["1", "2", "3"]
    position = first.took(first.waiting.lines[:2])
    again = tap(position)
    assert read(again, messages(1, 2, 3, 4)) == ["3", "4"]


def test_a_stream_that_broke_off_is_not_the_end() -> None:
    one = tap()
    read(one, messages(1), ends=True)
    assert (one.is_over, one.is_done) == (False, False)
    assert not one.took([]).ended


def test_what_ended_before_it_was_opened_is_over_at_its_streams_end() -> None:
    one = tap(running=False)
    assert read(one, messages(1), messages(2, whole=False), ends=True) == ["1", "2"]
    assert one.is_over
    lines, one.waiting.lines = one.waiting.lines, []
    assert one.took(lines).ended


def test_what_the_engine_threw_away_is_told() -> None:
    first = tap()
    read(first, messages(1, 2, 3))
    again = tap(first.took(first.waiting.lines))
    assert read(again, messages(7, 8)) == [
        "(what it said before this was thrown away by its engine before it was read)",
        "7",
        "8",
    ]
    assert again.took(again.waiting.lines).total == 5


def test_what_was_dropped_is_told_also_where_nothing_follows() -> None:
    one = tap(most=1)
    read(one, messages(1, 1, 1))
    one.note_dropped(one.waiting.last_at + 0.5)
    assert len(one.waiting.lines) == 1
    one.note_dropped(one.waiting.last_at + 1.5)
    assert one.waiting.lines[1].note
    assert one.took(one.waiting.lines).total == 3


def test_others_wait_until_its_engine_has_answered() -> None:
    one = tap()
    one.begin(FakeStream(), 10.0)  # type: ignore[arg-type]
    one.nothing_came(10.1)
    assert one.waiting.behind_since is not None
    one.nothing_came(10.5)
    assert one.waiting.behind_since is None
