from __future__ import annotations

import threading
import time

import pytest

from cabestan.engine.turns.gate import Gate

_SECONDS = 20


def test_threads_of_two_projects_pass_in_turn() -> None:
    gate, passed = Gate(1), list[int]()
    before, waiting = gate.place(9), list[threading.Thread]()

    def go(project: int) -> None:
        with gate.place(project):
            passed.append(project)

    with before:
        for project in (1, 1, 1, 2):
            waiting.append(threading.Thread(target=go, args=(project,)))
            waiting[-1].start()
            _until_they_wait(gate, len(waiting))
    for thread in waiting:
        thread.join(_SECONDS)
    assert passed == [1, 2, 1, 1]


def test_a_place_may_be_taken_again_and_is_free_after_an_error() -> None:
    gate = Gate(1)
    place = gate.place(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), place:
            _ = 1 / 0
    with gate.place(2):
        pass


def _until_they_wait(gate: Gate, count: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while sum(gate._line.waits(str(number)) for number in range(count + 1)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)
