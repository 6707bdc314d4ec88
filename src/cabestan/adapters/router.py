"""Router and registry: plain containers that always restart, so that they work without Cabestan."""

import hashlib
import io
import re
import tarfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError, NotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.registry_login import SERVICE, RegistryLogin
from cabestan.domain import docker_names
from cabestan.domain.labels import INSTANCE_LABEL, ROLE_LABEL, SETTINGS_LABEL
from cabestan.errors import Conflict, StepFailed

_PRIVATE = 0o600
#: that of its image
_REGISTRY_USER = 1001
_REGISTRY_CERTIFICATE = "/etc/docker/registry/signer.pem"
#: of an endpoint, another one at each try: in the engine's words it tells nothing
_KEY = re.compile(r" \([0-9a-f]{64}\)")
#: of a file that is not whole yet: no program reads one with such a name
_PART = ".part"


@dataclass(frozen=True)
class ServiceContainer:
    """A container of the platform itself. `ports` maps a port inside to address and port outside.

    `files` (path to content) are in it before it starts, and are written anew each time; only the user with
    the number `reader` may read them.
    """

    name: str
    role: str
    image: str
    command: tuple[str, ...]
    ports: Mapping[str, tuple[str, int]]
    volumes: Mapping[str, str]
    environment: Mapping[str, str] = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    reader: int = 0

    @property
    def settings_of_ports(self) -> str:
        """What to set where a port is taken."""
        return "another router_port or router_tls_port" if len(self.ports) > 1 else f"another {self.role}_port"

    @property
    def settings(self) -> str:
        """A hash over all that takes a new container to change."""
        kept = (self.image, self.command, dict(self.ports), dict(self.volumes), dict(self.environment))
        return hashlib.sha256(repr(kept).encode()).hexdigest()


def registry_container(instance: str, image: str, port: int, login: RegistryLogin, realm: str) -> ServiceContainer:
    """Published on the loopback address alone: for the engine, which pushes and pulls.

    It takes tokens that we signed, and sends whoever brings none to `realm`, where people get theirs.
    """
    return ServiceContainer(
        name=docker_names.registry(instance),
        role="registry",
        image=image,
        command=(),
        ports={"5000/tcp": ("127.0.0.1", port)},
        volumes={docker_names.registry(instance): "/var/lib/registry"},
        environment={
            "REGISTRY_AUTH_TOKEN_REALM": realm,
            "REGISTRY_AUTH_TOKEN_SERVICE": SERVICE,
            "REGISTRY_AUTH_TOKEN_ISSUER": login.issuer,
            "REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE": _REGISTRY_CERTIFICATE,
            # it would remember layers of projects that were deleted, and let nobody push them again
            "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR": "none",
        },
        files={_REGISTRY_CERTIFICATE: login.certificate},
        reader=_REGISTRY_USER,
    )


