"""What is started once on the Swarm, and runs to its end: watched, stopped and taken away."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from docker import DockerClient
from docker.errors import APIError, NotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import NodeContainer, Nodes
from cabestan.adapters.passing_faults import engine_start, restarts, start_again
from cabestan.adapters.task_ends import LOST, parse_end
from cabestan.domain import docker_names
from cabestan.domain.labels import ATTEMPT_LABEL, INSTANCE_LABEL
from cabestan.domain.outcome import Exit
from cabestan.errors import DeadlineExceeded, StepFailed

#: How often the engine is asked whether the container is there: somebody waits for the first line.
_LOOK_SECONDS = 0.04
_LOOK_AT_TASKS_SECONDS = 0.5
_START_SECONDS = 300
#: A container that does not end by itself gets this long after SIGTERM.
STOP_SECONDS = 5
WHOLE_LOG = {"max-size": "2g", "max-file": "1"}


class Once(Protocol):
    """What is started once on the Swarm: its objects bear its name and its labels."""

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> dict[str, str]: ...


class Containers:
    """What is started once on the Swarm, watched and taken away. All methods may be called again after a crash."""

    #: how often the engine is asked whether a container is there (seconds)
    look_seconds = _LOOK_SECONDS

    def __init__(self, nodes: Nodes, instance: str) -> None:
        self._nodes = nodes
        self._engine = nodes.manager
        self._instance = instance

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> NodeContainer | Exit:
        """Waits for its container to run (or to have run) and gives it, or says why there will be none."""
        deadline = time.monotonic() + _START_SECONDS
        look_at_tasks = 0.0
        while time.monotonic() < deadline:
            with self._engine.speaking("look for the job's container") as client:
                if found := started_container(client, run):
                    return NodeContainer(found, self._engine)
                if time.monotonic() > look_at_tasks:
                    look_at_tasks = time.monotonic() + _LOOK_AT_TASKS_SECONDS
                    if told := self._elsewhere(client, run) or _never_started(client, run):
                        return told
            if given_up():
                return Exit(None, error="it was canceled before it started")
            time.sleep(self.look_seconds)
        raise DeadlineExceeded(f"No container was started in {_START_SECONDS} s.", "`docker node ls` shows the nodes.")

    def _elsewhere(self, client: DockerClient, run: Once) -> NodeContainer | None:
        """Its container on another node than the one that is asked first."""
        for engine in self._engines_of(client, run)[1:]:
            with engine.speaking("look for the job's container") as there:
                if found := started_container(there, run):
                    return NodeContainer(found, engine)
        return None

    def _engines_of(self, client: DockerClient, run: Once) -> list[Engine]:
        """Of the nodes that may have containers of it: this one, and those on which Swarm has put its tasks."""
        tasks = client.api.tasks(filters={"service": run.name}) if service_named(client, run.name) else []
        on = [self._nodes.of(task["NodeID"]) for task in tasks if task.get("NodeID")]
        return list(dict.fromkeys([self._engine, *on]))

    def exit_of(self, container: NodeContainer) -> Exit | None:
        """How the container ended; None while it runs."""
        with container.engine.speaking("inspect the job's container") as client:
            try:
                state = client.api.inspect_container(container.id)["State"]
            except NotFound:
                return Exit(LOST, error="its container is gone")
        return parse_exit(state)

    def stop(self, run: Once) -> None:
        """Ends its container now, and keeps it, for the rest of its log."""
        with self._engine.speaking("look for the job's container") as client:
            engines = self._engines_of(client, run)
        for engine in engines:
            with engine.speaking("stop the job's container") as client:
                for container in containers_of(client, run):
                    _stop(client, container["Id"])

    def remove(self, run: Once) -> None:
        """Takes away all that it left: service, containers, secret."""
        with self._engine.speaking("remove the job") as client:
            if service := service_named(client, run.name):
                _gone(partial(client.api.remove_service, service["ID"]))
            for container in containers_of(client, run):
                _gone(partial(client.api.remove_container, container["Id"], force=True, v=True))
            for secret in client.api.secrets(filters={"name": run.name}):
                if secret["Spec"]["Name"] == run.name:
                    _gone(partial(client.api.remove_secret, secret["ID"]))

    def _labels_of_all(self, label: str) -> tuple[Mapping[str, str], ...]:
        """Of all services, secrets and containers of this installation that have the label."""
        labels = [f"{INSTANCE_LABEL}={self._instance}", label]
        with self._engine.speaking("list what runs once") as client:
            services = client.api.services(filters={"label": labels})
            secrets = client.api.secrets(filters={"label": labels})
            containers = client.api.containers(all=True, filters={"label": labels})
        own = (c["Labels"] for c in containers if of_service([c], self._name_by(label, c["Labels"])))
        return (*(s["Spec"]["Labels"] for s in (*services, *secrets)), *own)

    def _name_by(self, label: str, labels: Mapping[str, str]) -> str:
        """What the service of a container with these labels is called: `cabestan.job` gives `…-job-5-1`."""
        kind = label.rpartition(".")[2]
        return docker_names.once(self._instance, kind, labels[label], labels.get(ATTEMPT_LABEL, ""))


def parse_exit(state: Mapping[str, Any]) -> Exit | None:
    """The engine's `State` of a container, as an exit; None while it runs or was only created."""
    if state["Status"] not in ("exited", "dead"):
        return None
    return Exit(state["ExitCode"], state.get("OOMKilled", False), state.get("Error", ""))


