"""How a run of an image's script `database` ends: in time or not, and with which words."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from cabestan.errors import DeadlineExceeded, EngineUnavailable, StepFailed

LAST_WORDS = 1500
#: what the client of Docker says when the engine ends under it
_ENGINE_GONE = ("Cannot connect to the Docker daemon", "error during connect", "unexpected EOF", "connection reset")


@contextmanager
def limited(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[list[bool]]:
    """Kills it after so long; the list is not empty then."""
    late: list[bool] = []

    def kill() -> None:
        late.append(True)
        process.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def check(code: int, late: list[bool], word: str, words: str) -> None:
    if late:
        raise DeadlineExceeded(f"The {word} took too long.", "Raise backup_seconds.")
    if code and any(phrase in words for phrase in _ENGINE_GONE):
        raise EngineUnavailable(f"The engine went away during the {word}.", "Start it: the work goes on then.")
    if code:
        raise StepFailed(f"The {word} failed (exit code {code}): {words.strip()[-LAST_WORDS:]}")


def text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
