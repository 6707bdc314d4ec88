"""When a full disk has room again, everything that met it goes on by itself."""

import threading
from collections.abc import Callable

import structlog

from cabestan.engine import disk
from cabestan.engine.services import Services
from cabestan.engine.upkeep import recovery

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 2.0


class DiskWatcher:
    """A thread that sleeps until something could not be written, then waits for room.

    `begin` is what the start of the server has to do, and may have met the full disk in.
    """

    def __init__(self, services: Services, begin: Callable[[], None] = lambda: None) -> None:
        self._services = services
        self._begin = begin
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._services.database.out_of_room.set()

    def _run(self) -> None:
        out_of_room = self._services.database.out_of_room
        while out_of_room.wait() and not self._stopped.wait(_LOOK_SECONDS):
            if not disk.has_room(self._services.settings.data):
                continue
            out_of_room.clear()
            try:
                self._begin()
                self._services.durable.take_up()
                recovery.begin_accepted(self._services)
            except Exception as error:  # full again, or the engine is away too: the next look tries again
                _log.warning("what met a full disk still waits", error=str(error))
                out_of_room.set()
            else:
                disk.keep_reserve(self._services.settings.data)
                _log.warning("the disk has room again: what met its end goes on")