class PlatformContainers:
    """Starts, joins and removes the containers of the platform."""

    def __init__(self, engine: Engine, instance: str) -> None:
        self._engine = engine
        self._instance = instance

    def ensure(self, wanted: ServiceContainer) -> None:
        """Has it run as wanted; one that runs with other settings or another image is made anew."""
        with self._engine.speaking(f"start {wanted.name}") as client:
            image = self._image(client, wanted.image)
            labels = self._labels(wanted, image)
            existing = self._find(client, wanted.name)
            if existing and not self._is_as_wanted(existing, labels):
                self._refuse_foreign(existing)
                existing.remove(force=True)
                existing = None
            container = existing or self._create(client, wanted, labels)
            _write(container, wanted.files, wanted.reader)
            if container.status != "running":
                self._start(container, wanted)

    def join(self, name: str, network: str) -> None:
        """Connects a running container to a network; does nothing where it is in it. Raises StepFailed."""
        with self._engine.speaking(f"connect {name} to {network}") as client:
            container = self._find(client, name)
            if not container or container.status != "running":
                raise StepFailed(f"The container {name} does not run.", "`cabestan up` starts it; then try again.")
            if network not in container.attrs["NetworkSettings"]["Networks"]:
                _connect(client.networks.get(network), container)

    def leave(self, name: str, network: str) -> None:
        """Disconnects a container: one that still asked for a removed network could never start again."""
        with self._engine.speaking(f"disconnect {name} from {network}") as client:
            try:
                client.networks.get(network).disconnect(name, force=True)
            except NotFound:
                pass
            except APIError as error:
                if "is not connected" not in str(error):
                    raise

    def write(self, name: str, files: Mapping[str, bytes]) -> None:
        """Files (path to content) into a container; does nothing where it is not there. Only root may read them.

        A container that runs sees each file whole, the old one or the new one, also when this process is killed here.
        """
        with self._engine.speaking(f"write into {name}") as client:
            container = self._find(client, name)
            if container and container.status == "running":
                _write(container, {f"{path}{_PART}": content for path, content in files.items()})
                _put_in_place(container, files)
            elif container:
                _write(container, files)

    def run_inside(self, name: str, script: str, *arguments: str) -> None:
        """A script of `sh`, in a container that runs. Raises StepFailed with its words."""
        with self._engine.speaking(f"run something in {name}") as client:
            container = self._find(client, name)
            if not container or container.status != "running":
                raise StepFailed(f"The container {name} does not run.", "`cabestan up` starts it; then try again.")
            code, output = container.exec_run(["sh", "-c", script, "sh", *arguments])
        if code != 0:
            words = output.decode(errors="replace").strip()[-1000:]
            raise StepFailed(f"In {name}: {words or f'exit code {code}'}.", "See its log; then try again.")

    def read(self, name: str, path: str) -> bytes | None:
        """A file in a container; None where either is not there."""
        with self._engine.speaking(f"read {path} in {name}") as client:
            container = self._find(client, name)
            try:
                return _content(container.get_archive(path)[0]) if container else None
            except NotFound:
                return None

    def has_volume(self, name: str) -> bool:
        with self._engine.speaking(f"look for the volume {name}") as client:
            try:
                client.volumes.get(name)
            except NotFound:
                return False
            return True

    def networks(self, name: str) -> frozenset[str]:
        """The names of those that a running container is in; none where it does not run."""
        with self._engine.speaking(f"look at {name}") as client:
            found = self._find(client, name)
            running = found is not None and found.status == "running"
            return frozenset(found.attrs["NetworkSettings"]["Networks"]) if found and running else frozenset()

    def running(self, name: str) -> bool:
        with self._engine.speaking(f"look at {name}") as client:
            found = self._find(client, name)
            return found is not None and found.status == "running"

    def problem(self, name: str) -> str:
        """Why the engine could not start it, in its words; empty where it runs, was stopped, or is not there."""
        with self._engine.speaking(f"look at {name}") as client:
            found = self._find(client, name)
            return str(found.attrs["State"]["Error"]) if found and found.status != "running" else ""

    def bring_back(self, wanted: ServiceContainer) -> None:
        """Starts one that the engine could not start; where a network that it asks for is gone, it is made anew.

        Raises StepFailed, EngineUnavailable, or Conflict where it is not ours.
        """
        with self._engine.speaking(f"start {wanted.name}") as client:
            existing = self._find(client, wanted.name)
            if existing:
                self._refuse_foreign(existing)
            if existing and _can_start(client, existing):
                self._start(existing, wanted)
            else:
                self.ensure(wanted)

    def stop(self, name: str) -> None:
        """Removes the container; its volumes stay."""
        with self._engine.speaking(f"remove {name}") as client:
            if existing := self._find(client, name):
                self._refuse_foreign(existing)
                existing.remove(force=True)

    def _image(self, client: Any, reference: str) -> str:
        try:
            return str(client.images.get(reference).id)
        except NotFound as error:
            raise StepFailed(f"There is no image {reference}.", "`cabestan up` builds the base images.") from error

    def _find(self, client: Any, name: str) -> Any | None:
        try:
            return client.containers.get(name)
        except NotFound:
            return None

    def _is_as_wanted(self, container: Any, labels: Mapping[str, str]) -> bool:
        """One that stands still is made anew: it may ask for networks that are gone, and then never starts again."""
        same: bool = container.labels.get(SETTINGS_LABEL) == labels[SETTINGS_LABEL]
        return same and container.status == "running"

    def _labels(self, wanted: ServiceContainer, image: str) -> dict[str, str]:
        return {
            INSTANCE_LABEL: self._instance,
            ROLE_LABEL: wanted.role,
            SETTINGS_LABEL: f"{wanted.settings}@{image}",
        }

    def _refuse_foreign(self, container: Any) -> None:
        if container.labels.get(INSTANCE_LABEL) != self._instance:
            raise Conflict(
                f"There is a container {container.name} that is not ours.",
                "Rename it, or choose another instance name.",
            )

    def _create(self, client: Any, wanted: ServiceContainer, labels: dict[str, str]) -> Any:
        for volume in wanted.volumes:
            if not volume.startswith("/"):
                client.volumes.create(volume, labels={INSTANCE_LABEL: self._instance})
        return client.containers.create(
            wanted.image,
            list(wanted.command),
            name=wanted.name,
            labels=labels,
            ports=dict(wanted.ports),
            volumes=[f"{source}:{target}" for source, target in wanted.volumes.items()],
            environment=dict(wanted.environment),
            restart_policy={"Name": "always"},
            log_config={"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}},
        )

    def _start(self, container: Any, wanted: ServiceContainer) -> None:
        try:
            container.start()
        except APIError as error:
            words = _KEY.sub("", str(error.explanation or error))
            taken = "port is already allocated" in words or "address already in use" in words
            ports = " and ".join(f"{address}:{port}" for address, port in wanted.ports.values())
            remedy = f"Free {ports}, or set {wanted.settings_of_ports}." if taken else "`docker logs` may tell more."
            raise StepFailed(f"The {wanted.role} cannot start: {words}.", remedy) from error


def _connect(network: Any, container: Any) -> None:
    """Where an earlier try came to nothing (Swarm had no address for the node yet), the engine still remembers it: it
    says once that there is no such network, and forgets it with that.
    """
    try:
        try:
            network.connect(container)
        except NotFound:
            network.connect(container)
    except APIError as error:
        if "already exists" not in str(error):
            raise


def _can_start(client: Any, container: Any) -> bool:
    """Whether all the networks are there that it asks for."""
    present = {network.name for network in client.networks.list()}
    return present.issuperset(container.attrs["NetworkSettings"]["Networks"])


def _write(container: Any, files: Mapping[str, bytes], reader: int = 0) -> None:
    if files:
        container.put_archive("/", _archive(files, reader))


def _put_in_place(container: Any, paths: Iterable[str]) -> None:
    """By renaming, which is one moment; the engine itself writes a file bit by bit."""
    for path in paths:
        code, output = container.exec_run(["mv", "--force", f"{path}{_PART}", path], user="0")
        if code:
            raise StepFailed(f"{path} cannot be replaced in {container.name}: {output.decode(errors='replace')}.")


def _archive(files: Mapping[str, bytes], reader: int) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode, entry.uid = len(content), _PRIVATE, reader
            entry.mtime = time.time()
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _content(archive: Iterable[bytes]) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive))) as tar:
        file = tar.extractfile(tar.next() or tarfile.TarInfo())
        return file.read() if file else b""
