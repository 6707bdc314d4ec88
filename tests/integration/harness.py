"""A whole platform for tests: its own name, ports and data, on a real engine, with a server that can be killed."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from tests.cli.terminal import hear_interrupts
from tests.integration.served import Forked
from tests.ports import free_port

from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.vault import Vault, read_key
from cabestan.domain import docker_names
from cabestan.domain.labels import BUILDER_LABEL
from cabestan.domain.target import Target
from cabestan.engine.registry_login import PURPOSE
from cabestan.store.database import Database

CHECKOUT = Path(__file__).parents[2]
ENDED = frozenset({"succeeded", "failed", "canceled", "skipped", "rolled_back", "superseded"})
_JOB_LABEL = "cabestan.job"
_RUN_LABEL = "cabestan.run"
_INSTANCE_LABEL = "cabestan.instance"
_STACK_LABEL = "com.docker.stack.namespace"
_START_SECONDS = 60.0
#: base images may have to be made, on a machine that is busy with other tests
_PREPARE_SECONDS = 900


def start_container(container: Container) -> None:
    """The engine gives up after 20 s with a network that is not ready, which a busy machine may take longer for."""
    for _ in range(3):
        try:
            return container.start()
        except APIError as error:
            if "attaching to network failed" not in str(error):
                raise
    raise AssertionError(f"No network takes {container.name} in.")


def said_inside(container: Container, *command: str) -> str:
    """What a command that only looks says in a container; fails with its words.

    Of one that ends at once the engine, when it is busy, loses what it said at times: it is asked again.
    """
    for _ in range(5):
        code, output = container.exec_run(list(command))
        assert code == 0, f"exit code {code} of {' '.join(command)}: {output.decode(errors='replace')}"
        if output:
            break
    return str(output.decode().strip())


def eventually(condition: Callable[[], Any], seconds: float, what: str, pause: float | None = None) -> Any:
    """The condition's first true value; fails with `what` when there is none in time.

    Without a `pause` it looks the less often the longer it takes, for looking takes time from what is waited for.
    """
    start = time.monotonic()
    while not (value := condition()):
        passed = time.monotonic() - start
        assert passed < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause or min(0.1 + passed / 20, 0.4))
    return value


@contextmanager
def repeating(work: Callable[[], object], enough: threading.Event | None = None, pause: float = 0.0) -> Iterator[None]:
    """Does it over and over beside the block: until that ends, or it is enough."""
    stopped = enough or threading.Event()

    def go_on() -> None:
        while not stopped.wait(pause):
            work()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@dataclass(frozen=True)
class Pushed:
    """What `git push` did. `pipeline` is the id that it printed; None where it printed none."""

    code: int
    output: str
    commit: str

    @property
    def pipeline(self) -> int | None:
        _, found, rest = self.output.partition("Pipeline ")
        return int(rest.split()[0]) if found else None


@dataclass
class Platform:
    """Started by `prepare`; `remove` takes all of it away. The server runs as a process of its own."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    #: further variables of its environment
    beside: dict[str, str] = field(default_factory=dict)
    #: put before each command of the platform, to run it elsewhere
    prefix: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    engine: str = "unix:///var/run/docker.sock"
    #: those that it deploys to beside its own engine
    targets: tuple[Target, ...] = ()
    token: str = ""
    root: str = ""
    process: "Forked | subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.instance = f"t{uuid.uuid4().hex[:7]}"
        self.port, self.router_port, self.registry_port = free_port(), free_port(), free_port()
        self.tls_port = free_port()
        self.data = self.folder / "data"
        self.kills = self.folder / "kills"
        self.kills.mkdir(parents=True, exist_ok=True)
        self.client = docker.DockerClient(base_url=self.engine, version="auto", timeout=60)
        self.http = httpx.Client(base_url=f"http://{self.host}:{self.port}", timeout=30, trust_env=False)

    @property
    def environment(self) -> dict[str, str]:
        given = {
            "instance": self.instance,
            "data": str(self.data),
            "host": self.host,
            "port": str(self.port),
            "router_port": str(self.router_port),
            "router_tls_port": str(self.tls_port),
            "registry_port": str(self.registry_port),
            "engine": self.engine,
            "watch_seconds": "1",
            "free_bytes": str(64 * 1024 * 1024),
            "healthy_seconds": "120",
            # a test waits for what it is about
            "push_follow_seconds": "0",
            # those of tests that are over go soon: each takes memory, and a network of some thirty
            "builders": "4",
            "builder_idle_seconds": "20",
            "builder_memory_bytes": str(1024**3),
            "backup_schedule": "off",
            **self.settings,
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        source = {"PYTHONPATH": str(CHECKOUT / "src"), "CABESTAN_CONFIG": os.devnull}
        return kept | source | self.beside | {f"CABESTAN_{name.upper()}": value for name, value in given.items()}

    @property
    def registry_login(self) -> RegistryLogin:
        """As the platform itself has it."""
        return RegistryLogin(f"127.0.0.1:{self.registry_port}", Vault(read_key(self.data / "key")).derive(PURPOSE))

    # ---- the platform's life

    def prepare(self) -> None:
        output = self.folder / "prepare.log"
        done = self._run(["prepare", *self._targets], output)
        assert done.wait(_PREPARE_SECONDS) == 0, output.read_text(errors="replace")
        self.token = json.loads(output.read_text().splitlines()[-1])["token"] or self.token
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def start(self, kill_at: Iterable[str] = ()) -> None:
        """Starts the server and waits until it answers, or has killed itself as asked."""
        wishes = [part for boundary in kill_at for part in ("--kill-at", boundary)]
        self.process = self._run(
            ["serve", "--kills", str(self.kills), *wishes, *self._targets], self.folder / "server.log"
        )
        eventually(
            lambda: self.died or self.answers, _START_SECONDS, f"the server starts\n{self.server_log[-3000:]}", 0.05
        )

    @property
    def _targets(self) -> tuple[str, ...]:
        return tuple(part for target in self.targets for part in ("--target", json.dumps(asdict(target))))

    def _run(self, words: Sequence[str], output: Path) -> "Forked | subprocess.Popen[bytes]":
        """A process of the platform; elsewhere, it is one that starts from nothing."""
        if not self.prefix:
            return Forked(words, self.environment, output)
        command = [*self.prefix, sys.executable, "-m", "cabestan.testing", *words]
        with output.open("ab") as file:
            return subprocess.Popen(command, env=self.environment, stdout=file, stderr=file)

    @property
    def died(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return self.http.get("/api/v1/status").status_code == 200
        return False

    @property
    def server_log(self) -> str:
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    @contextmanager
    def served_with(self, **settings: str) -> Iterator[None]:
        """The server has these settings meanwhile, for which it is stopped and started."""
        former = self.settings
        self.stop()
        try:
            self.settings = former | settings
            self.start()
            yield
        finally:
            self.stop()
            self.settings = former
            self.start()

    def restart(self, kill_at: Iterable[str] = ()) -> None:
        """Killed, not asked to stop."""
        self.kill()
        self.start(kill_at)

    def run_through(self, boundaries: Sequence[str], done: Callable[[], Any], seconds: float) -> Any:
        """Restarts the server each time that it kills itself, until `done`; then without further kills."""
        deadline = time.monotonic() + seconds
        deaths = 0
        while True:
            if self.died:
                deaths += 1
                assert self.process
                assert self.process.returncode == -signal.SIGKILL, self.server_log[-3000:]
                self.start(boundaries)
            with suppress(httpx.HTTPError):
                # one that has just left its marker may still answer
                if (value := done()) and deaths == len(self.killed_at.intersection(boundaries)):
                    return value
            assert time.monotonic() < deadline, f"not done in {seconds} s, killed at {self.killed_at}"
            time.sleep(0.1)

    def forget_kills(self) -> None:
        """Those that were done are done again, where the server is started so."""
        for marker in self.kills.iterdir():
            marker.unlink()

    @property
    def killed_at(self) -> frozenset[str]:
        return frozenset(marker.name for marker in self.kills.iterdir())

    def remove(self) -> None:
        """All that bears the platform's name, on this engine and on the disk."""
        try:
            self._remove()
        finally:
            self.close()

    def _remove(self) -> None:
        with suppress(Exception):
            self.stop()
        if self.process and self.process.poll() is None:
            self.kill()
        label = {"label": f"{_INSTANCE_LABEL}={self.instance}"}
        for service in self.client.services.list(filters=label):
            _quietly(service.remove)
        for container in self.client.containers.list(all=True, filters=label, ignore_removed=True):
            _quietly(lambda c=container: c.remove(force=True, v=True))
        for secret in self.client.secrets.list(filters=label):
            _quietly(secret.remove)
        for network in self.client.networks.list(filters=label):
            eventually(lambda n=network: _quietly(n.remove), 120, f"network {network.name} goes")
        for volume in self.client.volumes.list():
            if volume.name.startswith(f"{self.instance}-"):
                _quietly(lambda v=volume: v.remove(force=True))
        for image in self.client.api.images():
            for tag in (*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())):
                if tag.startswith(f"127.0.0.1:{self.registry_port}/"):
                    _quietly(lambda t=tag: self.client.images.remove(t, force=False))

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """What is deployed meanwhile ends afterwards: its health checks and its routes would slow later tests down."""
        before = {service.id for service in self._deployed()}
        try:
            yield
        finally:
            for service in self._deployed():
                if service.id not in before:
                    _quietly(service.remove)

    def _deployed(self) -> list[Any]:
        label = {"label": [f"{_INSTANCE_LABEL}={self.instance}", _STACK_LABEL]}
        services: list[Any] = self.client.services.list(filters=label)
        return services

    def close(self) -> None:
        """The connections of this process; what runs goes on."""
        self.http.close()
        self.client.close()

    # ---- what people do

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.http.get(f"/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.http.post(f"/api/v1{path}", json=dict(body or {}))
        answer.raise_for_status()
        return answer.json()

    def run_now(self, schedule: int) -> Any:
        """As soon as no run by the clock is in the way."""

        def asked() -> Any:
            answer = self.http.post(f"/api/v1/schedules/{schedule}/run")
            return answer.status_code != 409 and answer.raise_for_status().json()

        return eventually(asked, 60, f"schedule {schedule} runs")

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        self.http.put(f"/api/v1{path}", json=dict(body)).raise_for_status()

    def make_project(self, files: Mapping[str, str], name: str = "") -> "Work":
        """A project with a clone of it; nothing is pushed yet."""
        name = name or f"t/{uuid.uuid4().hex[:8]}"
        self.post("/projects", {"name": name})
        return Work(self, name, self.folder / "clones" / name.replace("/", "-"), dict(files))

    def pipelines(self, project: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/projects/{project}/pipelines")["items"]
        return found

    def deployments(self, project: str, environment: str = "") -> list[dict[str, Any]]:
        wish = {"environment": environment} if environment else {}
        found: list[dict[str, Any]] = self.get(f"/projects/{project}/deployments", **wish)["items"]
        return found

    def wait_for_pipeline(self, key: int, seconds: float = 60) -> dict[str, Any]:
        return self._ended(f"/pipelines/{key}", seconds)

    def wait_for_deployment(self, key: int, seconds: float = 60) -> dict[str, Any]:
        return self._ended(f"/deployments/{key}", seconds)

    def succeeds(self, deployment: int, seconds: float = 60) -> None:
        ended = self.wait_for_deployment(deployment, seconds)
        assert ended["status"] == "succeeded", f"deployment {deployment} {ended['status']}: {ended['reason']}"

    def _ended(self, path: str, seconds: float) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = self.get(path)
            return found if found["status"] in ENDED else None

        ended_thing: dict[str, Any] = eventually(ended, seconds, f"{path} ends")
        return ended_thing

    def log(self, job: int) -> str:
        return self.http.get(f"/api/v1/jobs/{job}/log").text

    def ask(self, host: str, path: str = "/", **options: Any) -> httpx.Response:
        """Through the router, over HTTPS, as a browser would that trusts the platform's own authority alone."""
        url = f"https://{self.host}:{self.tls_port}{path}"
        headers = {"Host": f"{host}:{self.tls_port}", **options.pop("headers", {})}
        method, extensions = options.pop("method", "GET"), {"sni_hostname": host}
        with httpx.Client(verify=self.trust(), timeout=10, trust_env=False) as client:
            return client.request(method, url, headers=headers, extensions=extensions, **options)

    def comes_to_say(self, host: str, text: str, path: str = "/") -> None:
        """Within a while: the former containers live on for seconds, and a busy router looks for others late."""
        said = ""

        def says() -> bool:
            nonlocal said
            with suppress(httpx.TransportError):
                said = self.ask(host, path).text
            return said.startswith(text)

        try:
            eventually(says, 30, f"{host} says {text}")
        except AssertionError as error:
            raise AssertionError(f"{error}, but {said[:500]}") from None

    def ask_plainly(
        self, host: str, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Over HTTP, without following where that leads."""
        url = f"http://{self.host}:{self.router_port}{path}"
        asked = {"Host": f"{host}:{self.router_port}", **(headers or {})}
        return httpx.request(method, url, headers=asked, timeout=10, trust_env=False)

    def connect(self, host: str) -> socket.socket:
        """A connection to the router, for what HTTP clients do not speak."""
        plain = socket.create_connection((self.host, self.tls_port), timeout=20)
        return self.trust().wrap_socket(plain, server_hostname=host)

    def trust(self) -> ssl.SSLContext:
        """Of the platform's own authority; asked for once, so that it is there while the server is not."""
        if not self.root:
            self.root = self.get("/ca")["certificate"]
        return ssl.create_default_context(cadata=self.root)

    # ---- what is there

    def left_over(self) -> dict[str, list[str]]:
        """All of the jobs and runs that there still is, in Docker and in the database: by kind, the names."""
        label = {"label": [f"{_INSTANCE_LABEL}={self.instance}", _JOB_LABEL]}
        runs = {"label": [f"{_INSTANCE_LABEL}={self.instance}", _RUN_LABEL]}
        served = self.rows("select id from environments where current_deployment_id is not null")
        kept = tuple(f"{self.instance}-{row[0]}-" for row in served)
        found = {
            "containers": [c.name for c in self.client.containers.list(all=True, filters=label, ignore_removed=True)],
            "services": [s.name for s in self.client.services.list(filters=label)],
            "secrets": [s.name for s in self.client.secrets.list(filters=label)],
            "networks": [name for name in self.networks() if not name.startswith(kept)],
            "runs": [s.name for s in self.client.services.list(filters=runs)]
            + [c.name for c in self.client.containers.list(all=True, filters=runs, ignore_removed=True)],
            "tokens": [str(row[0]) for row in self.rows("select job_id from tokens where kind = 'job'")],
        }
        return {kind: names for kind, names in found.items() if names}

    def becomes_tidy(self) -> None:
        """The engine takes away what it is told to within a while."""
        left: dict[str, list[str]] = {}

        def tidy() -> bool:
            nonlocal left
            left = self.left_over()
            return left == {}

        try:
            eventually(tidy, 30, "nothing is left over")
        except AssertionError as error:
            raise AssertionError(f"{error}, but {left}") from None

    def networks(self) -> list[str]:
        """Those of builders aside: these stay warm for a while."""
        label = {"label": f"{_INSTANCE_LABEL}={self.instance}"}
        found = self.client.networks.list(filters=label)
        return sorted(n.name for n in found if BUILDER_LABEL not in (n.attrs["Labels"] or {}))

    def builder(self, project: str) -> Container:
        """The one of a project, which is to be there."""
        found: Container = self.client.containers.get(docker_names.builder(self.instance, self.project_id(project)))
        return found

    def project_id(self, project: str) -> int:
        return int(self.rows(f"select id from projects where name = '{project}'")[0][0])

    def services(self) -> list[str]:
        label = {"label": f"{_INSTANCE_LABEL}={self.instance}"}
        return sorted(s.name for s in self.client.services.list(filters=label))

    def environment_id(self, project: str, environment: str = "staging") -> int:
        key = self.project_id(project)
        query = f"select id from environments where project_id = {key} and name = '{environment}'"
        return int(self.rows(query)[0][0])

    def of_environment(self, environment_id: int) -> list[str]:
        """The names of its services and networks."""
        start = f"{self.instance}-{environment_id}-"
        return [name for name in (*self.services(), *self.networks()) if name.startswith(start)]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """From the server's own database."""
        return _rows(self.database_url, query)

    def workflows(self) -> int:
        """How many are under way, their last steps included."""
        table, address = "dbos.workflow_status", self.database_url
        if address.startswith("sqlite"):
            table, address = "workflow_status", f"sqlite:///{self.data / 'workflows.sqlite'}"
        return int(_rows(address, f"select count(*) from {table} where status in ('PENDING', 'ENQUEUED')")[0][0])

    @property
    def database_url(self) -> str:
        return self.settings.get("database_url") or f"sqlite:///{self.data / 'cabestan.sqlite'}"


@dataclass
class Work:
    """Somebody's clone of a project. `files` are what the next push holds."""

    platform: Platform
    name: str
    folder: Path
    files: dict[str, str]
    message: str = "A change"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def address(self) -> str:
        return f"http://{self.platform.host}:{self.platform.port}/{self.name}.git"

    def host(self, environment: str) -> str:
        group, _, short = self.name.partition("/")
        return f"{environment}-{short}-{group}.localhost"

    def clear(self) -> None:
        """The next commit has none of the files of former ones."""
        self.files = {}
        self.git("read-tree", "--empty")
        self.git("clean", "-ffdxq")

    def commit(self) -> str:
        """Writes the files and commits them, also when nothing changed; the commit's id."""
        for name, text in self.files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", self.message)
        return self.git("rev-parse", "HEAD").strip()

    def push(self, token: str | None = None) -> Pushed:
        """Commits and pushes."""
        self.commit()
        return self.push_head(token)

    def push_head(self, token: str | None = None, *, branch: str = "main") -> Pushed:
        """Pushes what is committed."""
        process = self.push_in_background(token, branch=branch)
        output, _ = process.communicate(timeout=120)
        return Pushed(process.returncode, output, self.git("rev-parse", "HEAD").strip())

    def push_in_background(
        self, token: str | None = None, *, branch: str = "main", options: Sequence[str] = ()
    ) -> "subprocess.Popen[str]":
        """In a process group of its own, which hears Ctrl-C."""
        word = self.platform.token if token is None else token
        address = self.address.replace("http://", f"http://me:{word}@")
        command = ["git", "-C", str(self.folder), "push", *options, address, f"HEAD:refs/heads/{branch}"]
        return subprocess.Popen(
            command,
            env=_git_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, env=_git_environment(), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pushed_to(self, environment: str, seconds: float = 90) -> dict[str, Any]:
        """Pushes, waits for the pipeline and for what it deploys there; the deployment as it ended or waits."""
        pushed = self.push()
        assert pushed.pipeline is not None, pushed.output
        pipeline = self.platform.wait_for_pipeline(pushed.pipeline, seconds)
        assert pipeline["status"] == "succeeded", pipeline
        found = [d for d in self.platform.deployments(self.name, environment) if d["commit"] == pushed.commit]
        assert len(found) == 1
        return found[0]

    def deployed(self, seconds: float = 90) -> dict[str, Any]:
        """The same, on staging, to its end."""
        return self.platform.wait_for_deployment(self.pushed_to("staging", seconds)["id"], seconds)

    def goes_live(self, seconds: float = 90) -> None:
        """Pushes; staging serves it, or the reason why not fails the test."""
        self.platform.succeeds(self.pushed_to("staging", seconds)["id"], seconds)


def _rows(address: str, query: str) -> list[tuple[Any, ...]]:
    with closing(Database(address)) as database, database.reading() as tx:
        return [tuple(row) for row in tx.exec_driver_sql(query)]


def _git_environment() -> dict[str, str]:
    person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON}
    silent = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "NO_PROXY": "*"}
    return {"PATH": os.environ["PATH"], **silent, **person}


_PERSON = (("NAME", "Test"), ("EMAIL", "test@example.org"))


def _quietly(act: Callable[[], object]) -> bool:
    try:
        act()
    except NotFound:
        return True
    except APIError:
        return False
    return True