def of_service(containers: Iterable[Mapping[str, Any]], service: str) -> list[Mapping[str, Any]]:
    """Those that Swarm made for the service, told by their names, `SERVICE.1.…`, and a plain one that is called so.

    Labels do not tell: a container has those of its image too, where a Dockerfile can write any.
    """
    return [
        one
        for one in containers
        if any(name == f"/{service}" or name.startswith(f"/{service}.") for name in one["Names"])
    ]


def service_named(client: DockerClient, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.api.inspect_service(name)
    except NotFound:
        return None
    return found


def containers_of(client: DockerClient, run: Once) -> list[Mapping[str, Any]]:
    """All of its own, as the engine lists them."""
    label = [f"{name}={value}" for name, value in run.labels.items()]
    return of_service(client.api.containers(all=True, filters={"label": label}), run.name)


def started_container(client: DockerClient, run: Once) -> str | None:
    """The first one that was started: Swarm starts a job that failed once more when the engine comes back."""
    started = [c for c in containers_of(client, run) if c["State"] in ("running", "exited", "dead")]
    return str(min(started, key=lambda c: int(c["Created"]))["Id"]) if started else None


def _never_started(client: DockerClient, run: Once) -> Exit | None:
    """Why it never will; what failed over a fault that passes is started again first."""
    service = service_named(client, run.name)
    if not service:
        raise StepFailed(f"The service {run.name} is gone.", "Somebody removed it; retry the job.")
    wanted = restarts(service["Spec"]["TaskTemplate"])
    tasks = [t for t in client.api.tasks(filters={"service": service["ID"]}) if restarts(t["Spec"]) == wanted]
    there = {container["Id"] for container in containers_of(client, run)}
    ended = parse_end(tasks, there)
    if not ended or started_container(client, run):
        return None
    if ended.code is not None:
        return ended
    left = any(map(engine_start(client).left, tasks))
    return None if start_again(client, service, ended.error, left=left) else ended


def _stop(client: DockerClient, container: str) -> None:
    try:
        client.api.stop(container, timeout=STOP_SECONDS)
    except APIError as error:
        if error.status_code not in (304, 404, 409):
            raise


def _gone(remove: Callable[[], object]) -> None:
    try:
        remove()
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # its removal is under way already
            raise
