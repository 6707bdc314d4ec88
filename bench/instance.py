"""An installation of the bench's own: made for it, and taken away with all that it made."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench import docker_cli
from bench.api import Api
from bench.time_limits import until

_STOP_SECONDS = 15


class Instance:
    """`prepare`, `start`, measure, `remove`. Its name is on everything that it makes in Docker."""

    def __init__(self, name: str, *, containers: bool, start_seconds: float = 30) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.port, self.router_port, self.tls_port, self.registry_port = _free_ports(4)
        self.token = ""
        self._containers = containers
        self._start_seconds = start_seconds
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def registry(self) -> str:
        return f"127.0.0.1:{self.registry_port}"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'cabestan.sqlite'}"

    @property
    def api(self) -> Api:
        return Api(self.url, self.token)

    @property
    def pid(self) -> int:
        if not self._server:
            raise RuntimeError("the server does not run")
        return self._server.pid

    def prepare(self) -> None:
        command = [sys.executable, "-m", "bench.prepare", *(["--containers"] if self._containers else [])]
        done = subprocess.run(command, env=self._environment(), stdout=subprocess.PIPE, text=True, check=True)
        self.token = done.stdout.split()[-1]

    def start(self, program: Sequence[str] = ("cabestan", "serve")) -> None:
        """Returns when it answers. Raises RuntimeError where it ends before."""
        with (self.folder / "server.log").open("ab") as log:
            command = [sys.executable, "-m", *program]
            self._server = subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._answers, self._start_seconds, "the server")

    def stop(self) -> None:
        if self._server:
            self._server.terminate()
            try:
                self._server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None

    def kill(self) -> None:
        """As a loss of power would end it; also where it has ended already."""
        if self._server:
            self._server.kill()
            self._server.wait()
            self._server = None

    @property
    def runs(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def remove(self) -> None:
        """Each part, also where another one fails."""
        with ExitStack() as parts:
            parts.callback(shutil.rmtree, self.folder, ignore_errors=True)
            if self._containers:
                parts.callback(docker_cli.remove_all, self.name, self.registry)
            parts.callback(self.stop)

    def _answers(self) -> bool:
        if self._server and self._server.poll() is not None:
            words = (self.folder / "server.log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"The server ended at its start:\n{words}")
        try:
            return httpx.get(f"{self.url}/api/v1/status", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _environment(self) -> dict[str, str]:
        """Nobody else's settings: neither from the environment nor from the file."""
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("CABESTAN_")}
        return foreign | {
            "CABESTAN_CONFIG": os.devnull,
            "CABESTAN_INSTANCE": self.name,
            "CABESTAN_DATA": str(self.folder),
            "CABESTAN_PORT": str(self.port),
            "CABESTAN_ROUTER_PORT": str(self.router_port),
            "CABESTAN_ROUTER_TLS_PORT": str(self.tls_port),
            "CABESTAN_REGISTRY_PORT": str(self.registry_port),
            "CABESTAN_PUSH_FOLLOW_SECONDS": "0",
        }


def _free_ports(count: int) -> list[int]:
    """Of the loopback address; all held until the last is found, so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
