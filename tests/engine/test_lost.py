"""What nobody is at any more is ended, and nothing else."""

from types import SimpleNamespace
from typing import Any

from cabestan.engine.lost import take_up


def taken_up(alive: set[str], *looks: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """What was begun and what was ended, where each look finds others."""
    found, begun, ended = iter(looks), [], []
    take_up(
        SimpleNamespace(alive=lambda: alive),  # type: ignore[arg-type]
        lambda: [SimpleNamespace(id=key) for key in next(found)],
        lambda one: f"work-{one.id}",
        lambda one: ended.append(one.id),
        lambda one: begun.append(one.id),
    )
    return begun, ended


def test_all_are_begun_and_those_without_a_workflow_are_ended() -> None:
    assert taken_up({"work-1"}, (1, 2), (1, 2)) == ([1, 2], [2])


def test_one_that_ended_meanwhile_and_one_that_is_new_are_left_alone() -> None:
    assert taken_up(set(), (1, 2), (2, 3)) == ([1, 2], [2])


def test_an_attempt_is_a_workflow_of_it_and_that_of_another_number_is_none() -> None:
    assert taken_up({"work-1-4", "work-22", "other-2"}, (1, 2), (1, 2)) == ([1, 2], [2])


def test_what_is_only_looked_at_need_not_be_begun() -> None:
    ended: list[Any] = []
    one = SimpleNamespace(id=1)
    take_up(SimpleNamespace(alive=frozenset), lambda: [one], lambda _: "x", ended.append)  # type: ignore[arg-type]
    assert ended == [one]
