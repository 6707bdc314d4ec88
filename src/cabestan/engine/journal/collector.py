"""Takes what the containers of one engine say, into the journals of their environments."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

import structlog

from cabestan.adapters.container_lines import Container, LineStream, containers_on, has_terminal
from cabestan.adapters.container_logs import LogSource
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.happenings import Event, Happenings, is_of
from cabestan.engine.journal.access import AccessTap, Requests
from cabestan.engine.journal.ledger import Ledger
from cabestan.engine.journal.tap import Tap
from cabestan.engine.repeating import Repeating
from cabestan.errors import CabestanError, NotFound

_log = structlog.get_logger(__name__)
#: containers are listed anew so often, whatever was heard, and at most so often (seconds)
_LIST_SECONDS, _LIST_PAUSE = 30.0, 0.2
#: what comes gathers for so long before it is read (seconds): the engine sends each line by itself
_GATHER_SECONDS = 0.05
#: what was read and waits is looked at so often (seconds)
_WAITING_SECONDS = 0.1
_AGAIN_SECONDS = 3.0


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
        if is_of(event, self._instance):
            self._list_soon()

    def _list_soon(self) -> None:
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
        now = time.monotonic()
        if now >= self._list_at:
            self._attach(containers_on(self._engine, self._manager, self._instance))
            self._list_at = time.monotonic() + _LIST_SECONDS
        waiting = any(part.waiting.lines for tap in self._taps.values() for part in tap.parts())
        ready = self._selector.select(_WAITING_SECONDS if waiting else max(0.0, self._list_at - now))
        if any(key.data for key, _ in ready):
            self._stopped.wait(_GATHER_SECONDS)
        for key, _ in ready:
            if key.data is None:
                os.eventfd_read(self._wake)
                self._list_at = min(self._list_at, time.monotonic() + _LIST_PAUSE)
            else:
                self._read(key.data)
        came = {key.data for key, _ in ready}
        for tap in self._taps.values():
            if tap not in came:
                tap.nothing_came(time.monotonic())
        self._hand_on()

    def _attach(self, found: Iterable[Container]) -> None:
        """Begins with those that are new, and with those that have more to say than was taken of them."""
        there = {container.id: container for container in found}
        for container in there.values():
            if container.id not in self._taps and (tap := self._ledger.tap(container)):
                self._begin(tap)
        self._ledger.forget_all_but(self._engine.address, there)

    def _begin(self, tap: Tap | AccessTap) -> None:
        with suppress(NotFound):
            terminal = has_terminal(self._engine, tap.id)
            source = LogSource(self._engine.address, self._engine.client.api.api_version)
            tap.begin(LineStream(source, tap.id, terminal=terminal, since=tap.since), time.monotonic())
            self._taps[tap.id] = tap
            self._selector.register(tap.stream, selectors.EVENT_READ, tap)

    def _read(self, tap: Tap | AccessTap) -> None:
        """A stream that ended before its container did, or as it did, is read again from where it was."""
        tap.read(time.monotonic())
        if tap.stream.ended:
            self._selector.unregister(tap.stream)
            tap.stream.close()
            if tap.is_over:
                self._ledger.settling.tell(tap.id)
            else:
                self._list_at = min(self._list_at, time.monotonic() + _LIST_PAUSE)

    def _hand_on(self) -> None:
        by_environment: dict[int, list[Tap | Requests]] = defaultdict(list)
        for tap in self._taps.values():
            for part in tap.parts():
                by_environment[part.environment_id].append(part)
        for environment_id, parts in by_environment.items():
            self._ledger.write(environment_id, parts)
        for tap in [tap for tap in self._taps.values() if tap.is_done]:
            del self._taps[tap.id]

    def _let_go(self) -> None:
        """What was read and not kept is read again."""
        for tap in self._taps.values():
            with suppress(KeyError, ValueError):
                self._selector.unregister(tap.stream)
            tap.stream.close()
        self._taps.clear()
        self._list_at = 0.0
