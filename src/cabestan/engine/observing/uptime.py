"""Asks each route once a minute, from the router's side, and sums up what comes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

import structlog

from cabestan.adapters.probing import Asking
from cabestan.domain.observed import Condition
from cabestan.domain.route import Probe, RouteAnswer
from cabestan.domain.uptime import Tally, hour_of, timed
from cabestan.engine.observing.asked import Ask, Asked
from cabestan.engine.observing.outages import Outages
from cabestan.engine.repeating import Repeating
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store
from cabestan.store import observations as observation_store
from cabestan.store import uptime as store
from cabestan.store.uptime import Key

_log = structlog.get_logger(__name__)
_MINUTE = 60.0
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 5.0
#: so many wait for an answer at the same time, and so many of one environment: what hangs delays no other
_AT_ONCE, _OF_ONE = 64, 4

AskRouter = Callable[[Probe], RouteAnswer]


@dataclass(frozen=True)
class Came:
    """An answer, and when it was there."""

    ask: Ask
    answer: RouteAnswer
    at: datetime


@dataclass
class Minute:
    """What is still to be asked of one, the earliest first."""

    begun: float
    waiting: deque[tuple[float, Ask]] = field(default_factory=deque)


class Uptime:
    """One thread says whose turn it is and keeps what came; each ask has a thread for as long as it waits."""

    def __init__(
        self,
        services: Services,
        changed: Callable[[str], None] = lambda _stack: None,
        routers: Mapping[str, AskRouter] | None = None,
    ) -> None:
        """`changed` is given the stack of an environment of which a route began or ended to answer."""
        self._services = services
        self._own = {} if routers else {c.target.name: _asking(c.target.entrance) for c in services.clusters.values()}
        self._routers: Mapping[str, AskRouter] = routers or self._own
        self._asked = Asked(services)
        self._outages = Outages(services, changed)
        self._lock = threading.Lock()
        self._came: list[Came] = []
        self._busy: Counter[int] = Counter()
        self._minute = Minute(time.monotonic() - _MINUTE)
        self._tallies: dict[Key, list[Tally]] = defaultdict(list)
        self._turns = Repeating("uptime", self._round, _LOOK_SECONDS, again=_AGAIN_SECONDS)

    def start(self) -> None:
        self._turns.start()

    def stop(self) -> None:
        self._turns.stop()
        with suppress(Exception):  # a minute less is known
            self.keep()
        for one in self._own.values():
            one.close()

    def _round(self, _rang: bool) -> None:
        self.take()
        if time.monotonic() - self._minute.begun >= _MINUTE:
            self.keep()
            self._begin()
        self._ask_due()

    def _begin(self) -> None:
        """What was not asked by now is not known of the minute that has gone by."""
        now, begun = time.monotonic(), self._minute.begun + _MINUTE
        ordered = sorted(((_turn(ask), ask) for ask in self.wanted()), key=lambda one: one[0])
        self._minute = Minute(begun if now - begun < _MINUTE else now, deque(ordered))

    def wanted(self) -> tuple[Ask, ...]:
        """Of all environments that something serves and that nobody has stopped, on targets that there are."""
        with self._services.database.reading() as tx:
            every = environment_store.all_environments(tx)
            seen = observation_store.of(tx, (one.id for one in every))
        stopped = {key for key, one in seen.items() if one.condition is Condition.STOPPED}
        self._asked.keep(one.current_deployment_id for one in every)
        there = (one for one in every if one.id not in stopped and one.target in self._routers)
        found = tuple(ask for one in there for ask in self._asked.of(one))
        self._outages.keep(found)
        return found

    def _ask_due(self) -> None:
        """Those whose turn has come; one of an environment that has too many under way comes a moment later."""
        now, later = time.monotonic() - self._minute.begun, deque[tuple[float, Ask]]()
        waiting = self._minute.waiting
        while waiting and waiting[0][0] <= now:
            turn, ask = waiting.popleft()
            if self._takes(ask):
                threading.Thread(target=self._ask, args=(ask,), name="uptime-ask", daemon=True).start()
            else:
                later.append((turn, ask))
        waiting.extendleft(reversed(later))

    def _takes(self, ask: Ask) -> bool:
        with self._lock:
            free = self._busy.total() < _AT_ONCE and self._busy[ask.environment.id] < _OF_ONE
            if free:
                self._busy[ask.environment.id] += 1
            return free

    def _ask(self, ask: Ask) -> None:
        try:
            came = Came(ask, self.answer(ask), self._services.now())
            with self._lock:
                self._came.append(came)
        except Exception as error:  # nothing is known, then
            _log.warning("a route cannot be asked", route=ask.route, error=repr(error))
        finally:
            with self._lock:
                self._busy[ask.environment.id] -= 1

    def answer(self, ask: Ask) -> RouteAnswer:
        return self._routers[ask.environment.target](ask.probe)

    def ask_all(self) -> None:
        """All at once, one after the other, and kept."""
        for ask in self.wanted():
            self._came.append(Came(ask, self.answer(ask), self._services.now()))
        self.take()
        self.keep()

    def take(self) -> None:
        """Judges what came since."""
        with self._lock:
            came, self._came = self._came, []
        for one in came:
            known = self._outages.judge(one.ask, one.answer, one.at)
            if known is not None:
                self._tallies[one.ask.key].append(_tally(one, good=known))

    def keep(self) -> None:
        """In one transaction."""
        if self._tallies:
            with self._services.database.writing() as tx:
                store.add(tx, self._tallies)
            self._tallies = defaultdict(list)


def _asking(entrance: tuple[str, int]) -> Asking:
    return Asking(*entrance, _AT_ONCE)


def _turn(ask: Ask) -> float:
    """When in a minute, as seconds from its begin: always the same, and spread evenly over all."""
    return crc32(repr(ask.key).encode()) / 2**32 * _MINUTE


def _tally(came: Came, *, good: bool) -> Tally:
    hour = hour_of(came.at)
    return timed(hour, came.answer.milliseconds) if good else Tally(hour, failed=1)
