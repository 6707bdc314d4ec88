"""Stacks in Swarm: their network, their images, and handing them over with the `docker` client."""

import fcntl
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
import yaml
from docker.errors import APIError, ImageNotFound, NotFound

from cabestan.adapters.config_files import drop_configs, ensure_configs
from cabestan.adapters.container_words import LISTENING, parse_listeners, parse_words
from cabestan.adapters.node_engines import NodeContainer, Nodes
from cabestan.adapters.once import service_named
from cabestan.adapters.passing_faults import CHANGED_MEANWHILE, engine_start, hand_over
from cabestan.adapters.registry import parse_configuration
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.secret_files import SwarmSecret, drop_secrets, ensure_secrets
from cabestan.adapters.stack_client import deploy_command, refusal
from cabestan.adapters.tasks import StackState, TaskState, ended_badly, parse_stack
from cabestan.adapters.volumes import make, unready
from cabestan.compose.stack import as_in_file, with_values
from cabestan.compose.volumes import StackVolume
from cabestan.domain.container_words import ContainerWords, Listener
from cabestan.domain.image import ImageConfiguration, familiar_name
from cabestan.domain.labels import ENVIRONMENT_ID_LABEL, INSTANCE_LABEL, STACK_LABEL
from cabestan.domain.redaction import Redactor
from cabestan.domain.references import in_stack
from cabestan.domain.registry_access import CATALOGUE, PULL, PUSH
from cabestan.errors import DeadlineExceeded, StepFailed
from cabestan.errors import NotFound as NotReached

_log = structlog.get_logger(__name__)
_Spec = Mapping[str, Any]
#: seconds in which Swarm takes a change of a service
_CHANGE_SECONDS = 30.0
#: of the end of a container's output
_TOLD_LINES = 20
#: a task that is told to end may take its grace period, and Swarm a moment more to forget it
_LEAVE_SECONDS = 60
_LEAVE_AGAIN_SECONDS = 0.5
_LOCK_AGAIN_SECONDS = 0.05
_CHANGED_AGAIN_SECONDS = 0.2
#: seconds that tidying waits for a deployment
_SHORTLY = 1.0
#: how engines refuse to remove a network that tasks are in, or are still leaving
_STILL_IN_USE = (400, 403, 409)


def images_of(document: str) -> tuple[str, ...]:
    """The references that a stack's file names."""
    services: Mapping[str, Any] = (yaml.load(document, Loader=yaml.CSafeLoader) or {}).get("services") or {}
    return tuple(dict.fromkeys(service["image"] for service in services.values() if "image" in service))


def own_copy(name: str) -> str:
    """Where in our registry a copy of an image goes that only the engine has: the catalogue's under its own name."""
    return name if name.startswith(f"{CATALOGUE}/") else f"library/{name.rpartition('/')[2]}"


