"""Making the first image: a Debian root file system by mmdebstrap."""

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from cabestan.adapters.images.recipes import MMDEBSTRAP, ImageRecipe
from cabestan.adapters.images.workspace import Workspace
from cabestan.errors import DeadlineExceeded, StepFailed

#: seconds that mmdebstrap gets to clean up after itself
GRACE = 10.0


def mmdebstrap_args(text: str) -> list[str]:
    """The command for a file of arguments, one a line. The tar goes to standard output."""
    lines = (line.strip() for line in text.splitlines())
    return ["mmdebstrap", "--format=tar", *(line for line in lines if line and not line.startswith("#")), "-"]


def private_mounts(command: list[str]) -> list[str]:
    """The command, with what it mounts (/proc, /dev/shm) gone with it, however it ends.

    Mounts of a killed mmdebstrap would otherwise stay, and clearing away its files reach through them. Only root can
    ask for this; for others mmdebstrap does the like by itself.
    """
    return ["unshare", "--mount", "--propagation", "private", "--", *command] if os.getuid() == 0 else command


def write_root(
    recipe: ImageRecipe,
    target: IO[bytes],
    work: Workspace,
    *,
    proxies: Mapping[str, str],
    deadline: float,
    line: Callable[[str], None],
) -> None:
    """Write the root file system to `target` as a tar; `line` gets what mmdebstrap says.

    Raises StepFailed; DeadlineExceeded at the monotonic time `deadline`.
    """
    if shutil.which("mmdebstrap") is None:
        raise StepFailed("mmdebstrap is not installed.", "Run `apt-get install mmdebstrap`.")
    # a session of its own and no input: mmdebstrap takes a silent standard input for a sources.list
    process = subprocess.Popen(
        private_mounts(mmdebstrap_args((recipe.folder / MMDEBSTRAP).read_text())),
        cwd=recipe.folder,
        env=_environment(work.folder, proxies),
        stdin=subprocess.DEVNULL,
        stdout=target,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(work.lock,),
    )
    try:
        _follow(process, deadline, line)
    finally:
        _end(process)
    if process.returncode:
        raise StepFailed(f"mmdebstrap ended with {process.returncode}.")


def _environment(temporary: Path, proxies: Mapping[str, str]) -> dict[str, str]:
    fixed = {"LANG": "C.UTF-8", "TMPDIR": str(temporary), "HOME": "/nonexistent"}
    return {"PATH": os.defpath + ":/usr/sbin:/sbin", **{k.lower(): v for k, v in proxies.items()}, **fixed}


def _follow(process: subprocess.Popen[bytes], deadline: float, line: Callable[[str], None]) -> None:
    """Pass on lines until the error output ends, which it does with the last process of the session."""
    if process.stderr is None:
        raise StepFailed("mmdebstrap was started without its error output.")
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise DeadlineExceeded("mmdebstrap took too long.")
            read = os.read(process.stderr.fileno(), 65536)
            *lines, rest = (rest + read).split(b"\n")
            for text in lines:
                line(text.decode(errors="replace").rstrip())
            if not read:
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the whole session end, by force if it must."""
    try:
        process.wait(0.2 if process.poll() is None else 0)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    if process.stderr:
        process.stderr.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
