"""Managed services in Docker: their secrets, what their containers are asked, and scratch instances.

The images have one script, `database`, that dumps, loads and counts; see images/postgresql/database.
"""

import io
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from docker import DockerClient
from docker.errors import APIError, NotFound

from cabestan.adapters.database_script import LAST_WORDS, check, limited, text
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.once import of_service
from cabestan.compose.managed_stack import DATA, PASSWORD_FILE, environment_of, labels_of, secret_name
from cabestan.domain.backup import Manifest, parse_manifest
from cabestan.domain.labels import INSTANCE_LABEL, MANAGED_ID_LABEL, SCRATCH_LABEL
from cabestan.domain.managed import Instance
from cabestan.domain.references import Form, as_it_is
from cabestan.errors import DeadlineExceeded, StepFailed

_MARK = "manifest\t"
_CHUNK = 256 * 1024
_LOOK_SECONDS = 0.3
_ACCOUNT = 1001
_STOP_SECONDS = 60
_LEAVE_SECONDS = 120


@dataclass(frozen=True)
class Vitals:
    """What an instance says of itself: bytes, connections of the application, the exact version."""

    size: int
    connections: int
    version: str


@dataclass(frozen=True)
class Scratch:
    """A throw-away container of an instance's kind, without any network, for one operation."""

    instance: Instance
    operation: int
    image: str
    volume: str
    password: str

    @property
    def name(self) -> str:
        return f"{self.instance.stack}-scratch-{self.operation}"


def parse_vitals(text: str) -> Vitals:
    """From the lines `name<TAB>value` of `database status`."""
    found = dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)
    return Vitals(int(found.get("size", 0)), int(found.get("connections", 0)), found.get("version", ""))


