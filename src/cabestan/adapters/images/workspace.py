"""Where images are made: one builder at a time, and nothing left of the one that was killed."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cabestan.errors import ConfigurationError, DeadlineExceeded

_LOCK = "lock"


@dataclass(frozen=True)
class Workspace:
    """Held by one builder."""

    #: empty, for temporary files
    folder: Path
    #: hand it to child processes: an orphan then keeps the lock for as long as it writes to the folder
    lock: int


def default_folder() -> Path:
    """One per user. Below a folder that others may write to, hence the check in `workspace`."""
    return Path(tempfile.gettempdir()) / f"cabestan-images-{os.getuid()}"


@contextmanager
def workspace(folder: Path, deadline: float, waiting: Callable[[], None]) -> Iterator[Workspace]:
    """Wait for the other builders, `waiting()` twice a second, until the monotonic time `deadline`.

    Raises DeadlineExceeded, and ConfigurationError where the folder belongs to somebody else.
    """
    _make_own(folder)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _acquire(lock, folder, deadline, waiting)
        _sweep(folder)
        yield Workspace(folder, lock)
        _sweep(folder)
    finally:
        os.close(lock)


def mounts_below(folder: Path, mountinfo: str) -> tuple[str, ...]:
    """The mount points in and below `folder`, the last one mounted first."""
    points = [line.split()[4].replace("\\040", " ") for line in mountinfo.splitlines()]
    return tuple(point for point in reversed(points) if Path(point).is_relative_to(folder))


def _make_own(folder: Path) -> None:
    # others may pass through: apt drops its rights to a user of its own
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ConfigurationError(
            f"{folder} is not a folder of this user alone.", "Remove it, or set TMPDIR to another place."
        )


def _acquire(lock: int, folder: Path, deadline: float, waiting: Callable[[], None]) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DeadlineExceeded(
                    f"Another process is still building base images (it holds {folder / _LOCK}).",
                    f"Wait for it, or find it with `fuser {folder / _LOCK}`.",
                ) from None
        waiting()
        time.sleep(0.5)


def _sweep(folder: Path) -> None:
    """Remove all but the lock. Never reaches into something that is mounted below the folder."""
    if mounted := mounts_below(folder.resolve(), Path("/proc/self/mountinfo").read_text()):
        raise ConfigurationError(
            f"Something is mounted at {mounted[0]}, so {folder} is not cleared.",
            f"Run `umount {mounted[0]}`, then try again.",
        )
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()
