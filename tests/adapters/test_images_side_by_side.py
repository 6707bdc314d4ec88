"""In which order base images are made, how many at a time, and how a failure ends it."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cabestan.adapters.images import ImageRecipe
from cabestan.adapters.images.side_by_side import AT_ONCE, make_each
from cabestan.errors import StepFailed

_SECONDS = 20


def recipe(name: str, base: str | None) -> ImageRecipe:
    return ImageRecipe(name, f"own/{name}:1", f"own/{base}:1" if base else None, Path(name), "0" * 16)


ROOT, LEFT, RIGHT, ABOVE = (
    recipe("root", None),
    recipe("left", "root"),
    recipe("right", "root"),
    recipe("above", "left"),
)


def test_each_is_made_once_and_after_its_base() -> None:
    begun: list[str] = []
    ended: list[str] = []

    def make(one: ImageRecipe, _given_up: threading.Event) -> None:
        assert one.base in (None, *ended)
        begun.append(one.reference)
        ended.append(one.reference)

    make_each((ROOT, LEFT, ABOVE, RIGHT), make)
    assert sorted(ended) == ["own/above:1", "own/left:1", "own/right:1", "own/root:1"]


def test_a_base_that_is_there_already_is_not_waited_for() -> None:
    made: list[str] = []
    make_each((ABOVE,), lambda one, _given_up: made.append(one.name))
    assert made == ["above"]


def test_those_with_the_same_base_are_made_at_the_same_time() -> None:
    together = threading.Barrier(2)

    def make(one: ImageRecipe, _given_up: threading.Event) -> None:
        if one in (LEFT, RIGHT):
            together.wait(_SECONDS)

    make_each((ROOT, LEFT, RIGHT), make)


def test_there_are_never_more_than_are_meant_to_be() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    full = threading.Event()

    def make(one: ImageRecipe, _given_up: threading.Event) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == AT_ONCE:
                full.set()
        full.wait(_SECONDS)
        with lock:
            under_way -= 1

    make_each([recipe(f"r{number}", "there") for number in range(AT_ONCE * 3)], make)
    assert most == AT_ONCE


def failing(beside: Callable[[threading.Event], None]) -> Callable[[ImageRecipe, threading.Event], None]:
    """Fails at the left one once the right one is begun, which then does what is given."""
    begun = threading.Event()

    def make(one: ImageRecipe, given_up: threading.Event) -> None:
        assert one is not ABOVE, "its base was not made"
        if one is LEFT:
            begun.wait(_SECONDS)
            raise StepFailed("left is broken")
        if one is RIGHT:
            begun.set()
            beside(given_up)

    return make


def test_a_failure_is_raised_and_has_the_others_give_up() -> None:
    told: list[bool] = []

    def give_up(given_up: threading.Event) -> None:
        told.append(given_up.wait(_SECONDS))
        raise StepFailed("it was given up")

    with pytest.raises(StepFailed, match="left is broken"):
        make_each((ROOT, LEFT, RIGHT, ABOVE), failing(give_up))
    assert told == [True]
