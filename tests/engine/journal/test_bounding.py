"""A flood is bounded by the times at which it was said, and what is dropped is counted."""

from collections.abc import Iterable

from cabestan.domain.journal import Said
from cabestan.engine.journal.bounding import Bound


def said(times: Iterable[float], messages: int = 1) -> list[Said]:
    return [Said(int(time * 10**9), False, str(time).encode(), messages) for time in times]


def shown(lines: Iterable[Said]) -> list[str]:
    return [line.text.decode() for line in lines]


def test_what_is_within_the_bound_is_kept() -> None:
    lines = said([1.0, 1.1, 2.0, 2.1, 3.0])
    assert Bound(2).apply(lines) == lines


def test_what_is_more_in_a_second_is_counted_and_told() -> None:
    bound = Bound(2)
    lines = [*said([1.0, 1.1, 1.2]), *said([1.3], messages=4), *said([2.0])]
    kept = bound.apply(lines)
    assert shown(kept) == ["1.0", "1.1", "(2 lines dropped: it says more than 2 lines in a second)", "2.0"]
    assert (kept[2].note, kept[2].messages, kept[2].time) == (True, 5, lines[3].time)
    assert sum(line.messages for line in kept) == sum(line.messages for line in lines)


def test_a_second_counts_over_what_is_read_one_after_the_other() -> None:
    bound = Bound(3)
    assert len(bound.apply(said([1.0, 1.1]))) == 2
    assert len(bound.apply(said([1.2, 1.3]))) == 1
    assert len(bound.apply(said([1.4]))) == 0
    assert shown(bound.rest()) == ["(2 lines dropped: it says more than 3 lines in a second)"]
    assert bound.rest() == ()
    assert len(bound.apply(said([2.0, 2.1, 2.2]))) == 3
