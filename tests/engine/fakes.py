"""The engine's side in memory: each fake has its original's methods, remembers what it was asked, and fails on demand.

`fail("deploy", error)` makes the next call of a method raise; `fail("deploy", error, times=3)` the next three.
"""

import hashlib
import io
import json
import tarfile
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from cabestan.adapters.builders import BuilderSpec
from cabestan.adapters.databases import Scratch, Vitals
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import BuildEvent, CatalogueEntry, ImageState
from cabestan.adapters.job_containers import JobContainer, JobRun
from cabestan.adapters.node_engines import NodeContainer
from cabestan.adapters.once import Once
from cabestan.adapters.router import ServiceContainer
from cabestan.adapters.secret_files import SwarmSecret
from cabestan.adapters.stack_runs import Named, StackRun
from cabestan.adapters.tasks import ServiceState, StackState, TaskState
from cabestan.compose.stack import Stack
from cabestan.compose.volumes import StackVolume
from cabestan.domain.container_words import ContainerWords, Listener
from cabestan.domain.image import ImageConfiguration
from cabestan.domain.managed import Instance
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import BuildJob
from cabestan.engine.turns.line import Turn
from cabestan.errors import DeadlineExceeded, EngineUnavailable
from cabestan.store.logs import LogWriter

_T = TypeVar("_T")


class Failing:
    """Counts calls, and raises where it was told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._failures: dict[str, deque[Exception]] = {}

    def fail(self, method: str, error: Exception, times: int = 1) -> None:
        self._failures.setdefault(method, deque()).extend([error] * times)

    def called(self, method: str) -> list[tuple[Any, ...]]:
        return [arguments for name, *arguments in self.calls if name == method]  # type: ignore[misc]

    def _call(self, method: str, *arguments: Any) -> None:
        self.calls.append((method, *arguments))
        if waiting := self._failures.get(method):
            raise waiting.popleft()


class FakeEngine(Engine):
    """Answers at once, and is patient for a number of tries instead of a time."""

    def __init__(self) -> None:
        super().__init__("unix:///nowhere")

    @property
    def client(self) -> Any:
        return SimpleNamespace(api=SimpleNamespace(api_version="1.41", images=list))

    def patiently(self, work: Callable[[], _T], seconds: float | None = None) -> _T:
        for _ in range(5):
            try:
                return work()
            except EngineUnavailable as error:
                last = error
        raise DeadlineExceeded(f"{last.message} It was waited for {seconds or 60:.0f} s.", last.remedy) from last


def digest_of(what: str, number: int) -> str:
    return f"sha256:{hashlib.sha256(f'{what} {number}'.encode()).hexdigest()}"


class FakeJobs(Failing):
    """A job's container ends as `exits` says for its name and attempt, else well; `output` is what it prints."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[str, JobRun] = {}
        #: what each that was ever there was made of
        self.made_of: dict[str, JobContainer] = {}
        self.tokens: dict[str, str] = {}
        self.exits: dict[tuple[str, int], Exit] = {}
        self.output: dict[str, bytes] = {}
        #: called when a container would run, to see what is there then
        self.while_running: Callable[[JobRun], None] = lambda run: None
        #: called when one that builds has pushed its image, to tell which
        self.tell: Callable[[JobRun, str], None] = lambda run, digest: None

    def start(self, run: JobRun, made_of: JobContainer, token: Callable[[], str] | None) -> None:
        self._call("start", run.job.name, run.attempt)
        if run.name not in self.there:
            self.there[run.name] = run
            self.made_of[run.name] = made_of
            if token:
                self.tokens[run.name] = token().splitlines()[0]

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> NodeContainer | Exit:
        assert isinstance(run, JobRun)
        self._call("container", run.name)
        self.while_running(run)
        if run.name not in self.there:
            return Exit(None, error="its service is gone")
        if isinstance(run.job.spec, BuildJob) and (run.job.name, run.attempt) not in self.exits:
            self.tell(run, digest_of(run.job.spec.build.reference, run.job.id))
        return NodeContainer(run.name, FakeEngine())

    def exit_of(self, container: NodeContainer) -> Exit | None:
        self._call("exit_of", container.id)
        run = self.there[container.id]
        return self.exits.get((run.job.name, run.attempt), Exit(0))

    def stop(self, run: Once) -> None:
        self._call("stop", run.name)

    def remove(self, run: Once) -> None:
        self._call("remove", run.name)
        self.there.pop(run.name, None)

    def left_over(self) -> tuple[tuple[int, int], ...]:
        self._call("left_over")
        return tuple(sorted((run.job.id, run.attempt) for run in self.there.values()))

    def copy_log(
        self, _source: Any, container: str, writer: LogWriter, advanced: Callable[[], None], *, framed: bool = False
    ) -> bool:
        run = self.there.get(container)
        writer.feed(self.output.get(run.job.name, b"") if run else f"{container} says so\n".encode())
        advanced()
        return True


