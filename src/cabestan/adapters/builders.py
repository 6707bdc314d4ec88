"""Builders: for each project a Docker engine in a container, to which its builds speak and nothing else does."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker import DockerClient
from docker.errors import APIError, ImageNotFound, NotFound

from cabestan.adapters.build_gate import GateSpec, close_gate, ensure_gate
from cabestan.adapters.engine_api import Engine
from cabestan.domain import docker_names
from cabestan.domain.labels import BUILDER_LABEL, INSTANCE_LABEL, SETTINGS_LABEL
from cabestan.errors import Conflict, StepFailed

#: where its socket is, in the volume that a build's job gets
RUN_FOLDER = "/run/builder"
_AUTHORITIES = "/usr/local/share/ca-certificates/extra.crt"
#: what an engine needs to make containers; `--privileged` has some forty
_CAPABILITIES = ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"]
_PIDS = 4096
#: a quarter of what a container has by default, and so of the applications'
_CPU_SHARES = 256
_STOP_SECONDS = 10
_TOO_MUCH = 2
#: the user ids of what Dockerfiles run, out of a range that no account of a machine has; each project has its own
_FIRST_ID, _IDS, _RANGES = 2**20, 2**16, 30_000


@dataclass(frozen=True)
class BuilderSpec:
    """One project's builder, as the settings have it.

    `memory` and `disk` in bytes; `reach` as `images/builder/serve-builds` takes it; `host_addresses` are those of this
    machine; `environment` are the proxies, `authorities` further ones as PEM.
    """

    instance: str
    project_id: int
    image: str
    registry_port: int
    #: HOST:PORT of our own server
    server: str
    memory: int
    disk: int
    reach: str
    host_addresses: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    authorities: bytes = b""

    @property
    def name(self) -> str:
        return docker_names.builder(self.instance, self.project_id)

    @property
    def socket_volume(self) -> str:
        return docker_names.builder_socket(self.instance, self.project_id)

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance, BUILDER_LABEL: str(self.project_id)}

    def settings(self, image_id: str) -> str:
        """A hash over all that takes a new container to change.

        Addresses of the machine come and go with Docker's own networks, which no build reaches in any case.
        """
        kept = (image_id, self.registry_port, self.memory, self.disk, self.reach)
        return hashlib.sha256(repr((kept, dict(self.environment), self.authorities)).encode()).hexdigest()


def host_config(spec: BuilderSpec, cgroup_version: str) -> dict[str, Any]:
    """The `HostConfig` of the engine's `POST /containers/create`.

    Nothing of `/proc` is hidden in it: only so may its containers have user namespaces of their own.
    """
    binds = [f"{spec.name}:/var/lib/docker", f"{spec.socket_volume}:{RUN_FOLDER}"]
    if cgroup_version == "1":
        binds.append("/sys/fs/cgroup:/sys/fs/cgroup:rw")
    return {
        "Binds": binds,
        "CapAdd": _CAPABILITIES,
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "MaskedPaths": [],
        "ReadonlyPaths": [],
        "Tmpfs": {"/run": ""},
        "NetworkMode": spec.name,
        "Init": True,
        "Memory": spec.memory,
        "MemorySwap": spec.memory,
        "CpuShares": _CPU_SHARES,
        "PidsLimit": _PIDS,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
    }


def environment(spec: BuilderSpec, cgroup_version: str) -> dict[str, str]:
    return {
        **spec.environment,
        "BUILDS_REGISTRY": str(spec.registry_port),
        "BUILDS_FIRST_ID": str(_FIRST_ID + spec.project_id % _RANGES * _IDS),
        "BUILDS_KEEP": str(spec.disk),
        "BUILDS_HOST": " ".join(spec.host_addresses),
        "BUILDS_REACH": spec.reach,
        "BUILDS_CGROUP": cgroup_version,
    }


class Builders:
    """Starts and stops them. Each method may be called again after a crash; none twice at a time for one project."""

    def __init__(self, engine: Engine, instance: str) -> None:
        self._engine = engine
        self._instance = instance
        #: held by who decides which of them are to run
        self.alone = threading.Lock()

    def ensure(self, spec: BuilderSpec, *, in_use: bool) -> None:
        """Has it run, and the gate for the job, though its engine may take two seconds more to answer.

        One that runs with other settings is made anew, unless it is `in_use`.
        """
        with self._engine.speaking(f"start the builder {spec.name}") as client:
            image = _image_id(client, spec.image)
            ensure_gate(client, GateSpec(spec.instance, image, spec.server, f"127.0.0.1:{spec.registry_port}"))
            settings = spec.settings(image)
            found = _found(client, spec.name)
            running = found and _refuse_foreign(found, spec).status == "running"
            if found and running and (in_use or found.labels.get(SETTINGS_LABEL) == settings):
                return
            self._stop(client, spec.name)
            _start(client, spec, settings, str(client.info().get("CgroupVersion", "1")))

    def close_gate(self) -> None:
        """Of all builds; the next one opens it again."""
        with self._engine.speaking("close the way to the server") as client:
            close_gate(client, self._instance)

    def running(self) -> tuple[int, ...]:
        """The ids of the projects whose builder is there."""
        with self._engine.speaking("list the builders") as client:
            label = [f"{INSTANCE_LABEL}={self._instance}", BUILDER_LABEL]
            found = client.api.containers(all=True, filters={"label": label})
        # a label of an image would be a container's, too: names are what the platform alone gives
        own = (int(one["Labels"][BUILDER_LABEL]) for one in found if one["Labels"][BUILDER_LABEL].isdecimal())
        names = {name for one in found for name in one["Names"]}
        return tuple(sorted(key for key in own if f"/{docker_names.builder(self._instance, key)}" in names))

    def stop(self, project_id: int, disk: int) -> None:
        """Takes container and network away. What its engine keeps stays for the next build, if it has not outgrown
        its bound by far: its own engine bounds the cache, not the images that builds begin with.
        """
        if self.size(project_id) > _TOO_MUCH * disk:
            self.forget(project_id)
            return
        name = docker_names.builder(self._instance, project_id)
        with self._engine.speaking(f"stop the builder {name}") as client:
            self._stop(client, name)

    def size(self, project_id: int) -> int:
        """Bytes that it has on the disk; 0 where it does not run."""
        with self._engine.speaking("measure a builder") as client:
            found = _found(client, docker_names.builder(self._instance, project_id))
            if found is None or found.status != "running":
                return 0
            code, output = found.exec_run(["du", "-s", "--block-size=1", "/var/lib/docker"])
            return int(output.split()[0]) if output[:1].isdigit() and code in (0, 1) else 0

    def forget(self, project_id: int) -> None:
        """Takes away what it kept, too."""
        with self._engine.speaking("remove a builder") as client:
            name = docker_names.builder(self._instance, project_id)
            self._stop(client, name)
            for volume in (name, docker_names.builder_socket(self._instance, project_id)):
                try:
                    client.api.remove_volume(volume, force=True)
                except NotFound:
                    continue

    def _stop(self, client: DockerClient, name: str) -> None:
        found = _found(client, name)
        if found:
            found.stop(timeout=_STOP_SECONDS)
            found.remove(force=True)
        for network in client.networks.list(names=[name]):
            if network.name == name and network.attrs["Labels"].get(INSTANCE_LABEL) == self._instance:
                network.remove()


def _start(client: DockerClient, spec: BuilderSpec, settings: str, cgroup_version: str) -> None:
    for volume in (spec.name, spec.socket_volume):
        client.api.create_volume(volume, labels=spec.labels)
    client.networks.create(spec.name, driver="bridge", labels=spec.labels, check_duplicate=True)
    made = client.api.create_container_from_config(
        {
            "Image": spec.image,
            "Cmd": ["/usr/local/sbin/serve-builds"],
            "Env": [f"{name}={value}" for name, value in environment(spec, cgroup_version).items()],
            "Labels": {**spec.labels, SETTINGS_LABEL: settings},
            "HostConfig": host_config(spec, cgroup_version),
        },
        name=spec.name,
    )
    if spec.authorities:
        client.api.put_archive(made["Id"], "/", _archive(_AUTHORITIES, spec.authorities))
    try:
        client.api.start(made["Id"])
    except APIError as error:
        remedy = "docs/images.md tells what a builder needs of the machine."
        raise StepFailed(f"The builder {spec.name} cannot start: {error.explanation}.", remedy) from error


def _image_id(client: DockerClient, image: str) -> str:
    try:
        return str(client.images.get(image).id)
    except ImageNotFound as error:
        raise StepFailed(f"The image {image} is not on this engine.", "`cabestan up` builds it.") from error


def _found(client: DockerClient, name: str) -> Any | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def _refuse_foreign(container: Any, spec: BuilderSpec) -> Any:
    if container.labels.get(INSTANCE_LABEL) != spec.instance:
        raise Conflict(f"There is a container {spec.name} that is not ours.", "Rename it.")
    return container


def _archive(path: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
