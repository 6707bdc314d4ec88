"""Services and tasks as Swarm's API tells them, and what they mean for a deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: A service whose new tasks failed this often will not come up by itself.
MOST_FAILURES = 3
_ENDED_BADLY = ("failed", "rejected", "orphaned")


@dataclass(frozen=True)
class TaskState:
    """`current`: runs what the service asks for now, not what it asked for before."""

    id: str
    slot: int
    state: str
    wanted: str
    error: str
    image: str
    current: bool
    since: str
    node: str


@dataclass(frozen=True)
class ServiceState:
    """`replicas` are wanted. `update` is Swarm's word on a rolling update, empty where there was none."""

    name: str
    image: str
    replicas: int
    one_shot: bool
    update: str
    update_message: str
    tasks: tuple[TaskState, ...]

    @property
    def running(self) -> int:
        return sum(1 for task in self.tasks if task.current and task.wanted == "running" and task.state == "running")

    @property
    def settled(self) -> bool:
        """All wanted tasks run what is wanted, healthy, and none of the former ones is left."""
        if self.one_shot:
            return sum(1 for t in self.tasks if t.current and t.state in ("complete", "running")) >= self.replicas
        former = any(not task.current and task.wanted == "running" for task in self.tasks)
        return self.running >= self.replicas and not former

    def failure(self, since: str) -> str:
        """Why it will not come up, in the words of the task; empty while it may. `since`: when the deployment began."""
        failed = [t for t in self.tasks if t.current and t.state in _ENDED_BADLY and t.since > since]
        words = failed[0].error if failed else ""
        if self.update in ("paused", "rollback_paused", "rollback_completed", "rollback_started"):
            return words or self.update_message or f"Swarm {self.update} the update"
        if failed and (self.one_shot or len(failed) >= MOST_FAILURES or failed[0].state == "rejected"):
            return words
        return ""


@dataclass(frozen=True)
class StackState:
    name: str
    services: tuple[ServiceState, ...]

    @property
    def settled(self) -> bool:
        return all(service.settled for service in self.services)

    def failure(self, since: str) -> str:
        """The first service that failed and why; empty while none has."""
        for service in self.services:
            if why := service.failure(since):
                return f"{service.name}: {why}"
        return ""

    @property
    def progress(self) -> str:
        """For people: `web 1/2, worker 1/1`."""
        return ", ".join(f"{s.name} {s.running}/{s.replicas}" for s in self.services if not s.one_shot)


def parse_stack(stack: str, services: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]) -> StackState:
    """From the answers of `GET /services` and `GET /tasks`."""
    parsed = (_service(stack, s, [t for t in tasks if t["ServiceID"] == s["ID"]]) for s in services)
    return StackState(stack, tuple(sorted(parsed, key=lambda service: service.name)))


def _service(stack: str, service: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> ServiceState:
    spec = service["Spec"]
    mode, update = spec["Mode"], service.get("UpdateStatus") or {}
    job = mode.get("ReplicatedJob")
    replicas = job["TotalCompletions"] if job else mode.get("Replicated", {}).get("Replicas", 1)
    newest_first = sorted(tasks, key=lambda task: str(task["CreatedAt"]), reverse=True)
    return ServiceState(
        name=spec["Name"].removeprefix(f"{stack}_"),
        image=spec["TaskTemplate"]["ContainerSpec"]["Image"],
        replicas=replicas,
        one_shot=job is not None or _never_restarts(spec),
        update=update.get("State", ""),
        update_message=update.get("Message", ""),
        tasks=tuple(_task(task, spec["TaskTemplate"]) for task in newest_first),
    )


def _never_restarts(spec: Mapping[str, Any]) -> bool:
    return bool((spec["TaskTemplate"].get("RestartPolicy") or {}).get("Condition") == "none")


def _task(task: Mapping[str, Any], wanted: Mapping[str, Any]) -> TaskState:
    status = task["Status"]
    return TaskState(
        id=task["ID"],
        slot=task.get("Slot", 0),
        state=status["State"],
        wanted=task["DesiredState"],
        error=status.get("Err", "") or _exit_words(status),
        image=task["Spec"]["ContainerSpec"]["Image"],
        current=_same_work(task["Spec"], wanted),
        since=status["Timestamp"],
        node=task.get("NodeID", ""),
    )


def _same_work(task: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a task does what the template asks for. Networks are left out: Swarm writes them differently in tasks."""
    compared = ("ContainerSpec", "Resources", "Placement", "ForceUpdate")
    return all(_present(task.get(key)) == _present(wanted.get(key)) for key in compared)


def _present(value: Any) -> Any:
    """Without what is empty: an absent key and an empty one mean the same."""
    if isinstance(value, Mapping):
        return {key: shown for key, inner in value.items() if (shown := _present(inner)) not in (None, {}, [], "", 0)}
    return value


def _exit_words(status: Mapping[str, Any]) -> str:
    code = (status.get("ContainerStatus") or {}).get("ExitCode", 0)
    return f"exit code {code}" if code else ""
