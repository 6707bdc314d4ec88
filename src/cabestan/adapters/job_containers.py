"""Jobs as one-shot Swarm services: started, watched and taken away."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from docker import DockerClient
from docker.errors import APIError, ImageNotFound, NotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.passing_faults import engine_start, restarts, start_again
from cabestan.adapters.swarm_services import create_service
from cabestan.adapters.task_ends import LOST, parse_end, parse_former_end
from cabestan.domain.pipeline import Exit, Job
from cabestan.errors import DeadlineExceeded, StepFailed

#: What names every object of ours.
INSTANCE_LABEL = "cabestan.instance"
JOB_LABEL = "cabestan.job"
#: two lines: the job's token, and what it may do in the registry, as `registrytoken` of Docker's `config.json`
TOKEN_FILE = "/run/secrets/job-token"  # noqa: S105
#: How often the engine is asked whether the container is there: somebody waits for the first line.
_LOOK_SECONDS = 0.04
_LOOK_AT_TASKS_SECONDS = 0.5
_START_SECONDS = 300
#: A container that does not end by itself gets this long after SIGTERM.
_STOP_SECONDS = 5
WHOLE_LOG = {"max-size": "2g", "max-file": "1"}
_JOB = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}


class Once(Protocol):
    """What is started once on the Swarm: its objects bear its name and its labels."""

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class JobRun:
    """One try at a job. Its objects in Swarm bear its name, so that starting it twice starts it once."""

    instance: str
    job: Job
    attempt: int
    environment: Mapping[str, str]
    #: volumes by name, each with its place in the container
    volumes: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.instance}-job-{self.job.id}-{self.attempt}"

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance, JOB_LABEL: str(self.job.id), "cabestan.attempt": str(self.attempt)}


def task_template(run: JobRun, image: str, secret_id: str | None) -> dict[str, Any]:
    """The `TaskTemplate` of the engine's `POST /services/create`, for a job.

    `image` is the id of its image.
    """
    container: dict[str, Any] = {
        "Image": image,
        "Command": ["/bin/bash", "-c"],
        "Args": [run.job.spec.script],
        "Env": [f"{name}={value}" for name, value in run.environment.items()],
        "Labels": run.labels,
        "TTY": True,
        "Init": True,
        "StopGracePeriod": _STOP_SECONDS * 10**9,
        "Mounts": [
            {"Type": "volume", "Source": name, "Target": target, "VolumeOptions": {"NoCopy": True}}
            for name, target in run.volumes.items()
        ],
    }
    if secret_id:
        file = {"Name": "job-token", "UID": "0", "GID": "0", "Mode": 0o444}
        container["Secrets"] = [{"SecretID": secret_id, "SecretName": run.name, "File": file}]
    return {
        "ContainerSpec": container,
        "RestartPolicy": {"Condition": "none"},
        "LogDriver": {"Name": "json-file", "Options": WHOLE_LOG},
        "Networks": [{"Target": "host"}],
    }


class Containers:
    """What is started once on the Swarm, watched and taken away. All methods may be called again after a crash."""

    #: how often the engine is asked whether a container is there (seconds)
    look_seconds = _LOOK_SECONDS

    def __init__(self, engine: Engine, instance: str) -> None:
        self._engine = engine
        self._instance = instance

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> str | Exit:
        """Waits for its container to run (or to have run) and gives its id, or says why there will be none."""
        deadline = time.monotonic() + _START_SECONDS
        look_at_tasks = 0.0
        while time.monotonic() < deadline:
            with self._engine.speaking("look for the job's container") as client:
                if found := _started_container(client, run):
                    return found
                if time.monotonic() > look_at_tasks:
                    look_at_tasks = time.monotonic() + _LOOK_AT_TASKS_SECONDS
                    if ended := _never_started(client, run):
                        return ended
            if given_up():
                return Exit(None, error="it was canceled before it started")
            time.sleep(self.look_seconds)
        raise DeadlineExceeded(f"No container was started in {_START_SECONDS} s.", "`docker node ls` shows the nodes.")

    def exit_of(self, container: str) -> Exit | None:
        """How the container ended; None while it runs."""
        with self._engine.speaking("inspect the job's container") as client:
            try:
                state = client.api.inspect_container(container)["State"]
            except NotFound:
                return Exit(LOST, error="its container is gone")
        return parse_exit(state)

    def stop(self, run: Once) -> None:
        """Ends its container now, and keeps it, for the rest of its log."""
        with self._engine.speaking("stop the job's container") as client:
            for container in containers_of(client, run):
                try:
                    client.api.stop(container["Id"], timeout=_STOP_SECONDS)
                except APIError as error:
                    if error.status_code not in (304, 404, 409):
                        raise

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
        return f"{self._instance}-{label.rpartition('.')[2]}-{labels[label]}-{labels.get('cabestan.attempt', '')}"


class JobContainers(Containers):
    """Jobs of pipelines."""

    def start(self, run: JobRun, token: Callable[[], str] | None) -> None:
        """Starts it, unless it was started before. `token` makes the content of `TOKEN_FILE`, if it needs that."""
        with self._engine.speaking(f"start the job {run.job.name}") as client:
            if service_named(client, run.name):
                return
            image = _image_here(client, run.job.spec.image)
            secret = _make_secret(client, run, token()) if token else None
            create_service(client, run.name, task_template(run, image, secret), labels=run.labels, mode=_JOB)

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> str | Exit:
        """Not the one that Swarm starts when it comes back, in the place of one that failed and is gone."""
        found = super().container(run, given_up=given_up)
        if isinstance(found, Exit):
            return found
        with self._engine.speaking("look at the job's tasks") as client:
            tasks = client.api.tasks(filters={"label": [f"{name}={value}" for name, value in run.labels.items()]})
            there = {container["Id"] for container in containers_of(client, run)}
        return parse_former_end(tasks, found, there) or found

    def left_over(self) -> tuple[tuple[int, int], ...]:
        """Job id and attempt of everything that is there, services and secrets alike."""
        labels = self._labels_of_all(JOB_LABEL)
        return tuple(sorted({(int(found[JOB_LABEL]), int(found["cabestan.attempt"])) for found in labels}))


def parse_exit(state: Mapping[str, Any]) -> Exit | None:
    """The engine's `State` of a container, as an exit; None while it runs or was only created."""
    if state["Status"] not in ("exited", "dead"):
        return None
    return Exit(state["ExitCode"], state.get("OOMKilled", False), state.get("Error", ""))


