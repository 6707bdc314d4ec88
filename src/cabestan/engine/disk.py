"""The disk: how much must be free before work begins, and the reserve for a start when it is full."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from cabestan.config import Settings
from cabestan.domain.alert import Alert
from cabestan.engine.services import Services
from cabestan.errors import StepFailed
from cabestan.store.fullness import storage_full

#: what must fit before anything is tried again: one step's records and a page of log
_ENOUGH_BYTES = 1 << 20
#: given up by a start on a full disk: SQLite reads nothing before it could make the files beside its databases, and
#: the workflows are recorded as taken up. Less than what tells that there is room again
_RESERVE_BYTES = 768 << 10
_RESERVE = "reserve"
ALERT = "disk"


def check(settings: Settings) -> None:
    """Raises StepFailed when less is free than `free_bytes` asks for."""
    free = shutil.disk_usage(settings.data).free
    if free < settings.free_bytes:
        raise StepFailed(
            f"{settings.data} has {free // 2**20} MiB free, {settings.free_bytes // 2**20} MiB must be.",
            "Make room (old images: `docker image ls`), or lower free_bytes; then retry.",
        )


def keep_reserve(folder: Path) -> None:
    """For a start on a full disk. Where it does not fit now, there is none."""
    path = folder / _RESERVE
    if path.exists():
        return
    part = path.with_suffix(".part")
    try:
        part.write_bytes(bytes(_RESERVE_BYTES))
        part.rename(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def use_reserve(folder: Path) -> bool:
    """Where the disk is full; whether it is."""
    full = not has_room(folder)
    if full:
        (folder / _RESERVE).unlink(missing_ok=True)
    return full


def alert(services: Services) -> Alert | None:
    """While the disk is full; no row tells of it, for none could be written."""
    if not services.database.out_of_room.is_set():
        return None
    words, now = storage_full(), services.now()
    return Alert(0, ALERT, str(services.settings.data), words.message, words.remedy, "", now, None)


def has_room(folder: Path) -> bool:
    """Whether a little more can be written: tried, for quotas and reserves count too."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_ENOUGH_BYTES))
            probe.flush()
    except OSError:
        return False
    return True
