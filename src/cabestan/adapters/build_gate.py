"""The gate: the one way from jobs, which have no network, to the server and to the registry.

A container in the host's network hands on what comes to two Unix sockets in a volume, which builds get.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import NotFound

from cabestan.domain import docker_names
from cabestan.domain.labels import INSTANCE_LABEL, ROLE_LABEL, SETTINGS_LABEL
from cabestan.errors import Conflict

#: where the sockets are, in the gate and in jobs
GATE_FOLDER = "/run/gate"
_LEAVE_OPEN = "socat -t 30 UNIX-LISTEN:{folder}/{name}.sock,fork,unlink-early TCP:{address}"


@dataclass(frozen=True)
class GateSpec:
    """`image` is the id of one with `socat`; the addresses, HOST:PORT, are those of the machine."""

    instance: str
    image: str
    server: str
    registry: str

    @property
    def name(self) -> str:
        """Also of its volume."""
        return docker_names.gate(self.instance)

    @property
    def script(self) -> str:
        """It ends where one of the two does, and is then started again by the engine."""
        ways = (("server", self.server), ("registry", self.registry))
        opened = [_LEAVE_OPEN.format(folder=GATE_FOLDER, name=name, address=address) for name, address in ways]
        return " & ".join([*opened, "wait -n"])


def config(spec: GateSpec) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`."""
    settings = hashlib.sha256(repr((spec.image, spec.script)).encode()).hexdigest()
    return {
        "Image": spec.image,
        "Entrypoint": ["/bin/bash", "-c", spec.script],
        "Labels": {INSTANCE_LABEL: spec.instance, ROLE_LABEL: "gate", SETTINGS_LABEL: settings},
        "HostConfig": {
            "NetworkMode": "host",
            "Binds": [f"{spec.name}:{GATE_FOLDER}"],
            "Init": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "RestartPolicy": {"Name": "always"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        },
    }


def ensure_gate(client: DockerClient, spec: GateSpec) -> None:
    """Has it run as wanted; one that runs with other settings is made anew."""
    wanted = config(spec)
    found = _found(client, spec.name)
    if found and found.labels.get(INSTANCE_LABEL) != spec.instance:
        raise Conflict(f"There is a container {spec.name} that is not ours.", "Rename it.")
    if found and found.status == "running" and found.labels.get(SETTINGS_LABEL) == wanted["Labels"][SETTINGS_LABEL]:
        return
    if found:
        found.remove(force=True)
    client.api.create_volume(spec.name, labels={INSTANCE_LABEL: spec.instance})
    client.api.start(client.api.create_container_from_config(wanted, name=spec.name)["Id"])


def close_gate(client: DockerClient, instance: str) -> None:
    found = _found(client, docker_names.gate(instance))
    if found and found.labels.get(INSTANCE_LABEL) == instance:
        found.remove(force=True)


def _found(client: DockerClient, name: str) -> Any | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None
