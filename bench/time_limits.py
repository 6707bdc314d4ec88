"""Deadlines for the main thread, whatever it waits for."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

_T = TypeVar("_T")


class TooLate(Exception):
    """A measure took longer than it may."""


@contextmanager
def deadline(seconds: float, what: str, *, of_processor: bool = False) -> Iterator[None]:
    """Raises TooLate in the main thread when the block is not done in time.

    `of_processor`: what this process had of it counts alone, so that a busy machine makes nobody late.
    """
    timer, number = (signal.ITIMER_PROF, signal.SIGPROF) if of_processor else (signal.ITIMER_REAL, signal.SIGALRM)

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooLate(f"{what}: not done after {seconds:.0f} s")

    former = signal.signal(number, ring)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, former)


def until(look: Callable[[], _T | None], seconds: float, what: str, pause: float = 0.02) -> _T:
    """Looks again and again until there is something; raises TooLate."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TooLate(f"{what}: not there after {seconds:.0f} s")
        time.sleep(pause)
    return found
