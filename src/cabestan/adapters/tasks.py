"""Services and tasks as Swarm's API tells them, and what they mean for a deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cabestan.adapters.passing_faults import EngineStart, passes

#: A service whose new tasks failed this often will not come up by itself.
MOST_FAILURES = 3
_ENDED_BADLY = ("failed", "rejected", "orphaned")
_END_WORDS = {"complete": "its container ended, without an error, each time it was started"}
_ENDED_WELL = (
    'A service that does its work and ends has restart: "no" in the Compose file; one that serves must stay in the '
    "foreground."
)
#: what the router looks for
_ROUTED_LABEL = "traefik.enable"
_ENDED = (*_ENDED_BADLY, "complete", "shutdown", "remove")


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
    container: str = ""
    #: its engine went away since it was made: whatever kept it from starting has passed
    engine_left: bool = False
    #: of its container, where that has ended
    exit_code: int | None = None

    @property
    def moment(self) -> datetime:
        """When it came to this state."""
        return datetime.fromisoformat(self.since)

    @property
    def live(self) -> bool:
        return self.wanted == self.state == "running"

    @property
    def fault_passes(self) -> bool:
        """Whether it ended for something that another start may not meet."""
        return self.engine_left or passes(self.error)


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
    #: requests from outside lead to it
    routed: bool = False
    #: how many bytes of it each container may use; 0 for as many as there are
    memory: int = 0

    @property
    def live(self) -> int:
        """How many run, also of those that an update has not reached yet."""
        return sum(1 for task in self.tasks if task.live)

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

    def failure(self, since: str) -> "Failure | None":
        """Why it will not come up; None while it may. `since`: when the deployment began, in the engine's form."""
        failed = self._failed(since)
        task = failed[0] if failed else None
        if self._held_up(failed):
            return None
        if self.update in ("paused", "rollback_paused", "rollback_completed", "rollback_started"):
            return Failure(self.name, task, (task.error if task else "") or self.update_message or self.update)
        hopeless = self.one_shot or len(failed) >= MOST_FAILURES
        if task and (hopeless or (task.state == "rejected" and not task.fault_passes)):
            return Failure(self.name, task, task.error or _END_WORDS.get(task.state, f"its container {task.state}"))
        return None

    def may_go_on(self, since: str) -> bool:
        """Whether its update stopped over a fault that has passed: Swarm has started again what failed.

        Not before that runs, for an update that goes on takes the former task of its slot away at once.
        """
        failed = self._failed(since)
        slots = {task.slot for task in self.tasks if task.current and task.wanted == task.state == "running"}
        return self._held_up(failed) and slots.issuperset(task.slot for task in failed)

    def _failed(self, since: str) -> list[TaskState]:
        ended = _ENDED_BADLY if self.one_shot else (*_ENDED_BADLY, "complete")
        return [t for t in self.tasks if t.current and t.state in ended and t.since > since]

    def _held_up(self, failed: Sequence[TaskState]) -> bool:
        """By a fault that passes; what is never started again is not held up, it has failed."""
        few = 0 < len(failed) < MOST_FAILURES and not self.one_shot
        return few and self.update == "paused" and all(task.fault_passes for task in failed)


@dataclass(frozen=True)
class StackState:
    name: str
    services: tuple[ServiceState, ...]

    @property
    def settled(self) -> bool:
        return all(service.settled for service in self.services)

    @property
    def stopped(self) -> bool:
        """No task runs any more, nor is about to. One that is told to end counts until it has."""
        return all(task.state in _ENDED for service in self.services for task in service.tasks)

    def only(self, names: tuple[str, ...]) -> "StackState":
        """Of these services."""
        return StackState(self.name, tuple(service for service in self.services if service.name in names))

    def failure(self, since: str) -> "Failure | None":
        """Of the first service that failed; None while none has."""
        return next((failure for service in self.services if (failure := service.failure(since))), None)

    @property
    def progress(self) -> str:
        """For people: `web 1/2, worker 1/1`."""
        return ", ".join(f"{s.name} {s.running}/{s.replicas}" for s in self.services if not s.one_shot)


@dataclass(frozen=True)
class Failure:
    """A service will not come up. `task` is the one that tells why, where there is one; `words` are Swarm's."""

    service: str
    task: TaskState | None
    words: str

    @property
    def remedy(self) -> str:
        """What to do about it, where that can be told."""
        return _ENDED_WELL if self.task and self.task.state == "complete" else ""


def parse_stack(
    stack: str,
    services: Sequence[Mapping[str, Any]],
    tasks: Sequence[Mapping[str, Any]],
    engine: EngineStart | None = None,
) -> StackState:
    """From the answers of `GET /services` and `GET /tasks`; `engine` is known where a task ended badly."""
    parsed = (_service(stack, s, [t for t in tasks if t["ServiceID"] == s["ID"]], engine) for s in services)
    return StackState(stack, tuple(sorted(parsed, key=lambda service: service.name)))


def ended_badly(task: Mapping[str, Any]) -> bool:
    """Of an answer of `GET /tasks`."""
    return task["Status"]["State"] in _ENDED_BADLY


def _service(
    stack: str,
    service: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    engine: EngineStart | None,
) -> ServiceState:
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
        tasks=tuple(_task(task, spec["TaskTemplate"], engine) for task in newest_first),
        routed=(spec.get("Labels") or {}).get(_ROUTED_LABEL) == "true",
        memory=_memory(spec["TaskTemplate"]),
    )


def _memory(template: Mapping[str, Any]) -> int:
    limits = (template.get("Resources") or {}).get("Limits") or {}
    return int(limits.get("MemoryBytes", 0))


def _never_restarts(spec: Mapping[str, Any]) -> bool:
    return bool((spec["TaskTemplate"].get("RestartPolicy") or {}).get("Condition") == "none")


def _task(task: Mapping[str, Any], wanted: Mapping[str, Any], engine: EngineStart | None) -> TaskState:
    status = task["Status"]
    container = status.get("ContainerStatus") or {}
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
        container=container.get("ContainerID", ""),
        engine_left=ended_badly(task) and engine is not None and engine.left(task),
        exit_code=container.get("ExitCode") if status["State"] in _ENDED else None,
    )


def _same_work(task: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a task does what the template asks for. Networks are left out: Swarm writes them differently in tasks."""
    compared = ("ContainerSpec", "Resources", "Placement", "ForceUpdate")
    return bool(
        _present({key: task.get(key) for key in compared}) == _present({key: wanted.get(key) for key in compared})
    )


def _present(value: Any) -> Any:
    """Without what is empty: an absent key and an empty one mean the same."""
    if isinstance(value, Mapping):
        return {key: shown for key, inner in value.items() if (shown := _present(inner)) not in (None, {}, [], "", 0)}
    return value


def _exit_words(status: Mapping[str, Any]) -> str:
    code = (status.get("ContainerStatus") or {}).get("ExitCode", 0)
    return f"exit code {code}" if code else ""
