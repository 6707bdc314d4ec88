"""How often a measure is repeated."""

import time
from collections.abc import Iterator


def rounds(count: int, seconds: float) -> Iterator[int]:
    """1, 2, …, `count`; no further one begins when the time is used up, on a machine that has other work to do."""
    began = time.monotonic()
    for number in range(1, count + 1):
        yield number
        if time.monotonic() - began > seconds * number / (number + 1):
            return