class FakeBuilders(Failing):
    """Each runs as soon as it is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.alone = threading.Lock()
        self.there: dict[int, BuilderSpec] = {}
        #: bytes, by project
        self.sizes: dict[int, int] = {}

    def close_gate(self) -> None:
        self._call("close_gate")

    def ensure(self, spec: BuilderSpec, *, in_use: bool) -> None:
        self._call("ensure", spec.project_id, in_use)
        self.there[spec.project_id] = spec

    def running(self) -> tuple[int, ...]:
        self._call("running")
        return tuple(sorted(self.there))

    def stop(self, project_id: int, disk: int) -> None:
        self._call("stop", project_id)
        self.there.pop(project_id, None)

    def size(self, project_id: int) -> int:
        return self.sizes.get(project_id, 0)

    def forget(self, project_id: int) -> None:
        self._call("forget", project_id)
        self.there.pop(project_id, None)


class FakeRuns(Failing):
    """A run's container ends as `exits` says for its service, else well, after `while_running`."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[str, StackRun] = {}
        #: every run that was ever started, in order
        self.started: list[StackRun] = []
        #: of each service, the exits of its runs in turn
        self.exits: dict[str, deque[Exit]] = {}
        self.while_running: Callable[[StackRun], None] = lambda run: None
        #: the names of those that were started ahead of their time, and until when they were held
        self.held: dict[str, datetime] = {}
        #: whether containers can be held
        self.holds = True
        #: the names of those that ended meanwhile
        self.ended_while_held: set[str] = set()

    def start_held(self, run: StackRun, prepare: Callable[[], None], until: datetime) -> bool:
        self._call("start_held", run.name)
        if self.holds:
            self.held[run.name] = until
            self.start(run, prepare)
        return self.holds

    def ended_before(self, run: Named, moment: datetime) -> bool:
        self._call("ended_before", run.name)
        ended = run.name in self.ended_while_held and moment == self.held.get(run.name)
        self.ended_while_held.discard(run.name)
        return ended

    def start(self, run: StackRun, prepare: Callable[[], None]) -> None:
        self._call("start", run.name)
        if run.name not in self.there:
            prepare()
            self.there[run.name] = run
            self.started.append(run)

    def container(self, run: Once, *, given_up: Callable[[], bool]) -> NodeContainer | Exit:
        self._call("container", run.name)
        if run.name not in self.there:
            return Exit(None, error="its service is gone")
        self.while_running(self.there[run.name])
        return NodeContainer(run.name, FakeEngine())

    def exit_of(self, container: NodeContainer) -> Exit | None:
        exits = self.exits.get(self.there[container.id].service["labels"]["cabestan.service"])
        return exits.popleft() if exits else Exit(0)

    def stop(self, run: Once) -> None:
        self._call("stop", run.name)

    def remove(self, run: Once) -> None:
        self._call("remove", run.name)
        self.there.pop(run.name, None)

    def left_over(self) -> tuple[Named, ...]:
        return tuple(Named(run.instance, run.id, run.attempt) for run in self.there.values())


