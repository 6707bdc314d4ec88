"""The command line as a process on a terminal, and a person who types."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Session:
    """`written` is what the terminal got, with Unix line ends."""

    code: int
    written: str


def hear_interrupts() -> None:
    """In a new process, as a shell starts it: tests that run in the background would hand down deafness to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def on_a_terminal(
    arguments: Sequence[str], *, typed: Sequence[tuple[str, str]] = (), columns: int = 200, no_color: bool = False
) -> Session:
    """`typed`: what is awaited on the screen, and what is typed then."""
    main, worker = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    if no_color:
        environment["NO_COLOR"] = "1"
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", sys.executable, "-m", "cabestan", *arguments],
        stdin=worker,
        stdout=worker,
        stderr=worker,
        env=environment,
        preexec_fn=hear_interrupts,
    )
    os.close(worker)
    try:
        written = _converse(main, list(typed))
        return Session(process.wait(timeout=30), written.replace("\r\n", "\n"))
    finally:
        process.kill()
        process.wait()
        os.close(main)


def _converse(terminal: int, typed: list[tuple[str, str]]) -> str:
    written = b""
    deadline = time.monotonic() + 60
    while True:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"not within a minute: {typed}, but {written.decode()}"
        try:
            written += os.read(terminal, 4096)
        except OSError:  # the other end is closed: the process has ended
            return written.decode()
        if typed and typed[0][0].encode() in written:
            os.write(terminal, typed.pop(0)[1].encode())
