"""What has its turn begins in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue

import pytest

from cabestan.engine.turns.dispatcher import Dispatcher, NotNow
from cabestan.engine.turns.line import Places, Turn

_SECONDS = 20


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    made = Dispatcher({"urgent": Places(2, 2), "job": Places(2, 2)})
    yield made
    made.stop()


@pytest.fixture
def begun() -> Queue[str]:
    return Queue()


def ask(dispatcher: Dispatcher, begun: Queue[str], *names: str, kind: str = "job", project: int = 1) -> None:
    for age, name in enumerate(names):
        dispatcher.ask(name, Turn(kind, project, age), lambda name=name: not begun.put(name))  # type: ignore[misc]


def taken(begun: Queue[str], count: int) -> list[str]:
    return [begun.get(timeout=_SECONDS) for _ in range(count)]


def test_as_many_begin_as_there_are_places_and_the_others_when_one_has_ended(
    dispatcher: Dispatcher, begun: Queue[str]
) -> None:
    ask(dispatcher, begun, "a", "b", "c", "d")
    dispatcher.start()
    assert taken(begun, 2) == ["a", "b"]
    assert (dispatcher.waits("a"), dispatcher.waits("c")) == (False, True)
    assert dispatcher.known() == {"a", "b", "c", "d"}
    dispatcher.leave("a")
    assert taken(begun, 1) == ["c"]
    dispatcher.leave("b")
    dispatcher.leave("c")
    assert taken(begun, 1) == ["d"]
    dispatcher.leave("d")
    assert dispatcher.known() == frozenset()
    assert dispatcher.served("job").keys() == {1}


def test_a_kind_that_waits_keeps_no_other_kind_waiting(dispatcher: Dispatcher, begun: Queue[str]) -> None:
    ask(dispatcher, begun, *(f"job{n}" for n in range(500)))
    ask(dispatcher, begun, "urgent", kind="urgent")
    dispatcher.start()
    assert taken(begun, 3) == ["urgent", "job0", "job1"]


def test_one_that_ran_already_gives_its_place_to_the_next(dispatcher: Dispatcher, begun: Queue[str]) -> None:
    for name in ("a", "b", "c"):
        dispatcher.ask(name, Turn("job", 1), lambda: False)
    ask(dispatcher, begun, "d")
    dispatcher.start()
    assert taken(begun, 1) == ["d"]
    assert dispatcher.known() == {"d"}


def test_what_fails_to_begin_is_tried_again(
    dispatcher: Dispatcher, begun: Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.turns.dispatcher._AGAIN_SECONDS", 0.01)
    faults = [OSError("no database"), OSError("still none")]

    def begin() -> bool:
        if faults:
            raise faults.pop()
        begun.put("a")
        return True

    dispatcher.ask("a", Turn("job", 1), begin)
    dispatcher.start()
    assert taken(begun, 1) == ["a"]


def test_where_nothing_can_be_begun_it_is_tried_when_told_to(dispatcher: Dispatcher, begun: Queue[str]) -> None:
    """Also by whoever tells it while the failure is still under way."""
    faults = [NotNow()]

    def begin() -> bool:
        if faults:
            dispatcher.begin_again()
            raise faults.pop()
        begun.put("a")
        return True

    dispatcher.ask("a", Turn("job", 1), begin)
    dispatcher.start()
    assert taken(begun, 1) == ["a"]


def test_what_could_not_be_begun_is_known_all_the_time(
    dispatcher: Dispatcher, begun: Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds it unknown takes it for lost, and ends it."""
    known, faults, ring = list[frozenset[str]](), [NotNow()], dispatcher._bell.ring

    def ring_and_look() -> None:
        ring()
        known.append(dispatcher.known())

    def begin() -> bool:
        dispatcher.begin_again()
        if faults:
            raise faults.pop()
        return not begun.put("a")

    dispatcher.ask("a", Turn("job", 1), begin)
    monkeypatch.setattr(dispatcher._bell, "ring", ring_and_look)
    dispatcher.start()
    assert taken(begun, 1) == ["a"]
    assert set(known) == {frozenset({"a"})}


def test_nothing_begins_after_it_was_stopped(dispatcher: Dispatcher, begun: Queue[str]) -> None:
    dispatcher.start()
    dispatcher.stop()
    ask(dispatcher, begun, "a")
    assert begun.empty()
    assert dispatcher.waits("a")