class FakeStacks(Failing):
    """Stacks are healthy as soon as they are deployed, unless `states` holds other answers to be given first."""

    def __init__(self) -> None:
        super().__init__()
        self.networks: dict[str, int] = {}
        self.internal: set[str] = set()
        self.configs: dict[str, dict[str, str]] = {}
        self.deployed: dict[str, str] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        #: of each stack: what Swarm calls a secret, to its content
        self.files: dict[str, dict[str, str]] = {}
        #: all that were asked for, by name
        self.volumes: dict[str, StackVolume] = {}
        self.states: deque[StackState] = deque()
        self.missing: set[str] = set()
        #: what a container that failed said at its end, and what else is known of it
        self.words = ""
        #: what ended it beside itself
        self.why = ""
        self.container = ContainerWords()
        #: where containers take connections
        self.listening: tuple[Listener, ...] | None = None
        #: image without its digest to what it says of itself
        self.images: dict[str, ImageConfiguration] = {}

    def ensure_network(self, name: str, environment_id: int, *, internal: bool = False) -> None:
        self._call("ensure_network", name, environment_id)
        self.networks[name] = environment_id
        if internal:
            self.internal.add(name)

    def networks_of(self, environment_id: int) -> frozenset[str]:
        self._call("networks_of", environment_id)
        return frozenset(name for name, key in self.networks.items() if key == environment_id)

    def drop_network(self, name: str) -> None:
        self._call("drop_network", name)
        self.networks.pop(name, None)

    def ensure_configs(self, stack: str, texts: Mapping[str, str]) -> None:
        self._call("ensure_configs", stack)
        self.configs.setdefault(stack, {}).update(texts)

    def drop_configs(self, stack: str, kept: Collection[str]) -> tuple[str, ...]:
        self._call("drop_configs", stack)
        gone = tuple(name for name in self.configs.get(stack, {}) if name not in kept)
        for name in gone:
            del self.configs[stack][name]
        return gone

    def pull(self, image: str, seconds: float) -> bool:
        self._call("pull", image)
        return image in self.missing

    def pin(self, image: str, seconds: float) -> str:
        self._call("pin", image)
        return f"127.0.0.1:5600/library/{image.rpartition('/')[2].partition(':')[0]}@sha256:{'0' * 64}"

    def publish(self, image: str) -> str:
        self._call("publish", image)
        return f"127.0.0.1:5600/{image.partition(':')[0]}@{digest_of(image, 0)}"

    def configuration(self, image: str, seconds: float) -> ImageConfiguration:
        self._call("configuration", image)
        return self.images.get(image.partition("@")[0], ImageConfiguration("1001"))

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
        self._call("deploy", stack, *(() if prune else ("more",)))
        self.deployed[stack] = document
        self.secrets[stack] = dict(secrets)
        self.files.setdefault(stack, {}).update({file.name: file.value for file in files})

    def ensure_volumes(self, stack: str, volumes: Sequence[StackVolume], seconds: float) -> None:
        self._call("ensure_volumes", stack, *(volume.name for volume in volumes))
        self.volumes.update({volume.name: volume for volume in volumes})

    def ensure_secrets(self, stack: str, files: Sequence[SwarmSecret]) -> None:
        self._call("ensure_secrets", stack)
        self.files.setdefault(stack, {}).update({file.name: file.value for file in files})

    def drop_secrets(self, stack: str, kept: Collection[str]) -> tuple[str, ...]:
        self._call("drop_secrets", stack)
        gone = tuple(name for name in self.files.get(stack, {}) if name not in kept)
        for name in gone:
            del self.files[stack][name]
        return gone

    def state(self, stack: str) -> StackState:
        self._call("state", stack)
        if self.states:
            return self.states.popleft()
        if stack not in self.deployed:
            return healthy(stack, ())
        services: Mapping[str, Any] = Stack.from_yaml(self.deployed[stack]).document["services"]
        return healthy(stack, tuple(name for name in services if services[name]["deploy"].get("replicas") != 0))

    def all_states(self) -> Mapping[str, StackState]:
        return {stack: self.state(stack) for stack in self.deployed}

    def resume_update(self, stack: str, service: str) -> None:
        self._call("resume_update", stack, service)

    def restart(self, stack: str, service: str, mark: int) -> None:
        self._call("restart", stack, service, mark)

    def scale(self, stack: str, service: str, replicas: int) -> None:
        self._call("scale", stack, service, replicas)
        document: dict[str, Any] = dict(Stack.from_yaml(self.deployed[stack]).document)
        one = document["services"][service]
        changed = {**one, "deploy": {**one["deploy"], "replicas": replicas}}
        document["services"] = {**document["services"], service: changed}
        self.deployed[stack] = Stack(document).to_yaml()

    def node_names(self) -> Mapping[str, str]:
        self._call("node_names")
        return {"node": "here"}

    def words_of(self, task: TaskState) -> ContainerWords:
        self._call("words_of", task.id)
        return replace(self.container, output=(self.words,)) if self.words else self.container

    def listeners(self, task: TaskState) -> tuple[Listener, ...] | None:
        self._call("listeners", task.id)
        return self.listening

    def end_of(self, task: TaskState) -> tuple[str, str]:
        self._call("end_of", task.id)
        return self.why, self.words

    def forget(self, stack: str) -> None:
        self._call("forget", stack)

    def remove(self, stack: str, networks: Collection[str]) -> None:
        self._call("remove", stack, *sorted(networks))
        self.deployed.pop(stack, None)
        self.files.pop(stack, None)
        for network in networks:
            self.networks.pop(network, None)


