"""Watching a stack until all of it is healthy, or will not be."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from cabestan.adapters.tasks import Failure, StackState
from cabestan.domain.environment import Environment
from cabestan.engine.cluster import Cluster
from cabestan.engine.deploying.record import CANCELED
from cabestan.engine.services import Services
from cabestan.errors import DeadlineExceeded, StepFailed

_log = structlog.get_logger(__name__)
_LOOK_SECONDS = 0.2
#: task times are the engine's clock's, which may be behind ours
_CLOCK_SKEW = timedelta(seconds=2)


def watch_stack(
    services: Services,
    environment: Environment,
    since: str,
    seconds: float,
    stopped: Callable[[], bool],
    only: tuple[str, ...] = (),
) -> StackState:
    """`only` are the services that count, all where there are none."""
    deadline = time.monotonic() + seconds
    healthy_since: float | None = None
    while True:
        state = look(services, environment, since, only)
        now = time.monotonic()
        _resume_update(services.cluster_of(environment), state, since)
        healthy_since = (healthy_since or now) if state.settled else None
        if healthy_since is not None and now - healthy_since >= environment.watch_seconds:
            return state
        if stopped():
            raise StepFailed(CANCELED)
        if now > deadline:
            raise DeadlineExceeded(
                _unhealthy(state, seconds), "`docker service ps` tells more; healthy_seconds sets the time."
            )
        time.sleep(_LOOK_SECONDS)


def look(services: Services, environment: Environment, since: str, only: tuple[str, ...] = ()) -> StackState:
    """As it is now. Raises StepFailed where a task has failed since then, in its words."""
    stack = environment.stack_name(services.settings.instance)
    cluster = services.cluster_of(environment)
    state = cluster.patiently(lambda: cluster.stacks.state(stack))
    state = state.only(only) if only else state
    if failure := state.failure(since):
        raise StepFailed(_words(cluster, failure), failure.remedy)
    return state


def _resume_update(cluster: Cluster, state: StackState, since: str) -> None:
    """With updates that stopped over a fault which has passed."""
    for name in (service.name for service in state.services if service.may_go_on(since)):
        _log.warning("an update stopped over a fault that has passed, and goes on", stack=state.name, service=name)
        cluster.patiently(partial(cluster.stacks.resume_update, state.name, name))


def _words(cluster: Cluster, failure: Failure) -> str:
    """Why a service does not come up, in the words of Swarm and of the container itself."""
    own = cluster.stacks.last_words(failure.task) if failure.task else ""
    return f"{failure.service}: {failure.words}" + (f"; {own}" if own else "") + ("." if failure.remedy else "")


def _unhealthy(state: StackState, seconds: float) -> str:
    words = next((task.error for service in state.services for task in service.tasks if task.error), "")
    said = f" The last task's words: {words}." if words else ""
    return f"Not healthy after {seconds:.0f} s: {state.progress}.{said}"


def engine_time(moment: datetime) -> str:
    """As the engine writes times, so that the two compare as text."""
    return (moment - _CLOCK_SKEW).strftime("%Y-%m-%dT%H:%M:%S.%f")
