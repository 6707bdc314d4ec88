"""One order for what several containers say."""

from cabestan.domain.journal import Origin, Said, Source
from cabestan.engine.journal.merging import BEHIND_SECONDS, TRACE_SECONDS, Waiting, merged, taken

_SECOND = 10**9
A, B = Source("a", replica=1), Source("b", replica=1)


def said(time: float, text: str = "x", *, continued: bool = False, note: bool = False) -> Said:
    return Said(int(time * _SECOND), False, text.encode(), continued=continued, note=note)


def waiting(source: Source, *times: float, at: float = 0.0) -> Waiting:
    made = Waiting(source)
    made.add([said(time) for time in times], at)
    return made


def gone(parts: list[tuple[Waiting, list[Said]]]) -> dict[str, list[float]]:
    return {one.source.service: [line.time / _SECOND for line in lines] for one, lines in parts}


def test_lines_are_put_in_the_order_of_their_times() -> None:
    a, b = [said(1, "1"), said(3, "3")], [said(2, "2"), said(4, "4")]
    assert [line.text for _, line in merged([(A, a), (B, b)])] == [b"1", b"2", b"3", b"4"]


def test_a_stack_trace_is_kept_together() -> None:
    a = [said(1, "error"), said(3, "  at one", continued=True), said(3, "  at two", continued=True)]
    b = [said(2, "else")]
    assert [line.text for _, line in merged([(A, a), (B, b)])] == [b"error", b"  at one", b"  at two", b"else"]


def test_a_note_is_the_platforms_own_word() -> None:
    ((source, _),) = merged([(A, [said(1, "(3 lines dropped)", note=True)])])
    assert source == A._replace(origin=Origin.PLATFORM)


def test_the_last_line_waits_for_more_of_its_trace_and_so_do_those_after_it() -> None:
    a, b = waiting(A, 1, 2), waiting(B, 1.5, 3)
    assert gone(taken([a, b], TRACE_SECONDS / 2)) == {"a": [1], "b": [1.5]}
    a.add([said(2.5, " at", continued=True)], TRACE_SECONDS / 2)
    assert gone(taken([a, b], TRACE_SECONDS * 0.9)) == {}
    assert gone(taken([a, b], TRACE_SECONDS * 1.6)) == {"a": [2, 2.5], "b": [3]}


def test_what_ended_waits_for_nothing() -> None:
    a = waiting(A, 1, 2)
    a.ended = True
    assert gone(taken([a], 0.0)) == {"a": [1, 2]}


def test_others_wait_for_one_whose_log_is_still_read() -> None:
    """As after a restart: what it said an hour ago comes before what they say now."""
    a, b = waiting(A, 3600, 3601), waiting(B)
    b.behind_since = 0.0
    assert gone(taken([a, b], 0.5)) == {}
    b.add([said(1), said(2)], 0.6)
    assert gone(taken([a, b], 1.0)) == {"b": [1, 2]}
    b.behind_since = None
    assert gone(taken([a, b], 1.0)) == {"a": [3600, 3601]}


def test_nobody_waits_for_a_flood() -> None:
    """It is read all the time, and is far behind."""
    flood = waiting(A, 1, at=10.0)
    flood.behind_since = 0.0
    late = waiting(B, 100, at=10.0)
    assert gone(taken([flood, late], 10.0 + BEHIND_SECONDS / 2)) == {"a": [1], "b": [100]}


def test_no_line_waits_for_long() -> None:
    slow, other = waiting(A, 1, at=0.0), waiting(B, 5, at=0.0)
    slow.behind_since = 0.0
    other.add([said(6)], 1.9)
    slow.add([said(2)], 1.9)
    assert "b" not in gone(taken([slow, other], 1.9 + TRACE_SECONDS / 4))
    assert gone(taken([slow, other], BEHIND_SECONDS + 0.1))["b"] == [5, 6]


def test_a_trace_without_end_is_cut() -> None:
    a = Waiting(A)
    a.add([said(1), *(said(1, " at", continued=True) for _ in range(600))], 0.0)
    assert len(taken([a], 0.0)[0][1]) == 601
