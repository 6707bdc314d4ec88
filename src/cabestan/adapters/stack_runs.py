"""Services of a stack that run to their end: one start of one, made from the rendered service, on the Swarm."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from docker import DockerClient
from docker.errors import ImageNotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.held_start import bash_of, held
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.once import WHOLE_LOG, Containers, containers_of, parse_exit, service_named
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.swarm_services import create_service
from cabestan.domain import docker_names
from cabestan.domain.labels import ATTEMPT_LABEL, INSTANCE_LABEL, RUN_LABEL
from cabestan.errors import StepFailed

_SECRET = re.compile(r"\$\$|\$\{CABESTAN_SECRET_([A-Za-z0-9_]+)\}", re.ASCII)
_NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3}
_DURATION_PART = re.compile(r"([0-9.]+)(h|ms|us|m|s)", re.ASCII)
_SIZE = re.compile(r"([0-9.]+) ?([bkmgt]?)i?b?", re.ASCII | re.IGNORECASE)
_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
#: Not a Swarm job, which is started again with the engine where it failed: what ran half must not run twice.
_ONCE = {"Replicated": {"Replicas": 1}}
#: an image's own health check is for its service: what runs to its end must not be ended by it
_NO_HEALTHCHECK = {"Test": ["NONE"]}


@dataclass(frozen=True)
class Named:
    """One start, by its name alone: all that is known of one that was left over."""

    instance: str
    id: int
    attempt: int

    @property
    def name(self) -> str:
        return docker_names.once(self.instance, "run", self.id, self.attempt)

    @property
    def labels(self) -> dict[str, str]:
        return {INSTANCE_LABEL: self.instance, RUN_LABEL: str(self.id), ATTEMPT_LABEL: str(self.attempt)}


@dataclass(frozen=True)
class StackRun(Named):
    """One start. `stack` is the document of the whole stack, `service` the part of it that is started."""

    service: Mapping[str, Any] = field(repr=False)
    stack: Mapping[str, Any] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def has_terminal(self) -> bool:
        return bool(self.service.get("tty"))


class StackRuns(Containers):
    """Starts them, each at most once."""

    #: many may start at once, and the engine has better things to do than to answer
    look_seconds = 0.2

    def __init__(self, nodes: Nodes, instance: str, login: RegistryLogin) -> None:
        """`login`: of the registry, as the nodes find it."""
        super().__init__(nodes, instance)
        self._login = login

    def start(self, run: StackRun, prepare: Callable[[], None]) -> None:
        """Unless it was started before. `prepare` is called where it was not, and may refuse."""
        with self._engine.speaking(f"start {run.name}", run.secrets.values()) as client:
            if service_named(client, run.name):
                return
            prepare()
            run = replace(run, service={**run.service, "image": self._login.here(run.service["image"])})
            template = task_template(run, lambda name: _secret_id(client, name), lambda name: _config_id(client, name))
            labels = {**filled(run.service.get("deploy", {}).get("labels", {}), run.secrets), **run.labels}
            rest = {"Labels": labels, "Mode": _ONCE, "EndpointSpec": {"Mode": "dnsrr"}}
            create_service(client, run.name, template, rest, self._login.of(run.service["image"]))

    def start_held(self, run: StackRun, prepare: Callable[[], None], until: datetime) -> bool:
        """The same ahead of time: its container waits for the moment. False where it cannot, and is not started."""
        entrypoint = run.service.get("entrypoint") or self._entrypoint(run)
        bash = bash_of(entrypoint or (), run.service.get("command") or ())
        if entrypoint is None or not bash:
            return False
        words = [*(_plain(word) for word in held(bash, until)), *entrypoint]
        self.start(replace(run, service={**run.service, "entrypoint": words}), prepare)
        return True

    def ended_before(self, run: Named, moment: datetime) -> bool:
        """Whether its container was at its end by then."""
        with self._engine.speaking("look at the job's container") as client:
            engines = self._engines_of(client, run)
        states = [state for engine in engines for state in _states_on(engine, run)]
        ended = (state["FinishedAt"] for state in states if parse_exit(state))
        return any(datetime.fromisoformat(end) < moment for end in ended)

    def _entrypoint(self, run: StackRun) -> list[str] | None:
        """Of its image, as a stack file would have it; None where the image is not here."""
        image = filled(self._login.here(run.service["image"]), run.secrets)
        with self._engine.speaking(f"look at the image of {run.name}") as client:
            try:
                found = client.api.inspect_image(image)["Config"].get("Entrypoint")
            except ImageNotFound:
                return None
        return [_plain(word) for word in found or ()]

    def left_over(self) -> tuple[Named, ...]:
        """All that is there, whatever became of it."""
        found = {(int(labels[RUN_LABEL]), int(labels[ATTEMPT_LABEL])) for labels in self._labels_of_all(RUN_LABEL)}
        return tuple(Named(self._instance, key, attempt) for key, attempt in sorted(found))


def _states_on(engine: Engine, run: Named) -> list[Mapping[str, Any]]:
    """Of its containers on a node, as the engine inspects them."""
    with engine.speaking("look at the job's container") as client:
        return [client.api.inspect_container(container["Id"])["State"] for container in containers_of(client, run)]


def task_template(
    run: StackRun, secret_id: Callable[[str], str], config_id: Callable[[str], str] = str
) -> dict[str, Any]:
    """The `TaskTemplate` of the engine's `POST /services/create`, as `docker stack deploy` would make it.

    But for what keeps a service running (restarts, health checks), and the whole log is kept for us to read. Its
    volumes are there and filled already. `secret_id` and `config_id` find Swarm's by its name.
    """
    service = filled(run.service, run.secrets)
    deploy = service.get("deploy", {})
    return {
        "ContainerSpec": _without_none(
            {
                "Image": service["image"],
                "Command": service.get("entrypoint"),
                "Args": service.get("command"),
                "Env": [f"{name}={value}" for name, value in service.get("environment", {}).items()],
                "Dir": service.get("working_dir"),
                "User": service.get("user"),
                "Labels": {**service.get("labels", {}), **run.labels},
                "Hosts": [_host(line) for line in service.get("extra_hosts", [])],
                "Init": service.get("init", True),
                "ReadOnly": service.get("read_only"),
                "TTY": service.get("tty"),
                "StopSignal": service.get("stop_signal"),
                "StopGracePeriod": nanoseconds(service.get("stop_grace_period", "10s")),
                "Healthcheck": _NO_HEALTHCHECK,
                "Mounts": [_mount(mount, run.stack) for mount in service.get("volumes", [])],
                "Secrets": [_secret(secret, run.stack, secret_id) for secret in service.get("secrets", [])],
                "Configs": [_config(config, config_id) for config in service.get("configs", [])] or None,
                "Hostname": service.get("hostname"),
            }
        ),
        "RestartPolicy": {"Condition": "none"},
        "Resources": {
            "Limits": _resources(deploy.get("resources", {}).get("limits", {})),
            "Reservations": _resources(deploy.get("resources", {}).get("reservations", {})),
        },
        "Placement": {"Constraints": deploy.get("placement", {}).get("constraints", [])},
        "LogDriver": {"Name": "json-file", "Options": WHOLE_LOG},
        "Networks": [{"Target": _named(run.stack, "networks", key)} for key in service.get("networks", [])],
    }


def filled(value: Any, secrets: Mapping[str, str]) -> Any:
    """A part of a stack file as Docker would read it: variables of secrets have their values, `$$` is a `$`."""
    match value:
        case str():
            return _SECRET.sub(lambda found: secrets[found[1]] if found[1] else "$", value)
        case Mapping():
            return {key: filled(inner, secrets) for key, inner in value.items()}
        case list():
            return [filled(inner, secrets) for inner in value]
    return value


def _plain(word: str) -> str:
    """A word as `filled` takes it, to give it as it is."""
    return word.replace("$", "$$")


def nanoseconds(duration: str) -> int:
    """`1m30s` → 90,000,000,000."""
    return round(sum(float(number) * _NANOSECONDS[unit] for number, unit in _DURATION_PART.findall(duration)))


def size_in_bytes(size: str | int) -> int:
    """`50M` → 52,428,800."""
    found = _SIZE.fullmatch(str(size))
    if not found:
        raise StepFailed(f"{size!r} is no size.", "Write a number with a unit such as 50M.")
    return int(float(found[1]) * _BYTES[found[2].lower()])


def _resources(resources: Mapping[str, str]) -> dict[str, int]:
    found = {}
    if cpus := resources.get("cpus"):
        found["NanoCPUs"] = round(float(cpus) * 10**9)
    if memory := resources.get("memory"):
        found["MemoryBytes"] = size_in_bytes(memory)
    return found


def _host(line: str) -> str:
    """`name:address` as the engine has it in a hosts file."""
    name, _, address = line.partition(":")
    return f"{address} {name}"


def _mount(mount: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    common = {"Type": mount["type"], "Target": mount["target"], "ReadOnly": mount.get("read_only", False)}
    match mount["type"]:
        case "volume":
            volume = stack["volumes"][mount["source"]]
            options = {"Labels": filled(volume.get("labels", {}), {}), "NoCopy": True}
            return {**common, "Source": volume["name"], "VolumeOptions": options}
        case "tmpfs":
            size = mount.get("tmpfs", {}).get("size")
            return {**common, "TmpfsOptions": {"SizeBytes": size_in_bytes(size)} if size is not None else {}}
    return {**common, "Source": mount["source"]}


def _secret(
    secret: str | Mapping[str, Any], stack: Mapping[str, Any], secret_id: Callable[[str], str]
) -> dict[str, Any]:
    wish = {"source": secret} if isinstance(secret, str) else secret
    name = _named(stack, "secrets", wish["source"])
    mode = int(str(wish.get("mode", 0o444)))
    file = {
        "Name": wish.get("target", wish["source"]),
        "UID": str(wish.get("uid", "0")),
        "GID": str(wish.get("gid", "0")),
        "Mode": mode,
    }
    return {"SecretID": secret_id(name), "SecretName": name, "File": file}


def _config(wish: Mapping[str, Any], config_id: Callable[[str], str]) -> dict[str, Any]:
    file = {
        "Name": wish["target"],
        "UID": str(wish.get("uid", "0")),
        "GID": str(wish.get("gid", "0")),
        "Mode": wish.get("mode", 0o444),
    }
    return {"ConfigID": config_id(wish["source"]), "ConfigName": wish["source"], "File": file}


def _named(stack: Mapping[str, Any], kind: str, key: str) -> str:
    """What a network or secret of the file is called in Swarm."""
    return str((stack.get(kind, {}).get(key) or {}).get("name", key))


def _secret_id(client: DockerClient, name: str) -> str:
    for secret in client.api.secrets(filters={"name": name}):
        if secret["Spec"]["Name"] == name:
            return str(secret["ID"])
    raise StepFailed(f"The secret {name} is not in the Swarm.", "Deploy the release again.")


def _config_id(client: DockerClient, name: str) -> str:
    for config in client.api.configs(filters={"name": name}):
        if config["Spec"]["Name"] == name:
            return str(config["ID"])
    raise StepFailed(f"The config {name} is not in the Swarm.", "Deploy the release again.")


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
