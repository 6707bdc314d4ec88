"""How far a container's log was taken, whatever order and times its messages have."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.journal import Position, Progress, Resuming, Said, continues

_SECOND = 10**9


def said(time: int, messages: int = 1) -> Said:
    return Said(time, False, b"", messages)


def resumed(times: Sequence[int], position: Position) -> tuple[list[int], bool]:
    """What an engine that has these messages gives who goes on from there, and whether some are missing."""
    resuming = Resuming(position)
    asked = [time for time in times if time >= position.since]
    return [time for time in asked if not resuming.is_known(time)], resuming.lost


times_of_a_log = st.lists(st.integers(0, 4 * _SECOND), max_size=40).map(
    lambda steps: [1_700_000_000 * _SECOND + sum(steps[:count]) for count in range(1, len(steps) + 1)]
)


@given(times_of_a_log, st.lists(st.integers(-_SECOND, _SECOND), min_size=40, max_size=40), st.data())
def test_a_log_is_gone_on_with_neither_a_gap_nor_a_double(
    times: list[int], noise: list[int], data: st.DataObject
) -> None:
    """Whatever is stamped side by side, and wherever what was taken together ends."""
    log = [time + shift for time, shift in zip(times, noise, strict=False)]
    progress, at = Progress(), 0
    while at < len(log):
        count = data.draw(st.integers(1, len(log) - at))
        progress.take([said(time) for time in log[at : at + count]])
        at += count
        assert resumed(log, progress.position) == (log[at:], False)
        if data.draw(st.booleans()):  # the server is killed
            progress = Progress(progress.position)


def test_a_clock_that_goes_back_has_the_log_counted_from_its_start() -> None:
    log = [time * _SECOND for time in (100, 110, 120, 50, 60, 130)]
    progress = Progress()
    for place, time in enumerate(log):
        progress.take([said(time)])
        if time < 100 * _SECOND:  # it was seen to go back
            assert resumed(log, progress.position) == (log[place + 1 :], False)
    assert progress.position.since == 0


def test_what_settles_is_asked_for_from_there() -> None:
    """A long log is not read from its start again."""
    progress = Progress()
    for second in range(1, 100):
        progress.take([said(second * _SECOND), said(second * _SECOND + 1)])
    assert progress.position.since == 97 * _SECOND
    assert progress.position.taken == 6


def test_what_the_engine_threw_away_is_noticed() -> None:
    log = [time * _SECOND for time in range(1, 50)]
    progress = Progress()
    progress.take([said(time) for time in log[:10]])
    fresh, lost = resumed(log[20:], progress.position)
    assert (fresh, lost) == (log[20:], True)


def test_long_lines_count_with_all_their_messages() -> None:
    progress = Progress()
    progress.take([said(5, messages=3), said(6)])
    assert progress.position.taken == 4


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        (b"error", b"  at main.js:4", True),
        (b"error", b"\tat org.example.Main", True),
        (b"\tat org.example.Main", b"Caused by: java.io.IOException", True),
        (b"    raise ValueError(text)", b"ValueError: no such thing", True),
        (b'  File "<string>", line 4, in <module>', b"ValueError: no such thing", True),
        (b"    raise ValueError(text)", b"2026-01-01: the next line", False),
        (b"error", b"ValueError: no such thing", False),
        (b"error", b"the next line", False),
        (b"error", b"", False),
    ],
)
def test_a_stack_trace_goes_on(before: bytes, text: bytes, expected: bool) -> None:
    assert continues(before, text) is expected
