"""When a full disk has room again, everything that met it goes on by itself."""

import tempfile
import threading
from pathlib import Path

import structlog

from cabestan.engine import recovery
from cabestan.engine.services import Services

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 2.0
#: what must fit before anything is tried again: one step's records and a page of log
_ENOUGH_BYTES = 1 << 20


class RoomWatcher:
    """A thread that sleeps until something could not be written, then waits for room."""

    def __init__(self, services: Services) -> None:
        self._services = services
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
                self._services.durable.go_on()
                recovery.go_on(self._services)
            except Exception as error:  # full again, or the engine is away too: the next look tries again
                _log.warning("what met a full disk still waits", error=str(error))
                out_of_room.set()
            else:
                _log.warning("the disk has room again: what met its end goes on")


def has_room(folder: Path) -> bool:
    """Whether a little more can be written: tried, for quotas and reserves count too."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_ENOUGH_BYTES))
            probe.flush()
    except OSError:
        return False
    return True
