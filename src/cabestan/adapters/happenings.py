"""What happens to containers and services, as engines tell it the moment that it does."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from cabestan.adapters.engine_api import Engine
from cabestan.domain.labels import INSTANCE_LABEL, STACK_LABEL

Event = Mapping[str, Any]
_KINDS = ["container", "service"]
_EVENTS = ["start", "die", "oom", "health_status", "create", "update", "remove"]


class Happenings:
    """Of one engine: containers of its node, and services where it is a manager's."""

    def __init__(self, engine: Engine, heard: Callable[[Event], None]) -> None:
        """`heard` is given each event, as the engine tells it."""
        self._engine = engine
        self._heard = heard
        self._lock = threading.Lock()
        self._closed = False
        self._stream: Any = None

    def follow(self, begun: Callable[[], None]) -> None:
        """Until it is closed, or the engine goes away. `begun` is called once nothing is missed any more."""
        with self._engine.speaking("tell what happens") as client:
            stream = client.api.events(filters={"type": _KINDS, "event": _EVENTS}, decode=True)
            with self._lock:
                self._stream = stream
                if self._closed:
                    stream.close()
            begun()
            for event in stream:
                self._heard(event)

    def close(self) -> None:
        with self._lock, suppress(OSError):
            self._closed = True
            if self._stream:
                self._stream.close()


def is_of(event: Event, instance: str) -> bool:
    """Whether it happened to a container of that installation."""
    found: bool = event["Actor"]["Attributes"].get(INSTANCE_LABEL) == instance
    return found


def stack_of(event: Event) -> str:
    """The stack of a container, or the name of a service, which begins with its stack's; else empty."""
    attributes: Mapping[str, str] = event["Actor"]["Attributes"]
    return attributes.get("name", "") if event["Type"] == "service" else attributes.get(STACK_LABEL, "")