class Stacks:
    """One stack per environment, by its name."""

    def __init__(self, nodes: Nodes, instance: str, login: RegistryLogin, locks: Path) -> None:
        """`locks` is a folder for lock files, one per stack."""
        self._nodes = nodes
        self._engine = nodes.manager
        self._instance = instance
        self._login = login
        self._locks = locks

    def ensure_network(self, name: str, environment_id: int, *, internal: bool = False) -> None:
        """A network of the environment, on every node that has a task of it; `internal`: without a way outside."""
        labels = {INSTANCE_LABEL: self._instance, ENVIRONMENT_ID_LABEL: str(environment_id)}
        with self._engine.speaking(f"create the network {name}") as client:
            if name not in {network.name for network in client.networks.list(names=[name])}:  # matched in part
                client.networks.create(
                    name, driver="overlay", attachable=True, labels=labels, check_duplicate=True, internal=internal
                )

    def networks_of(self, environment_id: int) -> frozenset[str]:
        """The names of those that were made for an environment."""
        labels = [f"{INSTANCE_LABEL}={self._instance}", f"{ENVIRONMENT_ID_LABEL}={environment_id}"]
        with self._engine.speaking("look at the networks of an environment") as client:
            return frozenset(network.name for network in client.networks.list(filters={"label": labels}))

    def drop_network(self, name: str) -> None:
        """Takes a network away that nothing uses; one that is used stays."""
        with self._engine.speaking(f"remove the network {name}") as client, suppress(NotFound):
            try:
                client.networks.get(name).remove()
            except APIError as error:
                if error.status_code not in _STILL_IN_USE:
                    raise

    def pull(self, image: str, seconds: float) -> bool:
        """Has the engine hold the image; False when it did already. Raises StepFailed with the registry's words."""
        image = self._login.here(image)
        with self._engine.speaking(f"pull {image}") as client:
            try:
                _held(client, image)
            except ImageNotFound:
                self._pull(image, time.monotonic() + seconds)
                return True
        return False

    def pin(self, image: str, seconds: float) -> str:
        """A reference by digest, for an image that no pipeline of ours built.

        One that only the engine has (a base image) is pushed into the registry first, so that it has a digest.
        """
        self.pull(image, seconds)
        name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "latest")
        with self._engine.speaking(f"look at {image}") as client:
            digests: list[str] = _held(client, image)["RepoDigests"]
            if known := [digest for digest in digests if digest.partition("@")[0] == name]:
                return known[0]
        return self.publish(f"{name}:{tag}")

    def publish(self, image: str) -> str:
        """Puts an image that only the engine has into our registry; gives it by digest.

        Where the registry has its layers, this takes a moment.
        """
        name, _, tag = image.rpartition(":")
        copy = f"{self._login.address}/{own_copy(name)}"
        with self._engine.speaking(f"push {image}") as client:
            client.api.tag(image, copy, tag)
            login = self._login.of(copy, PULL, PUSH)
            answers = list(client.api.push(copy, tag, stream=True, auth_config=login, decode=True))
        return f"{copy}@{parse_pushed_digest(answers, f'{copy}:{tag}')}"

    def configuration(self, image: str, seconds: float) -> ImageConfiguration:
        """What the image says of itself; it is pulled where the engine does not have it."""
        self.pull(image, seconds)
        with self._engine.speaking(f"look at {image}") as client:
            return parse_configuration({"config": _held(client, image).get("Config")})

    def _pull(self, image: str, deadline: float) -> None:
        """The engine tells its progress all the while, so that the deadline is looked at often."""
        try:
            login = self._login.of(image)
            for told in self._engine.client.api.pull(image, stream=True, auth_config=login, decode=True):
                if "error" in told:
                    raise _not_pulled(image, told["error"])
                if time.monotonic() > deadline:
                    raise DeadlineExceeded(
                        f"Pulling {image} took too long.", "Raise pull_seconds, or look at the network."
                    )
        except APIError as error:
            raise _not_pulled(image, error.explanation or str(error)) from error

    def deploy(
        self,
        stack: str,
        document: str,
        secrets: Mapping[str, str],
        seconds: float,
        files: Sequence[SwarmSecret] = (),
        *,
        prune: bool = True,
    ) -> None:
        """Gives the stack to Swarm; with `prune`, what else ran there goes.

        The file's `${CABESTAN_SECRET_…}` are filled in here, in memory alone. Secrets that it wants as files are made
        first. Given once more where Swarm changed a service while the client was at it: it does so by itself, where
        an update goes on or ends.
        """
        deadline, document = time.monotonic() + seconds, in_stack(self._login.here, document)
        with self._alone(stack, deadline) as lock, tempfile.TemporaryDirectory(prefix="cabestan-") as home:
            if files:
                self.ensure_secrets(stack, files)
            (Path(home) / "config.json").write_text(self._login.client_file(images_of(document)))
            environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "DOCKER_CONFIG": home}
            command = deploy_command(self._engine.address, stack, prune=prune)
            given = with_values(document, secrets) if secrets else document
            written = (as_in_file(value) for value in secrets.values())
            redactor = Redactor((*secrets.values(), *written, *(file.value for file in files)))
            try:
                while words := redactor.text(refusal(command, given, deadline, environment, lock)):
                    self._engine.refuse_absence(words)
                    if CHANGED_MEANWHILE not in words or time.monotonic() + _CHANGED_AGAIN_SECONDS > deadline:
                        raise StepFailed(f"Swarm refused the stack: {words[-1500:]}")
                    _log.info("Swarm changed the stack meanwhile, and is given it once more", stack=stack, words=words)
                    time.sleep(_CHANGED_AGAIN_SECONDS)
            except subprocess.TimeoutExpired as error:
                message = f"`docker stack deploy` of {stack} took longer than {seconds:.0f} s."
                raise DeadlineExceeded(message, "Raise apply_seconds, or look at the engine.") from error

    def ensure_volumes(self, stack: str, volumes: Sequence[StackVolume], seconds: float) -> None:
        """Makes those that are new, before anything uses them; their images are pulled where they are missing.

        Never two at once: each would see what the other has begun.
        """
        volumes = [volume.found(self._login.here) for volume in volumes]
        if not self._unready(stack, volumes):
            return
        deadline = time.monotonic() + seconds
        with self._alone(stack, deadline):
            for volume in self._unready(stack, volumes):
                for image in {place.image for place in volume.places}:
                    self.pull(image, deadline - time.monotonic())
                with self._engine.speaking(f"make the volume {volume.name}") as client:
                    make(client, stack, self._own_labels(stack), volume)

    def _unready(self, stack: str, volumes: Sequence[StackVolume]) -> tuple[StackVolume, ...]:
        if not volumes:
            return ()
        with self._engine.speaking(f"look at the volumes of {stack}") as client:
            return unready(client, stack, volumes)

    def ensure_secrets(self, stack: str, files: Sequence[SwarmSecret]) -> None:
        """Makes the files' secrets that are missing."""
        values = [file.value for file in files]
        with self._engine.speaking(f"make the secrets of {stack}", values) as client:
            ensure_secrets(client, self._own_labels(stack), files)

    def drop_secrets(self, stack: str, kept: Collection[str]) -> tuple[str, ...]:
        """Removes the files' secrets that are not kept and not in use; gives their names.

        Never while the stack is being deployed: what that needs is there when it begins, or made again.
        """
        with self._alone(stack, time.monotonic() + _SHORTLY), self._engine.speaking("remove old secrets") as client:
            return drop_secrets(client, self._own_labels(stack), kept)

    def ensure_configs(self, stack: str, texts: Mapping[str, str]) -> None:
        """Makes the configs that are missing, by their names."""
        if not texts:
            return
        with self._engine.speaking(f"make the configs of {stack}") as client:
            ensure_configs(client, self._own_labels(stack), texts)

    def drop_configs(self, stack: str, kept: Collection[str]) -> tuple[str, ...]:
        """As `drop_secrets`."""
        with self._alone(stack, time.monotonic() + _SHORTLY), self._engine.speaking("remove old configs") as client:
            return drop_configs(client, self._own_labels(stack), kept)

    def _own_labels(self, stack: str) -> dict[str, str]:
        """With the stack's own label: `docker stack rm` takes along what has it, but for volumes."""
        return {INSTANCE_LABEL: self._instance, STACK_LABEL: stack}

    @contextmanager
    def _alone(self, stack: str, deadline: float) -> Iterator[int]:
        """A lock that the client inherits: when the server is killed, its next life waits for the orphan to end.

        Two clients at once would refuse each other's changes as out of sequence.
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        with (self._locks / stack).open("w") as file:
            while not _locked(file.fileno()):
                if time.monotonic() > deadline:
                    raise DeadlineExceeded(f"Another `docker stack deploy` of {stack} does not end.")
                time.sleep(_LOCK_AGAIN_SECONDS)
            yield file.fileno()

    def state(self, stack: str) -> StackState:
        """What Swarm says of the stack's services and tasks now."""
        label = {"label": f"{STACK_LABEL}={stack}"}
        with self._engine.speaking(f"look at the stack {stack}") as client:
            services, tasks = client.api.services(filters=label), client.api.tasks(filters=label)
            return parse_stack(stack, services, tasks, engine_start(client) if any(map(ended_badly, tasks)) else None)

    def all_states(self) -> Mapping[str, StackState]:
        """The same of all stacks of this installation, by their names."""
        label = {"label": f"{INSTANCE_LABEL}={self._instance}"}
        with self._engine.speaking("look at all stacks") as client:
            services, tasks = client.api.services(filters=label), client.api.tasks(filters=label)
        of: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for service in services:
            of[service["Spec"]["Labels"].get(STACK_LABEL, "")].append(service)
        of_service = defaultdict(list)
        for task in tasks:
            of_service[task["ServiceID"]].append(task)
        return {
            stack: parse_stack(stack, mine, [task for service in mine for task in of_service[service["ID"]]])
            for stack, mine in of.items()
        }

    def resume_update(self, stack: str, service: str) -> None:
        """Lets a rolling update that Swarm has paused go on, by giving it what it has."""
        with self._engine.speaking(f"go on with the update of {service}") as client:
            if found := service_named(client, f"{stack}_{service}"):
                hand_over(client, found, found["Spec"]["TaskTemplate"])

    def restart(self, stack: str, service: str, mark: int) -> None:
        """Has Swarm replace all containers, by the service's own rules for updates; once for each mark."""

        def marked(spec: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**spec, "TaskTemplate": {**spec["TaskTemplate"], "ForceUpdate": mark}}

        self._change(stack, service, marked, f"restart {service}")

    def scale(self, stack: str, service: str, replicas: int) -> None:
        def scaled(spec: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**spec, "Mode": {"Replicated": {"Replicas": replicas}}}

        self._change(stack, service, scaled, f"scale {service}")

    def _change(self, stack: str, service: str, changed: Callable[[_Spec], _Spec], what: str) -> None:
        """Never while the stack is being deployed. Raises StepFailed where Swarm has no such service."""
        deadline = time.monotonic() + _CHANGE_SECONDS
        with self._alone(stack, deadline), self._engine.speaking(what) as client:
            while True:
                found = service_named(client, f"{stack}_{service}")
                if not found:
                    raise StepFailed(f"Swarm has no service {stack}_{service}.", "Deploy the release again.")
                wanted = changed(found["Spec"])
                if wanted == found["Spec"] or hand_over(client, found, wanted["TaskTemplate"], wanted["Mode"]):
                    return
                if time.monotonic() > deadline:
                    raise DeadlineExceeded(f"Swarm changes {stack}_{service} all the time.", "Try again.")
                time.sleep(_CHANGED_AGAIN_SECONDS)

    def node_names(self) -> Mapping[str, str]:
        """The host name of each node, by its id."""
        with self._engine.speaking("look at the Swarm's nodes") as client:
            return {node["ID"]: node["Description"]["Hostname"] for node in client.api.nodes()}

    def words_of(self, task: TaskState) -> ContainerWords:
        """What the task's container says, where the engine of its node is reached and still has it."""
        if not task.container:
            return ContainerWords()
        try:
            return _words_of(NodeContainer(task.container, self._nodes.of(task.node)))
        except (NotReached, StepFailed):
            return ContainerWords()

    def listeners(self, task: TaskState) -> tuple[Listener, ...] | None:
        """Where the task's container takes connections; None where that cannot be told."""
        try:
            with self._nodes.of(task.node).speaking("look where a container listens") as client:
                made = client.api.exec_create(task.container, LISTENING)["Id"]
                return parse_listeners(client.api.exec_start(made).decode(errors="replace"))
        except (NotReached, StepFailed):
            return None

    def end_of(self, task: TaskState) -> tuple[str, str]:
        """What ended the task's container, beside itself, and its last lines; empty where that cannot be told."""
        if not task.container:
            return task.error, ""
        try:
            words = _words_of(NodeContainer(task.container, self._nodes.of(task.node)))
        except (NotReached, StepFailed):
            return "", ""
        return words.why, "\n".join(words.output)

    def remove(self, stack: str, networks: Collection[str]) -> None:
        """Takes the stack's services, secrets and configs away, and the networks that are named; never its volumes."""
        label = {"label": f"{STACK_LABEL}={stack}"}
        with self._engine.speaking(f"remove the stack {stack}") as client:
            for service in client.api.services(filters=label):
                client.api.remove_service(service["ID"])
            drop_secrets(client, self._own_labels(stack))
            drop_configs(client, self._own_labels(stack))
            own = {"label": f"{INSTANCE_LABEL}={self._instance}"}
            for found in client.networks.list(names=list(networks), filters=own) if networks else ():
                if found.name not in networks:  # matched in part
                    continue
                for container in found.attrs.get("Containers") or {}:
                    found.disconnect(container, force=True)
                _remove_network(found)

    def forget(self, stack: str) -> None:
        """What is kept on the disk of a stack that will never be deployed again."""
        (self._locks / stack).unlink(missing_ok=True)


