"""When a full disk has room again, everything that met it goes on by itself."""

from collections.abc import Callable

import structlog

from cabestan.engine import disk
from cabestan.engine.repeating import Repeating, every
from cabestan.engine.services import Services
from cabestan.engine.upkeep import recovery

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 2.0


def disk_watcher(services: Services, begin: Callable[[], None] = lambda: None) -> Repeating:
    """`begin` is what the start of the server has to do, and may have met the full disk in."""

    def look() -> None:
        if services.database.out_of_room.is_set() and disk.has_room(services.settings.data):
            _go_on(services, begin)

    return every("disk", look, _LOOK_SECONDS)


def _go_on(services: Services, begin: Callable[[], None]) -> None:
    services.database.out_of_room.clear()
    try:
        begin()
        services.durable.take_up()
        recovery.begin_accepted(services)
    except Exception:  # full again, or the engine is away too: the next look tries again
        services.database.out_of_room.set()
        raise
    disk.keep_reserve(services.settings.data)
    _log.warning("the disk has room again: what met its end goes on")
