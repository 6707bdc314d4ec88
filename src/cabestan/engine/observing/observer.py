"""Follows what Swarm does to what was deployed: each happening is looked into at once, and everything each minute."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cabestan.adapters.happenings import Happenings
from cabestan.adapters.tasks import StackState
from cabestan.domain.observed import WELL
from cabestan.domain.outbox import Event, Subject
from cabestan.engine.alarm import Alarm
from cabestan.engine.cluster import Cluster
from cabestan.engine.observing.down_pages import DownPages
from cabestan.engine.observing.recording import Recorder
from cabestan.engine.outbox import Listening
from cabestan.engine.repeating import Repeating
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import environments as environment_store
from cabestan.store import observations as store

#: everything is compared so often, whatever was heard (seconds)
_COMPARE_SECONDS = 60.0
#: what is not well is looked at so often: whether it lasts, and whether that is over
_UNWELL_SECONDS = 5.0
#: Swarm's managers know of what an engine tells a moment later: so long it is looked at again and again
_SETTLE_SECONDS, _AGAIN_SECONDS = 1.5, 0.25
#: after an engine that went away (seconds)
_FOLLOW_AGAIN = 3.0
#: so many are asked for one by one
_FEW = 5


class Observer:
    """One thread looks, and one follows each engine."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._recorder = Recorder(services)
        self._alarm = Alarm()
        self._lock = threading.Lock()
        #: by stack: until when it is looked at
        self._heard: dict[str, float] = {}
        self._compared = -math.inf
        self._looking = Repeating("observer", self._round, _COMPARE_SECONDS, alarm=self._alarm)
        self._happenings = [
            Happenings(engine, self._hear) for cluster in services.clusters.values() for engine in cluster.nodes.all
        ]
        self._following = [
            Repeating(f"happenings-{place}", partial(self._follow, one), _FOLLOW_AGAIN, again=_FOLLOW_AGAIN)
            for place, one in enumerate(self._happenings)
        ]
        self._listening = Listening(services, "observer", self._told)
        pages, self._deployed = DownPages(services), Alarm()
        self._delivering = Repeating(
            "down-pages", lambda _rang: pages.deliver(), _COMPARE_SECONDS, alarm=self._deployed
        )

    def start(self) -> None:
        for thread in (self._looking, self._listening, self._delivering, *self._following):
            thread.start()

    def stop(self) -> None:
        for one in self._happenings:
            one.close()
        for thread in (*self._following, self._delivering, self._listening, self._looking):
            thread.stop()

    def _follow(self, happenings: Happenings, _rang: bool) -> None:
        """What happened before, or while the engine was away, is found by comparing, and that it is away too."""
        try:
            happenings.follow(self._compare_soon)
        finally:
            self._compare_soon()

    def _compare_soon(self) -> None:
        self._compared = -math.inf
        self._alarm.ring()

    def _told(self, event: Event) -> None:
        """Another deployment serves."""
        if event.subject is Subject.ENVIRONMENT:
            with self._services.database.reading() as tx:
                environment = environment_store.by_id(tx, event.key)
            self._hear(environment.stack_name(self._services.settings.instance))
            self._deployed.ring()

    def _hear(self, name: str) -> None:
        with self._lock:
            self._heard[name] = time.monotonic() + _SETTLE_SECONDS
        self._alarm.ring()

    def _round(self, _rang: bool) -> float:
        now = time.monotonic()
        with self._lock:
            heard = tuple(self._heard)
            self._heard = {name: until for name, until in self._heard.items() if until > now}
            again = bool(self._heard)
        if now - self._compared >= _COMPARE_SECONDS:
            self._compared = now
            well = observe(self._services, self._recorder)
        else:
            well = observe(self._services, self._recorder, lambda stack: any(_is_of(stack, name) for name in heard))
        if again:
            return _AGAIN_SECONDS
        return _COMPARE_SECONDS if well else _UNWELL_SECONDS


def _is_of(stack: str, name: str) -> bool:
    """Whether a stack, or a service, of that name is the stack's."""
    return name == stack or name.startswith(f"{stack}_")


def observe(services: Services, recorder: Recorder, wanted: Callable[[str], bool] = lambda _stack: True) -> bool:
    """Looks at the environments whose stacks are wanted, and at all that were not well. Whether all are now."""
    with services.database.reading() as tx:
        every = environment_store.all_environments(tx)
        seen = store.of(tx, (one.id for one in every))
    named = {one.stack_name(services.settings.instance): one for one in every}
    unwell = {key for key, one in seen.items() if one.condition not in WELL}
    chosen = {stack: one for stack, one in named.items() if one.id in unwell or wanted(stack)}
    found: list[bool] = []
    for cluster in services.clusters.values():
        mine = {stack: one for stack, one in chosen.items() if one.target == cluster.target.name}
        states, trouble = _states(cluster, tuple(mine))
        for stack, one in mine.items():
            state = states.get(stack, StackState(stack, ()))
            found.append(recorder.record(one, seen.get(one.id), state, trouble))
    return all(found)


def _states(cluster: Cluster, stacks: Sequence[str]) -> tuple[Mapping[str, StackState], str]:
    """What Swarm says of them, or why it says nothing: the engine is away."""
    try:
        if len(stacks) > _FEW:
            return cluster.stacks.all_states(), ""
        return {stack: cluster.stacks.state(stack) for stack in stacks}, ""
    except CabestanError as error:
        return {}, str(error)