class FakeVolumes(Failing):
    """Of each stack its volumes; each is packed as `contents` has it, or as a folder with one file."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[str, dict[str, str]] = {}
        self.contents: dict[str, bytes] = {}

    def of_stack(self, stack: str) -> dict[str, str]:
        self._call("of_stack", stack)
        return dict(self.there.get(stack, {}))

    def in_use(self, name: str) -> bool:
        return False

    def wait_until_free(self, name: str) -> None:
        self._call("wait_until_free", name)

    def pack(self, name: str, write: Callable[[bytes], object], seconds: float) -> None:
        self._call("pack", name)
        write(self.contents.get(name) or packed("volume/", "volume/file"))

    def remove(self, name: str) -> None:
        self._call("remove", name)
        for volumes in self.there.values():
            volumes.pop(name, None)


def packed(*names: str) -> bytes:
    """A tar with empty files, and folders where a name ends with a slash."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(entry)
    return whole.getvalue()


class FakeDatabases(Failing):
    """One engine, whose instances hold `contents`, and dump and load those."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: dict[str, dict[str, tuple[int, str]]] = {}
        self.scratches: dict[str, dict[str, tuple[int, str]]] = {}

    def node(self) -> str:
        return "here"

    def ensure_secret(self, instance: Instance, password: str) -> None:
        self._call("ensure_secret", instance.name)

    def container(self, instance: Instance) -> str:
        self._call("container", instance.name)
        return instance.name

    def dump(self, container: str, write: Callable[[bytes], object], seconds: float) -> Mapping[str, tuple[int, str]]:
        self._call("dump", container)
        found = self.contents.get(container) or self.scratches.get(container) or {}
        write(json.dumps(found).encode())
        return found

    def load(self, container: str, chunks: Iterable[bytes], seconds: float) -> None:
        self._call("load", container)
        self.scratches[container] = {k: (v[0], v[1]) for k, v in json.loads(b"".join(chunks)).items()}

    def manifest(self, container: str, seconds: float) -> Mapping[str, tuple[int, str]]:
        self._call("manifest", container)
        return self.scratches.get(container, {})

    def start_scratch(self, scratch: Scratch) -> str:
        self._call("start_scratch", scratch.name, scratch.volume, scratch.image)
        self.scratches[scratch.name] = {}
        return scratch.name

    def wait_until_ready(self, container: str, seconds: float) -> None:
        self._call("wait_until_ready", container)

    def stop_scratch(self, container: str) -> None:
        self._call("stop_scratch", container)

    def remove_scratch(self, scratch: Scratch) -> None:
        self._call("remove_scratch", scratch.name)

    def remove_volume(self, name: str) -> None:
        self._call("remove_volume", name)

    def remove_service(self, instance: Instance) -> None:
        self._call("remove_service", instance.name)

    def vitals(self, instance: Instance, seconds: float = 10) -> Vitals:
        self._call("vitals", instance.name)
        return Vitals(7_708_007, 2, "15.20")


class FakeRegistry(Failing):
    """Images run as 1001, unless `images` says otherwise of their repository."""

    address = "127.0.0.1:5600"

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[str, ImageConfiguration] = {}
        self.tags: dict[tuple[str, str], str] = {}

    def digest(self, repository: str, tag: str) -> str:
        self._call("digest", repository, tag)
        return self.tags[repository, tag]

    def find(self, repository: str, tag: str) -> str:
        self._call("find", repository, tag)
        return self.tags.get((repository, tag), "")

    def tag(self, repository: str, digest: str, tag: str) -> str:
        self._call("tag", repository, tag)
        return self.tags.setdefault((repository, tag), digest)

    def configurations(self, repository: str, digest: str) -> tuple[ImageConfiguration, ...]:
        self._call("configurations", repository, digest)
        return (self.images.get(repository, ImageConfiguration("1001")),)

    def check(self) -> None:
        self._call("check")


class FakePlatform(Failing):
    def __init__(self) -> None:
        super().__init__()
        self.joined: set[tuple[str, str]] = set()
        self.files: dict[str, bytes] = {}
        #: those that do not run, each with what the engine says of it
        self.down: dict[str, str] = {}

    def ensure(self, wanted: ServiceContainer) -> None:
        self._call("ensure", wanted.name)

    def join(self, name: str, network: str) -> None:
        self._call("join", name, network)
        self.joined.add((name, network))

    def leave(self, name: str, network: str) -> None:
        self._call("leave", name, network)
        self.joined.discard((name, network))

    def networks(self, name: str) -> frozenset[str]:
        self._call("networks", name)
        return frozenset(network for container, network in self.joined if container == name)

    def has_volume(self, name: str) -> bool:
        self._call("has_volume", name)
        return False

    def write(self, name: str, files: Mapping[str, bytes]) -> None:
        self._call("write", name, *files)
        self.files.update(files)

    def run_inside(self, name: str, script: str, *arguments: str) -> None:
        self._call("run_inside", name, *arguments)

    def read(self, name: str, path: str) -> bytes | None:
        self._call("read", name, path)
        return self.files.get(path)

    def running(self, name: str) -> bool:
        self._call("running", name)
        return name not in self.down

    def problem(self, name: str) -> str:
        self._call("problem", name)
        return self.down.get(name, "")

    def bring_back(self, wanted: ServiceContainer) -> None:
        self._call("bring_back", wanted.name)
        del self.down[wanted.name]

    def stop(self, name: str) -> None:
        self._call("stop", name)


class FakeImages(Failing):
    """A catalogue of two. The engine has all but what is `missing`; building one says a line."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: set[str] = set()
        #: called while an image is built
        self.while_building: Callable[[], None] = lambda: None

    def references(self) -> tuple[str, ...]:
        return tuple(self.dockerfiles())

    def dockerfiles(self) -> dict[str, str]:
        return {"cabestan/node:18": "FROM scratch\nEXPOSE 3000\n", "cabestan/python:3.11": "FROM scratch\n"}

    def lacking(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.missing)

    def identity(self, reference: str) -> str:
        return f"id of {reference}"

    def ensure(self, names: Iterable[str] | None, report: Callable[[BuildEvent], None]) -> tuple[str, ...]:
        built = self.lacking(self.references() if names is None else names)
        self._call("ensure", *built)
        for name in built:
            report(BuildEvent(name, "a line", 0.0))
        self.while_building()
        self.missing.difference_update(built)
        return built

    def entries(self) -> tuple[CatalogueEntry, ...]:
        return tuple(map(self._entry, self.references()))

    def _entry(self, reference: str) -> CatalogueEntry:
        name = reference.partition("/")[2].partition(":")[0]
        state, size = (ImageState.MISSING, 0) if reference in self.missing else (ImageState.BUILT, 1_000_000)
        return CatalogueEntry(name, reference, "", state, size)


