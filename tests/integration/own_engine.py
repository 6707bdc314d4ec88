"""A Docker engine of the test's own, that can be killed: in a network and a mount namespace of its own."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.harness import CHECKOUT, eventually

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import ImageCatalogue

IMAGES = (
    "cabestan/debian:12",
    "cabestan/python:3.11",
    "cabestan/builder:1",
    "cabestan/registry:3",
    "cabestan/router:5",
)
#: the first half of their addresses
NETWORK = "10.203"
#: the mounts that all starts share, as those of a machine: what a killed engine left, the next one clears away
_MOUNTS = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
echo mounted
exec cat
"""


@dataclass
class OwnEngine:
    """`address` for its clients, `host` where its network is reached, `prefix` to run a command in that network."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="engine-")))
    number: int = field(default_factory=lambda: random.randrange(2, 250))
    process: "subprocess.Popen[bytes] | None" = None
    mounts: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.name = f"cabtest{self.number}"
        self.address = f"unix://{self.folder}/docker.sock"
        self.host = f"{NETWORK}.{self.number}.2"
        self.prefix = ("nsenter", f"--net=/var/run/netns/{self.name}")

    def make(self) -> None:
        """The network namespace, joined to this machine by a pair of virtual cards, and the one of the mounts."""
        outside, inside = f"cabo{self.number}", f"cabi{self.number}"
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name)
        _run("ip", "address", "add", f"{NETWORK}.{self.number}.1/30", "dev", outside)
        _run("ip", "link", "set", outside, "up")
        _run(*self.prefix, "ip", "link", "set", "lo", "up")
        _run(*self.prefix, "ip", "address", "add", f"{self.host}/30", "dev", inside)
        _run(*self.prefix, "ip", "link", "set", inside, "up")
        _run(*self.prefix, "ip", "route", "add", "default", "via", f"{NETWORK}.{self.number}.1")
        command = [*self.prefix, "unshare", "--mount", "--uts", "--ipc", "sh", "-c", _MOUNTS]
        self.mounts = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.mounts.stdout
        assert self.mounts.stdout.readline() == b"mounted\n"

    def start(self) -> None:
        assert self.mounts
        inside = ["nsenter", f"--target={self.mounts.pid}", "--net", "--mount", "--uts", "--ipc"]
        sockets = ["-H", "unix:///run/docker.sock", "-H", self.address]
        folders = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        with (self.folder / "log").open("ab") as log:
            command = [*inside, "dockerd", *sockets, *folders]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: self._answers() or self._died(), 60, f"the engine answers: see {self.folder}/log", 0.2)

    def command(self, *words: str) -> str:
        """What the `docker` client says that speaks to it."""
        return _run("docker", "--host", self.address, *words)

    @contextmanager
    def join(self, manager: "OwnEngine") -> Iterator[None]:
        """A worker of the other one's Swarm, which is made; until the block ends each reaches the other's network."""
        rule = ["FORWARD", "-s", f"{NETWORK}.0.0/16", "-d", f"{NETWORK}.0.0/16", "-j", "ACCEPT"]
        _run("iptables", "--wait", "-I", *rule)
        try:
            manager.command("swarm", "init", "--advertise-addr", manager.host)
            token = manager.command("swarm", "join-token", "--quiet", "worker").strip()
            self.command("swarm", "join", "--advertise-addr", self.host, "--token", token, f"{manager.host}:2377")
            yield
        finally:
            _run("iptables", "--wait", "-D", *rule)

    def load(self, images: Sequence[str] = IMAGES) -> None:
        """These base images of the shared engine, which gets those that it lacks first."""
        shared = Engine("unix:///var/run/docker.sock")
        with closing(shared.client):
            ImageCatalogue(shared, CHECKOUT / "images", None).ensure(images, lambda _event: None)
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving:
            _run("docker", "--host", self.address, "load", stdin=saving.stdout)
        assert saving.returncode == 0

    def kill(self) -> None:
        """As a crash: the daemon and its containerd are gone, the containers go on until the next start."""
        assert self.process
        self.process.kill()
        self.process.wait()
        for pid_file in (self.folder / "exec" / "containerd" / "containerd.pid", self.folder / "pid"):
            with suppress(FileNotFoundError, ProcessLookupError):
                if pid_file.name == "containerd.pid":
                    os.kill(int(pid_file.read_text()), signal.SIGKILL)
            pid_file.unlink(missing_ok=True)

    def stop(self) -> None:
        """As the service manager does it: the containers are ended first."""
        assert self.process
        self.process.terminate()
        self.process.wait(60)

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            with suppress(AssertionError):  # it may be on its way down
                if running := self.command("ps", "--quiet").split():
                    self.command("kill", *running)  # it would give each its time to end
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        for _ in range(20):
            if not (pids := self._processes()):
                break
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        if self.process:
            self.process.wait(20)
        if self.mounts:
            self.mounts.communicate(timeout=20)
        for line in Path("/proc/mounts").read_text().splitlines():
            if str(self.folder) in line:
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        subprocess.run(["ip", "link", "del", f"cabo{self.number}"], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        command = ["docker", "--host", self.address, "version"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _died(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        return False

    def _processes(self) -> list[int]:
        """Of this engine alone: those that name its folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it may be gone by now
                line = (process / "cmdline").read_bytes()
                if str(self.folder).encode() in line and int(process.name) != os.getpid():
                    found.append(int(process.name))
        return found


def _run(*command: str, stdin: object = subprocess.DEVNULL) -> str:
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=240, check=False)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return str(done.stdout)
