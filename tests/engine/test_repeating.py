from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

from cabestan.engine.alarm import Alarm
from cabestan.engine.repeating import Repeating, every

_LONG = 3600.0
_WAIT = 20


@contextmanager
def running(thread: Repeating) -> Iterator[None]:
    thread.start()
    try:
        yield
    finally:
        thread.stop()


def told(rounds: Queue[bool], *answers: float | Exception) -> Callable[[bool], float | None]:
    """Work that tells of each round, and says or raises these in turn."""
    left = list(answers)

    def work(rang: bool) -> float | None:
        rounds.put(rang)
        answer = left.pop(0) if left else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    return work


def test_it_works_at_once_and_whenever_it_rings() -> None:
    rounds: Queue[bool] = Queue()
    alarm = Alarm()
    with running(Repeating("t", told(rounds), _LONG, alarm=alarm)):
        assert rounds.get(timeout=_WAIT) is False
        alarm.ring()
        assert rounds.get(timeout=_WAIT) is True
    assert rounds.empty()


def test_it_comes_back_when_its_work_says() -> None:
    rounds: Queue[bool] = Queue()
    with running(Repeating("t", told(rounds, 0.01), _LONG)):
        assert [rounds.get(timeout=_WAIT), rounds.get(timeout=_WAIT)] == [False, False]


def test_work_that_fails_is_done_again_as_if_it_had_rung() -> None:
    rounds: Queue[bool] = Queue()
    with running(Repeating("t", told(rounds, OSError("no room")), _LONG, again=0.01)):
        assert [rounds.get(timeout=_WAIT), rounds.get(timeout=_WAIT)] == [False, True]


def test_every_so_often_begins_after_a_pause_and_outlives_what_fails() -> None:
    rounds: Queue[int] = Queue()

    def work() -> None:
        rounds.put(1)
        raise OSError("no room")

    with running(every("t", work, 0.01)):
        assert [rounds.get(timeout=_WAIT), rounds.get(timeout=_WAIT)] == [1, 1]
    never: Queue[int] = Queue()
    with running(every("t", lambda: never.put(1), _LONG)):
        pass
    assert never.empty()


def test_what_is_under_way_is_waited_for_and_sees_that_it_is_to_end() -> None:
    seen: Queue[str] = Queue()
    begun = Alarm()

    def work(_rang: bool) -> None:
        begun.ring()
        while not thread.stopped:
            pass
        seen.put("ended")

    thread = Repeating("t", work, _LONG)
    with running(thread):
        assert begun.wait(_WAIT)
    assert seen.get_nowait() == "ended"
