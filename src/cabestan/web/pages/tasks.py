"""Services and tasks of an environment, in Swarm's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.adapters.tasks import ServiceState, TaskState
from cabestan.domain.observed import WELL
from cabestan.engine.observing.judging import judged
from cabestan.web.pages.states import State, state, task_state

#: tasks shown of one service, and former ones beside them
_MOST_PRESENT, _MOST_ENDED = 40, 10


@dataclass(frozen=True)
class TaskView:
    """One task of a service, in the engine's words. `node` is empty where the Swarm has one alone.

    `since` is when it came to its state: of one that ended, when it did.
    """

    name: str
    state: State
    node: str
    error: str
    since: datetime


@dataclass(frozen=True)
class ServiceView:
    """`replicas`: `2 of 3`. `ended` are former tasks, the newest first: all but one where there is no other to show."""

    name: str
    state: State
    replicas: str
    image: str
    tasks: tuple[TaskView, ...]
    ended: tuple[TaskView, ...] = ()
    #: how many are wanted; None of what ends by itself, and is not started, stopped or scaled
    wanted: int | None = None


def service_view(service: ServiceState, nodes: Mapping[str, str], now: datetime) -> ServiceView:
    """`nodes`: the host name of each node of the Swarm, by its id."""
    ordered = sorted(service.tasks, key=lambda task: task.since, reverse=True)
    ordered.sort(key=lambda task: (task.wanted != "running", task.slot if task.wanted == "running" else 0))
    present = min(sum(service.one_shot or task.wanted == "running" for task in ordered) or 1, _MOST_PRESENT)
    tasks = tuple(_task(service.name, task, nodes) for task in ordered[: present + _MOST_ENDED])
    return ServiceView(
        name=service.name,
        state=_state(service, now),
        replicas=f"{service.live} of {service.replicas}",
        image=_short(service.image),
        tasks=tasks[:present],
        ended=tasks[present:],
        wanted=None if service.one_shot else service.replicas,
    )


def _state(service: ServiceState, now: datetime) -> State:
    """As everywhere, but for what is only just starting."""
    if service.one_shot:
        return task_state("complete" if service.settled else "running")
    found = judged(service, now)
    starting = found.condition not in WELL and not found.last_exit
    return task_state("starting") if starting else state(found.condition)


def _task(service: str, task: TaskState, nodes: Mapping[str, str]) -> TaskView:
    name = f"{service}.{task.slot}" if task.slot else service
    node = nodes.get(task.node, task.node) if len(nodes) > 1 else ""
    return TaskView(name, task_state(task.state), node, task.error, task.moment)


def _short(image: str) -> str:
    """Without the registry's address, and the digest's first twelve digits."""
    name, _, digest = image.rpartition("@sha256:")
    registry, slash, path = (name or digest).partition("/")
    shown = path if slash and (":" in registry or "." in registry) else name or digest
    return f"{shown}@sha256:{digest[:12]}" if name else shown
