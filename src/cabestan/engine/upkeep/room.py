"""When a full disk has room again, everything that met it goes on by itself."""

import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from cabestan.domain.alert import Alert
from cabestan.engine.services import Services
from cabestan.engine.upkeep import recovery
from cabestan.store.fullness import storage_full

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 2.0
#: what must fit before anything is tried again: one step's records and a page of log
_ENOUGH_BYTES = 1 << 20
#: given up by a start on a full disk: SQLite reads nothing before it could make the files beside its databases, and
#: the workflows are recorded as taken up. Less than what tells that there is room again
_RESERVE_BYTES = 768 << 10
_RESERVE = "reserve"
ALERT = "disk"


class RoomWatcher:
    """A thread that sleeps until something could not be written, then waits for room.

    `begin` is what the start of the server has to do, and may have met the full disk in.
    """

    def __init__(self, services: Services, begin: Callable[[], None] = lambda: None) -> None:
        self._services = services
        self._begin = begin
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="room", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._services.database.out_of_room.set()

    def _run(self) -> None:
        out_of_room = self._services.database.out_of_room
        while out_of_room.wait() and not self._stopped.wait(_LOOK_SECONDS):
            if not has_room(self._services.settings.data):
                continue
            out_of_room.clear()
            try:
                self._begin()
                self._services.durable.go_on()
                recovery.go_on(self._services)
            except Exception as error:  # full again, or the engine is away too: the next look tries again
                _log.warning("what met a full disk still waits", error=str(error))
                out_of_room.set()
            else:
                keep_reserve(self._services.settings.data)
                _log.warning("the disk has room again: what met its end goes on")


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