class Databases:
    """All methods may be called again after a crash at any point."""

    def __init__(self, engine: Engine, owner: str, here: Form = as_it_is) -> None:
        """`owner` is the name of the installation; `here`: how this engine finds an instance's image."""
        self._here = here
        self._engine = engine
        self._owner = owner

    def node(self) -> str:
        """The name of this engine's node: where volumes of new instances are made."""
        with self._engine.speaking("ask for its name") as client:
            return str(client.info()["Name"])

    def ensure_secret(self, instance: Instance, password: str) -> None:
        """The Swarm secret that the instance reads its password from."""
        name = secret_name(instance)
        with self._engine.speaking(f"make the secret {name}", [password]) as client:
            if not _secrets(client, name):
                client.api.create_secret(name, password.encode(), labels=labels_of(instance, self._owner))

    def container(self, instance: Instance) -> str:
        """The running container. Raises StepFailed where there is none."""
        label = [f"{INSTANCE_LABEL}={self._owner}", f"{MANAGED_ID_LABEL}={instance.id}"]
        with self._engine.speaking(f"look for {instance.name}") as client:
            found = client.api.containers(filters={"label": label, "status": "running"})
        own = of_service(found, instance.swarm_service)
        serving = [c["Id"] for c in own if "(healthy)" in c["Status"]]
        if not serving:
            raise StepFailed(f"{instance.name} does not run.", "`cabestan database show` tells why.")
        return str(serving[0])

    def vitals(self, instance: Instance, seconds: float = 10) -> Vitals:
        return parse_vitals(self._run(self.container(instance), "status", seconds))

    def dump(self, container: str, write: Callable[[bytes], object], seconds: float) -> Manifest:
        """Hands the dump over piece by piece; gives what it must be after a restore. Raises StepFailed."""
        with tempfile.TemporaryFile() as told, self._script(container, "dump", stderr=told) as process:
            assert process.stdout
            with limited(process, seconds) as late:
                while chunk := process.stdout.read(_CHUNK):
                    write(chunk)
                code = process.wait()
            lines = text(told).splitlines()
        check(code, late, "dump", "\n".join(line for line in lines if not line.startswith(_MARK)))
        return parse_manifest(line.removeprefix(_MARK) for line in lines if line.startswith(_MARK))

    def load(self, container: str, chunks: Iterable[bytes], seconds: float) -> None:
        """Restores a dump into an empty instance. Raises StepFailed with its words."""
        with tempfile.TemporaryFile() as told, self._script(container, "load", stderr=told, stdout=told) as process:
            assert process.stdin
            with limited(process, seconds) as late:
                try:
                    for chunk in chunks:
                        process.stdin.write(chunk)
                    process.stdin.close()
                except BrokenPipeError:
                    pass  # it ended; its words say why
                code = process.wait()
            words = text(told)
        check(code, late, "load", words)

    def manifest(self, container: str, seconds: float) -> Manifest:
        return parse_manifest(line for line in self._run(container, "manifest", seconds).splitlines() if line)

    # ---- scratch instances

    def start_scratch(self, scratch: Scratch) -> str:
        """Its container, started anew; an earlier one of the same operation goes first."""
        self.remove_scratch(scratch)
        labels = labels_of(scratch.instance, self._owner) | {SCRATCH_LABEL: str(scratch.operation)}
        with self._engine.speaking(f"start {scratch.name}", [scratch.password]) as client:
            client.volumes.create(scratch.volume, labels=labels_of(scratch.instance, self._owner))
            made = client.api.create_container(
                self._here(scratch.image),
                name=scratch.name,
                environment=environment_of(scratch.instance),
                labels=labels,
                host_config=client.api.create_host_config(
                    network_mode="none",
                    binds={scratch.volume: {"bind": DATA, "mode": "rw"}},
                    mem_limit=scratch.instance.limits.memory * 2**20,
                    init=True,
                    shm_size=scratch.instance.limits.memory * 2**20 // 4,
                    log_config={"Type": "json-file", "Config": {"max-size": "10m", "max-file": "1"}},
                ),
            )
            client.api.put_archive(made["Id"], "/run", _password_file(scratch.password))
            client.api.start(made["Id"])
        return str(made["Id"])

    def wait_until_ready(self, container: str, seconds: float) -> None:
        """Raises StepFailed with its last words where it ends, DeadlineExceeded."""
        deadline = time.monotonic() + seconds
        while True:
            with self._script(container, "ready", stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
                if process.wait() == 0:
                    return
            with self._engine.speaking("look at the scratch instance") as client:
                state = client.api.inspect_container(container)["State"]
                if state["Status"] != "running":
                    words = client.api.logs(container, tail=5).decode(errors="replace").strip()
                    raise StepFailed(f"The scratch instance ended: {words[-LAST_WORDS:]}.", "Is there memory left?")
            if time.monotonic() > deadline:
                raise DeadlineExceeded(
                    f"The scratch instance did not answer in {seconds:.0f} s.", "managed_seconds sets the time."
                )
            time.sleep(_LOOK_SECONDS)

    def stop_scratch(self, container: str) -> None:
        """In order, so that what it has in memory is on the disk."""
        with self._engine.speaking("stop the scratch instance") as client:
            client.api.stop(container, timeout=_STOP_SECONDS)

    def remove_scratch(self, scratch: Scratch) -> None:
        """The container alone; its volume goes with `remove_volume`."""
        with self._engine.speaking(f"remove {scratch.name}") as client:
            try:
                client.api.remove_container(scratch.name, force=True, v=True)
            except NotFound:
                return

    # ---- taking away

    def remove_volume(self, name: str) -> None:
        """Only at somebody's explicit wish, or of a scratch instance. Waits for containers that are leaving.

        Those that have ended go with it: Swarm keeps some of a service, and they would hold the volume for ever.
        """
        deadline = time.monotonic() + _LEAVE_SECONDS
        while True:
            with self._engine.speaking(f"remove the volume {name}") as client:
                try:
                    client.api.remove_volume(name)
                except NotFound:
                    return
                except APIError as error:
                    if error.status_code != 409 or time.monotonic() > deadline:
                        raise
                    self._remove_ended(client, name)
                else:
                    return
            time.sleep(_LOOK_SECONDS)

    def _remove_ended(self, client: DockerClient, volume: str) -> None:
        label = f"{INSTANCE_LABEL}={self._owner}"
        filters = {"label": label, "volume": volume, "status": ["created", "exited", "dead"]}
        for container in client.api.containers(all=True, filters=filters):
            with suppress(APIError):  # it is being removed
                client.api.remove_container(container["Id"])

    def remove_service(self, instance: Instance) -> None:
        """Its service in Swarm, and its secret; no volume."""
        with self._engine.speaking(f"remove {instance.name}") as client:
            with suppress(NotFound):
                client.api.remove_service(instance.swarm_service)
            for secret in _secrets(client, secret_name(instance)):
                with suppress(NotFound):
                    client.api.remove_secret(secret)

    # ---- the script

    def _run(self, container: str, word: str, seconds: float) -> str:
        with tempfile.TemporaryFile() as told, self._script(container, word, stderr=told) as process:
            assert process.stdout
            with limited(process, seconds) as late:
                output = process.stdout.read().decode(errors="replace")
                code = process.wait()
            words = text(told)
        check(code, late, word, words)
        return output

    @contextmanager
    def _script(
        self, container: str, word: str, *, stderr: IO[bytes] | int, stdout: IO[bytes] | int = subprocess.PIPE
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """The client of `docker exec` streams both ways with bounded memory; it ends with this process."""
        inward = ["--interactive"] if word == "load" else []
        command = ["docker", "--host", self._engine.address, "exec", *inward, container, "database", word]
        stdin = subprocess.PIPE if word == "load" else subprocess.DEVNULL
        with subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def _secrets(client: DockerClient, name: str) -> list[str]:
    found: list[dict[str, Any]] = client.api.secrets(filters={"name": name})
    return [secret["ID"] for secret in found if secret["Spec"]["Name"] == name]


def _password_file(password: str) -> bytes:
    """`secrets/password`, as a tar for the container's /run, for the account of the images alone."""
    packed = io.BytesIO()
    name = PASSWORD_FILE.removeprefix("/run/")
    with tarfile.open(fileobj=packed, mode="w") as tar:
        folder = tarfile.TarInfo(name.partition("/")[0])
        folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, _ACCOUNT, _ACCOUNT
        tar.addfile(folder)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.uid, entry.gid = len(password.encode()), 0o400, _ACCOUNT, _ACCOUNT
        tar.addfile(entry, io.BytesIO(password.encode()))
    return packed.getvalue()