class FakeDurable:
    """Workflows wait until `run`, in the order in which they were started; each id is started once, as in the original.

    `kill_before` names a step: there the workflow ends as if the process were killed, and is taken up by `recover`.
    """

    def __init__(self) -> None:
        self.started: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.waiting: deque[str] = deque()
        self.ended: list[str] = []
        self.kill_at = ""
        self.closing = False
        #: of all that were started: who asked
        self.turns: dict[str, Turn] = {}
        self._workflows: dict[str, Callable[..., None]] = {}
        self._turns: dict[str, Callable[..., Turn]] = {}
        self._recorded: dict[tuple[str, int], Any] = {}
        self._current: tuple[str, int] = ("", 0)

    def register(self, name: str, workflow: Callable[..., None], turn: Callable[..., Turn] | None = None) -> None:
        self._workflows[name], self._turns[name] = workflow, turn or (lambda *_: Turn(name, 0))

    def start(self, name: str, workflow_id: str, *arguments: int) -> None:
        if workflow_id not in self.started:
            self.turns[workflow_id] = self._turns[name](*arguments)
            self.started[workflow_id] = (name, arguments)
            self.waiting.append(workflow_id)

    def step(self, name: str, work: Callable[[], _T]) -> _T:
        self._checkpoint(f"{name}:before")
        workflow_id, number = self._current
        self._current = (workflow_id, number + 1)
        key = (workflow_id, number)
        if key not in self._recorded:
            result = work()
            self._checkpoint(f"{name}:done, not recorded")
            self._recorded[key] = result
        self._checkpoint(f"{name}:after")
        recorded: _T = self._recorded[key]
        return recorded

    def waits(self, workflow_id: str) -> bool:
        return workflow_id in self.waiting

    def served(self, kind: str) -> Mapping[int, int]:
        return {}

    def take_up(self) -> None:
        """Nothing is ever laid aside here: the disk is large enough."""

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """All that waits, and what that starts."""
        while self.waiting and not until():
            workflow_id = self.waiting.popleft()
            name, arguments = self.started[workflow_id]
            self._current = (workflow_id, 0)
            self._workflows[name](*arguments)
            self.ended.append(workflow_id)

    def recover(self) -> None:
        """What a restart does: all that has not ended waits again."""
        self.waiting = deque(key for key in self.started if key not in self.ended)

    def launch(self) -> None:
        self.recover()

    def forget(self, before: datetime) -> None:
        """All that has ended, whenever that was: an id may be started again then."""
        for workflow_id in self.ended:
            self.started.pop(workflow_id, None)
        self.ended.clear()

    def alive(self) -> frozenset[str]:
        return frozenset(self.started).difference(self.ended)

    def close(self) -> None:
        self.closing = True

    def _checkpoint(self, place: str) -> None:
        if self.kill_at and place == self.kill_at:
            self.kill_at = ""
            raise Killed(place)


class Killed(BaseException):
    """The process was killed here."""


def healthy(stack: str, services: tuple[str, ...]) -> StackState:
    task = TaskState("t", 1, "running", "running", "", "i", True, "2024-05-01T10:00:00Z", "n")
    return StackState(stack, tuple(ServiceState(name, "i", 1, False, "", "", (task,)) for name in services))


def failing(stack: str, service: str, words: str) -> StackState:
    """Its task was rejected, long after any deployment began."""
    task = TaskState("t", 1, "rejected", "shutdown", words, "i", True, "9999", "n")
    return StackState(stack, (ServiceState(service, "i", 1, False, "", "", (task,)),))
