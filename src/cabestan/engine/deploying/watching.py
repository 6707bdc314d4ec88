"""Watching a stack until all of it is healthy, or will not be."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog

from cabestan.adapters.tasks import StackState
from cabestan.domain.container_words import ContainerWords
from cabestan.domain.environment import Environment
from cabestan.engine.cluster import Cluster
from cabestan.engine.deploying.explaining import so_far, why_not_up, why_too_late
from cabestan.engine.deploying.record import CANCELED
from cabestan.engine.services import Services
from cabestan.errors import DeadlineExceeded, StepFailed

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 0.2
_TELL_SECONDS = 2.0
#: task times are the engine's clock's, which may be behind ours
_CLOCK_SKEW = timedelta(seconds=2)


def watch_stack(
    services: Services,
    environment: Environment,
    since: str,
    seconds: float,
    stopped: Callable[[], bool],
    only: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _seen: None,
) -> StackState:
    """`only` are the services that count, all where there are none. `tell` is told what is seen so far."""
    cluster, deadline = services.cluster_of(environment), time.monotonic() + seconds
    telling = _Telling(services, cluster, tell)
    healthy_since: float | None = None
    while True:
        state = look(services, environment, since, only)
        now = time.monotonic()
        _resume_update(cluster, state, since)
        telling.see(state)
        healthy_since = (healthy_since or now) if state.settled else None
        if healthy_since is not None and now - healthy_since >= environment.watch_seconds:
            return state
        if stopped():
            raise StepFailed(CANCELED)
        if now > deadline:
            why = why_too_late(state, seconds, words_of_unsettled(cluster, state), services.now())
            raise DeadlineExceeded(why.headline, why.remedy, why.lines)
        time.sleep(_LOOK_SECONDS)


class _Telling:
    """Tells what is seen, where it is news, now and then: each costs a transaction, and a look into containers."""

    def __init__(self, services: Services, cluster: Cluster, tell: Callable[[str], None]) -> None:
        self._services, self._cluster, self._tell = services, cluster, tell
        self._next, self._told = time.monotonic() + _TELL_SECONDS, ""

    def see(self, state: StackState) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _TELL_SECONDS
        seen = so_far(state, words_of_unsettled(self._cluster, state), self._services.now())
        if seen != self._told:
            self._tell(seen)
            self._told = seen


def words_of_unsettled(cluster: Cluster, state: StackState) -> Mapping[str, ContainerWords]:
    """Of each service that is not healthy yet, what the newest of its containers says."""
    open_ones = [service for service in state.services if not service.settled]
    begun = {one.name: [task for task in one.tasks if task.current and task.container] for one in open_ones}
    return {
        name: cluster.patiently(partial(cluster.stacks.words_of, tasks[0])) for name, tasks in begun.items() if tasks
    }


def look(services: Services, environment: Environment, since: str, only: tuple[str, ...] = ()) -> StackState:
    """As it is now. Raises StepFailed where a task has failed since then, in its words."""
    stack = environment.stack_name(services.settings.instance)
    cluster = services.cluster_of(environment)
    state = cluster.patiently(lambda: cluster.stacks.state(stack))
    state = state.only(only) if only else state
    if failure := state.failure(since):
        task = failure.task
        own = cluster.patiently(lambda: cluster.stacks.words_of(task)) if task else ContainerWords()
        why = why_not_up(failure, environment.name, own)
        raise StepFailed(why.headline, why.remedy, why.lines)
    return state


def _resume_update(cluster: Cluster, state: StackState, since: str) -> None:
    """With updates that stopped over a fault which has passed."""
    for name in (service.name for service in state.services if service.may_go_on(since)):
        _log.warning("an update stopped over a fault that has passed, and goes on", stack=state.name, service=name)
        cluster.patiently(partial(cluster.stacks.resume_update, state.name, name))


def engine_time(moment: datetime) -> str:
    """As the engine writes times, so that the two compare as text."""
    return (moment - _CLOCK_SKEW).strftime("%Y-%m-%dT%H:%M:%S.%f")