def of_service(containers: Iterable[Mapping[str, Any]], service: str) -> list[Mapping[str, Any]]:
    """Those that Swarm made for the service, told by their names: `SERVICE.1.…`.

    Labels do not tell: a container has those of its image too, where a Dockerfile can write any.
    """
    return [one for one in containers if any(name.startswith(f"/{service}.") for name in one["Names"])]


def service_named(client: DockerClient, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.api.inspect_service(name)
    except NotFound:
        return None
    return found


def _image_here(client: DockerClient, name: str) -> str:
    """Its id on this engine. By its name, Swarm would ask the public hub first.

    It would wait for the answer, 20 s where none comes, and run what a stranger may have put there under this name.
    """
    try:
        return str(client.images.get(name).id)
    except ImageNotFound as error:
        raise StepFailed(f"The image {name} is not on this engine.", "`cabestan up` builds it.") from error


def _make_secret(client: DockerClient, run: JobRun, token: str) -> str:
    """Anew each time: what an earlier start left holds a token that nobody knows any more."""
    for secret in client.api.secrets(filters={"name": run.name}):
        if secret["Spec"]["Name"] == run.name:
            client.api.remove_secret(secret["ID"])
    key: str = client.api.create_secret(run.name, token.encode(), labels=run.labels)["ID"]
    return key


def containers_of(client: DockerClient, run: Once) -> list[Mapping[str, Any]]:
    """All of its own, as the engine lists them."""
    label = [f"{name}={value}" for name, value in run.labels.items()]
    return of_service(client.api.containers(all=True, filters={"label": label}), run.name)


def _started_container(client: DockerClient, run: Once) -> str | None:
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
    if not ended or _started_container(client, run):
        return None
    if ended.code is not None:
        return ended
    left = any(map(engine_start(client).left, tasks))
    return None if start_again(client, service, ended.error, left=left) else ended


def _gone(remove: Callable[[], object]) -> None:
    try:
        remove()
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # its removal is under way already
            raise
