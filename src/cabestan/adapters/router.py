"""The router and the registry: plain containers that always restart, so that they work without Cabestan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from docker.errors import APIError, NotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import INSTANCE_LABEL
from cabestan.domain.route import Probe
from cabestan.errors import Conflict, StepFailed

_SOCKET = "/var/run/docker.sock"
_PROBE_SECONDS = 5
#: what the router itself says where no route matches
_NO_ROUTE = 404
_BAD_GATEWAY = (502, 503, 504)


@dataclass(frozen=True)
class ServiceContainer:
    """A container of the platform itself. `ports` maps a port inside to address and port outside."""

    name: str
    role: str
    image: str
    command: tuple[str, ...]
    ports: Mapping[str, tuple[str, int]]
    volumes: Mapping[str, str]
    environment: Mapping[str, str]


def router_container(instance: str, image: str, address: str, port: int) -> ServiceContainer:
    """Traefik, reading the labels of this installation's Swarm services every second."""
    command = (
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--entrypoints.web.address=:8000",
        "--entrypoints.web.transport.respondingtimeouts.readtimeout=0",
        "--entrypoints.ping.address=127.0.0.1:8082",
        "--ping.entrypoint=ping",
        "--providers.swarm=true",
        "--providers.swarm.endpoint=unix:///var/run/docker.sock",
        "--providers.swarm.exposedbydefault=false",
        "--providers.swarm.refreshseconds=1",
        f"--providers.swarm.constraints=Label(`{INSTANCE_LABEL}`, `{instance}`)",
        "--serverstransport.forwardingtimeouts.dialtimeout=1s",
        "--serverstransport.maxidleconnsperhost=64",
        "--providers.providersthrottleduration=200ms",
        "--log.level=WARN",
    )
    ports = {"8000/tcp": (address, port)}
    return ServiceContainer(f"{instance}-router", "router", image, command, ports, {_SOCKET: _SOCKET}, {})


def registry_container(instance: str, image: str, port: int) -> ServiceContainer:
    """Reached on the loopback address alone: by the engine, for pushing and pulling."""
    volumes = {f"{instance}-registry": "/var/lib/registry"}
    return ServiceContainer(
        f"{instance}-registry", "registry", image, (), {"5000/tcp": ("127.0.0.1", port)}, volumes, {}
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
            if container.status != "running":
                self._start(container, wanted)

    def join(self, name: str, network: str) -> None:
        """Connects a running container to a network; does nothing where it is in it. Raises StepFailed."""
        with self._engine.speaking(f"connect {name} to {network}") as client:
            container = self._find(client, name)
            if not container or container.status != "running":
                raise StepFailed(f"The container {name} does not run.", "`cabestan up` starts it; then try again.")
            if network not in container.attrs["NetworkSettings"]["Networks"]:
                try:
                    client.networks.get(network).connect(container)
                except APIError as error:
                    if "already exists" not in str(error):
                        raise

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

    def running(self, name: str) -> bool:
        with self._engine.speaking(f"look at {name}") as client:
            found = self._find(client, name)
            return found is not None and found.status == "running"

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
        same: bool = container.labels.get("cabestan.settings") == labels["cabestan.settings"]
        return same and container.status == "running"

    def _labels(self, wanted: ServiceContainer, image: str) -> dict[str, str]:
        return {INSTANCE_LABEL: self._instance, "cabestan.role": wanted.role, "cabestan.settings": f"{wanted}@{image}"}

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
            container.remove(force=True)
            words = str(error.explanation or error)
            taken = "port is already allocated" in words or "address already in use" in words
            ports = ", ".join(f"{address}:{port}" for address, port in wanted.ports.values())
            remedy = f"Free {ports}, or set another {wanted.role}_port." if taken else "`docker logs` may tell more."
            raise StepFailed(f"The {wanted.role} cannot start: {words}.", remedy) from error


def probe(address: str, port: int, wanted: Probe) -> str:
    """Asks for a route through the router; empty when it answers, else what is wrong."""
    headers = {**dict(wanted.headers), "Host": wanted.host}
    url = f"http://{address}:{port}{wanted.path}"
    try:
        answer = httpx.request(wanted.method, url, headers=headers, timeout=_PROBE_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        return f"the router gives no answer for {wanted}: {error}"
    return judge_answer(answer.status_code, answer.text, wanted)


def judge_answer(status: int, text: str, wanted: Probe) -> str:
    """An application may answer what it likes, its own 404 too; the router's own refusals do not count.

    A redirect, a wish for a password and a method that is not allowed are answers as well.
    """
    if status == _NO_ROUTE and text.strip() == "404 page not found":
        return f"the router has no route for {wanted}"
    if status in _BAD_GATEWAY:
        return f"{wanted} answers {status}"
    return ""
