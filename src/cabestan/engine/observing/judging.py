"""What Swarm says of services, as people want to know it."""

from datetime import datetime

from cabestan.adapters.tasks import ServiceState, TaskState
from cabestan.domain.observed import LOOPING_WITHIN, LastExit, SeenService, service_condition

_ENDED = ("failed", "rejected", "orphaned", "complete")


def judged(service: ServiceState, now: datetime) -> SeenService:
    """Without the last words of its containers, which their engine has."""
    ends = sorted((task for task in service.tasks if _ended(task)), key=lambda task: task.moment)
    recent = sum(1 for task in ends if now - task.moment <= LOOPING_WITHIN)
    restarts = recent if service.replicas else 0  # what was stopped ends no more
    return SeenService(
        name=service.name,
        condition=service_condition(service.replicas, service.live, restarts),
        wanted=service.replicas,
        running=service.live,
        restarts=restarts,
        last_exit=_exit(ends[-1]) if ends else None,
        routed=service.routed,
        update=service.update,
        memory=service.memory,
        nodes=tuple(sorted({task.node for task in service.tasks if task.state == "running"})),
    )


def _ended(task: TaskState) -> bool:
    """By itself, of what is wanted now: not one that an update or a stop has ended."""
    return task.current and task.state in _ENDED


def _exit(task: TaskState) -> LastExit:
    return LastExit(task.moment, task.exit_code if task.container else None, task=task.id)
