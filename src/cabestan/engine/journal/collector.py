"""Takes what the containers of one engine say, into the journals of their environments."""

from __future__ import annotations

import math
import os
import selectors
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress

import structlog

from cabestan.adapters.container_lines import Container, LineStream, container_on, containers_on, has_terminal, speaks
from cabestan.adapters.container_logs import LogSource
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.happenings import Event, Happenings, is_of
from cabestan.engine.journal.access import AccessTap, Requests
from cabestan.engine.journal.ledger import Ledger
from cabestan.engine.journal.tap import Tap
from cabestan.engine.repeating import Repeating
from cabestan.errors import CabestanError, NotFound

_log = structlog.get_logger(__name__)
#: containers are listed anew so often, whatever was heard (seconds)
_LIST_SECONDS = 30.0
#: what comes gathers for so long before it is read (seconds): the engine sends each line by itself
_GATHER_SECONDS = 0.05
#: what was read and waits is looked at so often (seconds)
_WAITING_SECONDS = 0.1
_AGAIN_SECONDS = 3.0
#: a stream that ends again so soon is begun again so late (seconds)
_BROKE_OFF_SECONDS = 1.0


class Collector:
    """A thread that reads, and one that hears of containers that start and end."""

    def __init__(self, engine: Engine, manager: Engine, instance: str, ledger: Ledger) -> None:
        self._engine = engine
        self._manager = manager
        self._instance = instance
        self._ledger = ledger
        self._taps: dict[str, Tap | AccessTap] = {}
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._list_at = 0.0
        self._to_begin: deque[str] = deque()
        #: when a container's stream ended last
        self._broke_off: dict[str, float] = {}
        self._stopped = threading.Event()
        self._reading = threading.Thread(target=self._run, name="journal", daemon=True)
        self._happenings = Happenings(engine, self._heard)
        self._hearing = Repeating("journal-happenings", self._hear, _AGAIN_SECONDS, again=_AGAIN_SECONDS)

    def start(self) -> None:
        self._ledger.settling.begin()
        self._reading.start()
        self._hearing.start()

    def stop(self) -> None:
        self._stopped.set()
        self._happenings.close()
        self._list_soon()
        if self._reading.is_alive():
            self._reading.join(3.0)
        self._hearing.stop()
        self._ledger.settling.end()

    def _hear(self, _rang: bool) -> None:
        self._happenings.follow(self._list_soon)

    def _heard(self, event: Event) -> None:
        """What starts is begun with at once. What ends is noticed by its stream's end."""
        if event["Action"] == "start" and is_of(event, self._instance) and speaks(event["Actor"]["Attributes"]):
            self._begin_soon(event["Actor"]["ID"])

    def _begin_soon(self, container: str) -> None:
        self._to_begin.append(container)
        self._wake_up()

    def _list_soon(self) -> None:
        self._list_at = 0.0
        self._wake_up()

    def _wake_up(self) -> None:
        with suppress(OSError, BlockingIOError):
            os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._round()
            except Exception as error:
                trace = not isinstance(error, (CabestanError, OSError))
                _log.warning("what applications say has to wait", error=repr(error), exc_info=trace)
                self._let_go()
                self._stopped.wait(_AGAIN_SECONDS)
        self._let_go()

    def _round(self) -> None:
        self._begin_all()
        waiting = any(part.waiting.lines for tap in self._taps.values() for part in tap.parts())
        until_list = max(0.0, self._list_at - time.monotonic())
        ready = self._selector.select(_WAITING_SECONDS if waiting else until_list)
        if any(key.data for key, _ in ready):
            self._stopped.wait(_GATHER_SECONDS)
        for key, _ in ready:
            if key.data is None:
                os.eventfd_read(self._wake)
            else:
                self._read(key.data)
        came = {key.data for key, _ in ready}
        for tap in self._taps.values():
            if tap not in came:
                tap.nothing_came(time.monotonic())
        self._hand_on()

    def _begin_all(self) -> None:
        """With those that were heard of, and now and then with all that have more to say than was taken of them."""
        if time.monotonic() >= self._list_at:
            self._list_at = time.monotonic() + _LIST_SECONDS
            found = containers_on(self._engine, self._manager, self._instance)
            for container in found:
                self._begin(container)
            there = {container.id for container in found}
            self._broke_off = {container: at for container, at in self._broke_off.items() if container in there}
            self._ledger.forget_all_but(self._engine.address, there)
        while self._to_begin:
            if one := container_on(self._engine, self._manager, self._to_begin.popleft()):
                self._begin(one)

    def _begin(self, container: Container) -> None:
        if container.id in self._taps or not (tap := self._ledger.tap(container)):
            return
        with suppress(NotFound):
            terminal = has_terminal(self._engine, tap.id)
            source = LogSource(self._engine.address, self._engine.client.api.api_version)
            tap.begin(LineStream(source, tap.id, terminal=terminal, since=tap.since), time.monotonic())
            self._taps[tap.id] = tap
            self._selector.register(tap.stream, selectors.EVENT_READ, tap)

    def _read(self, tap: Tap | AccessTap) -> None:
        tap.read(time.monotonic())
        if tap.stream.ended:
            self._selector.unregister(tap.stream)
            tap.stream.close()
            if tap.is_over:
                self._ledger.settling.tell(tap.id)

    def _hand_on(self) -> None:
        by_environment: dict[int, list[Tap | Requests]] = defaultdict(list)
        for tap in self._taps.values():
            for part in tap.parts():
                by_environment[part.environment_id].append(part)
        for environment_id, parts in by_environment.items():
            self._ledger.write(environment_id, parts)
        for tap in [tap for tap in self._taps.values() if tap.is_done]:
            del self._taps[tap.id]
            if not tap.is_over:
                self._go_on_with(tap.id)

    def _go_on_with(self, container: str) -> None:
        """A stream ended before its container did, or as it did: it is read on from where it was."""
        now = time.monotonic()
        if now - self._broke_off.get(container, -math.inf) < _BROKE_OFF_SECONDS:
            self._list_at = min(self._list_at, now + _BROKE_OFF_SECONDS)
        else:
            self._begin_soon(container)
        self._broke_off[container] = now

    def _let_go(self) -> None:
        """What was read and not kept is read again."""
        for tap in self._taps.values():
            with suppress(KeyError, ValueError):
                self._selector.unregister(tap.stream)
            tap.stream.close()
        self._taps.clear()
        self._list_at = 0.0