def _held(client: Any, image: str) -> Mapping[str, Any]:
    """What the engine says of the image that it has under exactly this name. Raises ImageNotFound.

    The engine itself also takes (the beginning of) an image's id, by which a project could name another one's image.
    """
    found: Mapping[str, Any] = client.api.inspect_image(image)
    if familiar_name(image) not in (*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ())):
        raise ImageNotFound(f"No such image: {image}")
    return found


def _not_pulled(image: str, words: str) -> StepFailed:
    remedy = "Does the registry run (`cabestan doctor`), and does it still have the image?"
    return StepFailed(f"The image {image} cannot be pulled: {words}.", remedy)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def parse_pushed_digest(answers: Sequence[Mapping[str, Any]], reference: str) -> str:
    """The digest out of the engine's answers to a push; raises StepFailed with its words."""
    for answer in answers:
        if "error" in answer:
            raise StepFailed(f"{reference} cannot be pushed: {answer['error']}.", "Does the registry run?")
    digests = [answer["aux"]["Digest"] for answer in answers if "Digest" in answer.get("aux", {})]
    if not digests:
        raise StepFailed(f"The registry gave no digest for {reference}.", "Try again.")
    return str(digests[-1])


def _words_of(container: NodeContainer) -> ContainerWords:
    """Raises StepFailed where it is gone."""
    with container.engine.speaking("look at the container that failed") as client:
        found: Mapping[str, Any] = client.api.inspect_container(container.id)
        return parse_words(found, client.api.logs(container.id, tail=_TOLD_LINES).decode(errors="replace"))


def _remove_network(network: Any) -> None:
    """Swarm keeps it for as long as tasks are leaving: it is asked again."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while True:
        try:
            return network.remove()  # type: ignore[no-any-return]
        except NotFound:
            return None
        except APIError as error:
            if error.status_code not in _STILL_IN_USE:
                raise
            if time.monotonic() > deadline:
                raise StepFailed(f"The network {network.name} is still in use.", "Try again, or remove it.") from error
        time.sleep(_LEAVE_AGAIN_SECONDS)
