"""Processes of the platform that are forked from one that has imported everything: a test may start dozens.

How they start from nothing is tested with `cabestan up`, `serve` and `prepare` elsewhere.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cabestan import testing

#: what a start imports when it comes to it
_LATE = ("alembic.command", "anyio._backends._asyncio", "httpcore", "uvicorn.protocols.http.h11_impl")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, *_LATE])


class Forked:
    """One process, `python -m cabestan.testing WORDS`, with the methods of `subprocess.Popen` that are called."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self._process = _CONTEXT.Process(target=_become, args=(tuple(words), dict(environment), output), daemon=True)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


def _become(words: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with output.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv[1:] = words
    testing.main()
