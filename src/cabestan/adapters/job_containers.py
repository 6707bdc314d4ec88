"""Jobs as plain containers: started, watched and taken away."""

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import ImageNotFound

from cabestan.adapters.node_engines import NodeContainer
from cabestan.adapters.once import (
    STOP_SECONDS,
    WHOLE_LOG,
    Containers,
    Once,
    containers_of,
    service_named,
    started_container,
)
from cabestan.adapters.task_ends import LOST, parse_former_end
from cabestan.compose.sizes import excess
from cabestan.domain import docker_names
from cabestan.domain.labels import ATTEMPT_LABEL, INSTANCE_LABEL, JOB_LABEL
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import Job
from cabestan.errors import StepFailed

#: two lines: the job's token, and what it may do in the registry, as `registrytoken` of Docker's `config.json`
TOKEN_FILE = "/run/secrets/job-token"  # noqa: S105


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes of memory, and processors; 0: as much as there is."""

    seconds: int
    memory: int = 0
    cpus: float = 0


@dataclass(frozen=True)
class Volume:
    """One of the engine's, by its name, and its place in the container."""

    name: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class JobContainer:
    """All that a job's container is made of, whatever the job's kind.

    `image` is a name that the engine knows it by, `network` one of the engine's.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    limits: Limits
    network: str = "none"
    volumes: tuple[Volume, ...] = ()
    #: places whose files are in memory alone
    tmpfs: tuple[str, ...] = ()
    #: empty: as the image has it
    user: str = ""
    #: it prints to a terminal, so that programs print each line at once, and colours
    terminal: bool = True


@dataclass(frozen=True)
class JobRun:
    """One try at a job. Its container bears its name, so that starting it twice starts it once."""

    instance: str
    job: Job
    attempt: int

    @property
    def name(self) -> str:
        return docker_names.once(self.instance, "job", self.job.id, self.attempt)

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance, JOB_LABEL: str(self.job.id), ATTEMPT_LABEL: str(self.attempt)}


def config(run: JobRun, made_of: JobContainer, image: str) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`. `image` is the id of its image."""
    return {
        "Image": image,
        "Entrypoint": list(made_of.command),
        "Env": [f"{name}={value}" for name, value in made_of.environment.items()],
        "Labels": run.labels,
        "User": made_of.user,
        "Tty": made_of.terminal,
        "StopTimeout": STOP_SECONDS,
        "HostConfig": {
            "NetworkMode": made_of.network,
            "Init": True,
            "Mounts": [
                *(_mount(volume) for volume in made_of.volumes),
                *({"Type": "tmpfs", "Target": target} for target in made_of.tmpfs),
            ],
            "Memory": made_of.limits.memory,
            "NanoCpus": int(made_of.limits.cpus * 10**9),
            "LogConfig": {"Type": "json-file", "Config": WHOLE_LOG},
        },
    }


def _mount(volume: Volume) -> dict[str, Any]:
    place = {"Type": "volume", "Source": volume.name, "Target": volume.target, "ReadOnly": volume.read_only}
    return {**place, "VolumeOptions": {"NoCopy": True}}


class JobContainers(Containers):
    """Jobs of pipelines. Earlier versions ran them as Swarm services: such a one is followed to its end, too."""

    def start(self, run: JobRun, made_of: JobContainer, token: Callable[[], str] | None) -> None:
        """Starts it, unless it was started before. `token` makes the content of `TOKEN_FILE`, if it needs that."""
        with self._engine.speaking(f"start the job {run.job.name}") as client:
            if started_container(client, run) or service_named(client, run.name):
                return
            # what was made and not started may have a token that nobody knows any more
            for container in containers_of(client, run):
                client.api.remove_container(container["Id"], force=True)
            _refuse_excess(run, made_of)
            image = _image_here(client, made_of.image)
            made: str = client.api.create_container_from_config(config(run, made_of, image), name=run.name)["Id"]
            if token:
                client.api.put_archive(made, "/", _archive(TOKEN_FILE, token().encode()))
            client.api.start(made)

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> NodeContainer | Exit:
        with self._engine.speaking("look for the job's container") as client:
            if not service_named(client, run.name):
                found = started_container(client, run)
                return NodeContainer(found, self._engine) if found else Exit(LOST, error="its container is gone")
        return self._of_service(run, given_up)

    def _of_service(self, run: Once, given_up: Callable[[], bool]) -> NodeContainer | Exit:
        """Not the one that Swarm starts when it comes back, in the place of one that failed and is gone."""
        found = super().container(run, given_up=given_up)
        if isinstance(found, Exit):
            return found
        with self._engine.speaking("look at the job's tasks") as client:
            tasks = client.api.tasks(filters={"label": [f"{name}={value}" for name, value in run.labels.items()]})
            there = {container["Id"] for container in containers_of(client, run)}
        return parse_former_end(tasks, found.id, there) or found

    def left_over(self) -> tuple[tuple[int, int], ...]:
        """Job id and attempt of everything that is there, whatever it is."""
        labels = self._labels_of_all(JOB_LABEL)
        return tuple(sorted({(int(found[JOB_LABEL]), int(found[ATTEMPT_LABEL])) for found in labels}))


def _refuse_excess(run: JobRun, made_of: JobContainer) -> None:
    """What no process could be given is told before it is tried."""
    if wrong := excess(made_of.environment, made_of.command):
        raise StepFailed(f"{run.name} cannot be started: {wrong.message}", wrong.remedy)


def _image_here(client: DockerClient, name: str) -> str:
    """Its id on this engine."""
    try:
        return str(client.images.get(name).id)
    except ImageNotFound as error:
        raise StepFailed(f"The image {name} is not on this engine.", "`cabestan up` builds it.") from error


def _archive(path: str, content: bytes) -> bytes:
    """For all to read who may be in the container."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode, entry.mtime = len(content), 0o444, time.time()
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
