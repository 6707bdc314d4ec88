"""Jobs as one-shot Swarm services: started, watched and taken away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from docker import DockerClient
from docker.errors import ImageNotFound

from cabestan.adapters.once import STOP_SECONDS, WHOLE_LOG, Containers, Once, containers_of, service_named
from cabestan.adapters.swarm_services import create_service
from cabestan.adapters.task_ends import parse_former_end
from cabestan.domain import docker_names
from cabestan.domain.labels import ATTEMPT_LABEL, INSTANCE_LABEL, JOB_LABEL
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import Job
from cabestan.errors import StepFailed

#: two lines: the job's token, and what it may do in the registry, as `registrytoken` of Docker's `config.json`
TOKEN_FILE = "/run/secrets/job-token"  # noqa: S105
_JOB = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes of memory, and processors; 0: as much as there is."""

    seconds: int
    memory: int = 0
    cpus: float = 0


@dataclass(frozen=True)
class JobContainer:
    """All that a job's container is made of, whatever the job's kind.

    `image` is a name that the engine knows it by, `network` one of the engine's.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    limits: Limits
    network: str = "host"
    #: volumes by name, each with its place in the container
    volumes: Mapping[str, str] = field(default_factory=dict)
    #: places whose files are in memory alone
    tmpfs: tuple[str, ...] = ()
    #: empty: as the image has it
    user: str = ""
    #: it prints to a terminal, so that programs print each line at once, and colours
    terminal: bool = True


@dataclass(frozen=True)
class JobRun:
    """One try at a job. Its objects in Swarm bear its name, so that starting it twice starts it once."""

    instance: str
    job: Job
    attempt: int

    @property
    def name(self) -> str:
        return docker_names.once(self.instance, "job", self.job.id, self.attempt)

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance, JOB_LABEL: str(self.job.id), ATTEMPT_LABEL: str(self.attempt)}


def task_template(run: JobRun, made_of: JobContainer, image: str, secret_id: str | None) -> dict[str, Any]:
    """The `TaskTemplate` of the engine's `POST /services/create`.

    `image` is the id of its image.
    """
    container: dict[str, Any] = {
        "Image": image,
        "Command": list(made_of.command),
        "Env": [f"{name}={value}" for name, value in made_of.environment.items()],
        "Labels": run.labels,
        "User": made_of.user,
        "TTY": made_of.terminal,
        "Init": True,
        "StopGracePeriod": STOP_SECONDS * 10**9,
        "Mounts": [
            *(_volume(name, target) for name, target in made_of.volumes.items()),
            *({"Type": "tmpfs", "Target": target} for target in made_of.tmpfs),
        ],
    }
    if secret_id:
        file = {"Name": "job-token", "UID": "0", "GID": "0", "Mode": 0o444}
        container["Secrets"] = [{"SecretID": secret_id, "SecretName": run.name, "File": file}]
    limits = {"MemoryBytes": made_of.limits.memory, "NanoCPUs": int(made_of.limits.cpus * 10**9)}
    return {
        "ContainerSpec": container,
        "Resources": {"Limits": limits},
        "RestartPolicy": {"Condition": "none"},
        "LogDriver": {"Name": "json-file", "Options": WHOLE_LOG},
        "Networks": [{"Target": made_of.network}],
    }


def _volume(name: str, target: str) -> dict[str, Any]:
    return {"Type": "volume", "Source": name, "Target": target, "VolumeOptions": {"NoCopy": True}}


class JobContainers(Containers):
    """Jobs of pipelines."""

    def start(self, run: JobRun, made_of: JobContainer, token: Callable[[], str] | None) -> None:
        """Starts it, unless it was started before. `token` makes the content of `TOKEN_FILE`, if it needs that."""
        with self._engine.speaking(f"start the job {run.job.name}") as client:
            if service_named(client, run.name):
                return
            image = _image_here(client, made_of.image)
            secret = _make_secret(client, run, token()) if token else None
            create_service(client, run.name, task_template(run, made_of, image, secret), labels=run.labels, mode=_JOB)

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
        return tuple(sorted({(int(found[JOB_LABEL]), int(found[ATTEMPT_LABEL])) for found in labels}))


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
