"""The server's process on this machine: started detached, found again, stopped."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from cabestan.config import Settings
from cabestan.errors import CabestanError, StepFailed

_START_SECONDS = 60
_STOP_SECONDS = 30
_LAST_LINES = 15
_MODULE = "cabestan.server"
#: The server has many threads that mostly wait: with an arena each, memory would be kept that nobody uses. And it keeps
#: the columns of all its code in memory, to underline parts of lines in tracebacks, which have the lines anyway.
_SPARING = {"MALLOC_ARENA_MAX": "2", "PYTHONNODEBUGRANGES": "1"}


def pid_of(settings: Settings) -> int | None:
    """The process id of the server of this installation; None when it does not run."""
    try:
        pid = int(_pid_file(settings).read_text() or _told(settings).get("pid", ""))  # on a full disk it stays empty
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if _MODULE.encode() in command else None


def _told(settings: Settings) -> dict[str, Any]:
    """What a server says of itself at this installation's address; empty where none answers."""
    import httpx  # most commands of the machine ask nothing; the server's start least of all

    try:
        answer = httpx.get(f"{settings.internal_url}/api/v1/status", timeout=5, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def become_server(settings: Settings) -> NoReturn:
    """This process goes on as the server: without what the command line had loaded, and with little waste of memory."""
    settings.data.mkdir(parents=True, exist_ok=True)
    _note_pid(settings)
    environment = {**_SPARING, **os.environ}
    os.execve(sys.executable, [sys.executable, "-m", _MODULE], environment)  # noqa: S606 (that is the point)


def _note_pid(settings: Settings) -> None:
    """On a full disk it stays empty."""
    try:
        _pid_file(settings).write_text(f"{os.getpid()}\n")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def start(settings: Settings) -> bool:
    """Starts it in the background and waits until it answers; False where it runs already. Raises StepFailed."""
    if answers(settings):
        return False
    _refuse_taken_port(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    with log_file(settings).open("ab") as log:
        told_before = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "cabestan", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not answers(settings):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StepFailed(
                f"The server did not start:\n{_last_lines(settings, told_before)}", f"See {log_file(settings)}."
            )
        time.sleep(0.1)
    return True


def stop(settings: Settings) -> bool:
    """Asks it to end and waits until it has; False where it does not run. Work in flight goes on at the next start."""
    pid = pid_of(settings)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while pid_of(settings):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    _pid_file(settings).unlink(missing_ok=True)
    return True


def answers(settings: Settings) -> bool:
    """Whether this installation's server answers at its address. Raises CabestanError when another one does."""
    told = _told(settings)
    if not told:
        return False
    if told.get("instance") != settings.instance:
        raise CabestanError(
            f"Another installation ({told.get('instance')}) answers at {settings.internal_url}.", "Set another port."
        )
    return True


def log_file(settings: Settings) -> Path:
    return settings.data / "server.log"


def _pid_file(settings: Settings) -> Path:
    return settings.data / "server.pid"


def _refuse_taken_port(settings: Settings) -> None:
    try:
        socket.create_connection((settings.host, settings.port), timeout=2).close()
    except OSError:
        return
    raise StepFailed(f"Something else listens at {settings.host}:{settings.port}.", "Stop it, or set another port.")


def _last_lines(settings: Settings, begin: int) -> str:
    """Of the log, from the byte `begin` on: what an earlier start said would mislead."""
    with log_file(settings).open("rb") as log:
        log.seek(begin)
        lines = log.read().decode(errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join(f"  {line}" for line in lines)
