"""Follows what Swarm does to what was deployed: each happening is looked into at once, and everything each minute."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from cabestan.adapters.happenings import Happenings, stack_of
from cabestan.adapters.tasks import StackState
from cabestan.domain.observed import WELL, Seen
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
from cabestan.store import uptime as uptime_store

#: everything is compared so often, whatever was heard (seconds)
_COMPARE_SECONDS = 60.0
#: what is not well for less than `_YOUNG` is looked at so often: whether it lasts, and whether that is over
_TROUBLE_SECONDS, _YOUNG = 5.0, timedelta(minutes=10)
#: Swarm's managers know of what an engine tells a moment later: so long it is looked at again and again
_SETTLE_SECONDS, _AGAIN_SECONDS = 1.5, 0.25
#: after an engine that went away (seconds)
_FOLLOW_AGAIN = 3.0
#: to a router that could not be given its pages (seconds)
_DELIVER_AGAIN = 10.0
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
        self._compared = self._troubled = -math.inf
        self._looking = Repeating("observer", self._round, _TROUBLE_SECONDS, alarm=self._alarm, again=_TROUBLE_SECONDS)
        self._happenings = [
            Happenings(engine, lambda event: self.hear(stack_of(event)))
            for cluster in services.clusters.values()
            for engine in cluster.nodes.all
        ]
        self._following = [
            Repeating(f"happenings-{place}", partial(self._follow, one), _FOLLOW_AGAIN, again=_FOLLOW_AGAIN)
            for place, one in enumerate(self._happenings)
        ]
        self._listening = Listening(services, "observer", self._told)
        pages, self._deployed = DownPages(services), Alarm()
        self._delivering = Repeating(
            "down-pages", lambda _rang: pages.deliver(), _COMPARE_SECONDS, alarm=self._deployed, again=_DELIVER_AGAIN
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
            self.hear(environment.stack_name(self._services.settings.instance))
            self._deployed.ring()

    def hear(self, name: str) -> None:
        """A stack, or a service, of which something may have changed. Of others, nothing."""
        if not name.startswith(f"{self._services.settings.instance}-"):
            return
        with self._lock:
            self._heard[name] = time.monotonic() + _SETTLE_SECONDS
        self._alarm.ring()

    def _round(self, _rang: bool) -> float:
        now = time.monotonic()
        with self._lock:
            heard = tuple(self._heard)
            self._heard = {name: until for name, until in self._heard.items() if until > now}
            again = bool(self._heard)
        everything, troubles = now - self._compared >= _COMPARE_SECONDS, now - self._troubled >= _TROUBLE_SECONDS
        self._compared, self._troubled = (now if everything else self._compared), (now if troubles else self._troubled)

        def wanted(stack: str, seen: Seen | None) -> bool:
            young = troubles and seen is not None and _is_young_trouble(seen, self._services.now())
            return everything or young or any(_is_of(stack, name) for name in heard)

        observe(self._services, self._recorder, wanted)
        return _AGAIN_SECONDS if again else _TROUBLE_SECONDS


def _is_young_trouble(seen: Seen, now: datetime) -> bool:
    """What has not been well for long is looked at with everything else."""
    return seen.condition not in WELL and now - seen.since < _YOUNG


def _is_of(stack: str, name: str) -> bool:
    """Whether a stack, or a service, of that name is the stack's."""
    return name == stack or name.startswith(f"{stack}_")


def observe(
    services: Services, recorder: Recorder, wanted: Callable[[str, Seen | None], bool] = lambda _stack, _seen: True
) -> None:
    """Looks at the environments that are wanted, told by their stacks and by how they were seen last."""
    with services.database.reading() as tx:
        every = environment_store.all_environments(tx)
        seen = store.of(tx, (one.id for one in every))
        outages = uptime_store.open_outages(tx)
    named = {one.stack_name(services.settings.instance): one for one in every}
    chosen = {stack: one for stack, one in named.items() if wanted(stack, seen.get(one.id))}
    for cluster in services.clusters.values():
        mine = {stack: one for stack, one in chosen.items() if one.target == cluster.target.name}
        states, trouble = _states(cluster, tuple(mine))
        for stack, one in mine.items():
            recorder.record(
                one, seen.get(one.id), states.get(stack, StackState(stack, ())), trouble, outages.get(one.id, ())
            )


def _states(cluster: Cluster, stacks: Sequence[str]) -> tuple[Mapping[str, StackState], str]:
    """What Swarm says of them, or why it says nothing: the engine is away."""
    try:
        if len(stacks) > _FEW:
            return cluster.stacks.all_states(), ""
        return {stack: cluster.stacks.state(stack) for stack in stacks}, ""
    except CabestanError as error:
        return {}, str(error)
