"""What jobs and runs have in common towards their end: the time that is left, being stopped, being taken away."""

import threading
from contextlib import suppress
from datetime import datetime

import structlog

from cabestan.adapters.once import Containers, Once
from cabestan.engine.cluster import Cluster
from cabestan.errors import CabestanError

_log = structlog.get_logger(__name__)


def seconds_left(began: datetime | None, seconds: int, now: datetime) -> float:
    """Of so many since it began; None where it is only about to."""
    passed = (now - began).total_seconds() if began else 0
    return max(0.0, seconds - passed)


def stop_soon(containers: Containers, run: Once) -> None:
    """Stops its container in the background; where that fails, the one who follows it tries again."""

    def stop() -> None:
        with suppress(CabestanError):
            containers.stop(run)

    threading.Thread(target=stop, name=f"stop-{run.name}", daemon=True).start()


def take_away(cluster: Cluster, containers: Containers, run: Once) -> None:
    """All that it left on the engine; where that is not to be had, it goes at the next start."""
    try:
        cluster.patiently(lambda: containers.remove(run))
    except CabestanError as error:
        _log.warning("what has ended is removed at the next start", name=run.name, error=str(error))
