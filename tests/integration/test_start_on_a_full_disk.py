"""A server whose disk is full starts, says so, shows what there is, and works again by itself when there is room."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.integration.harness import CHECKOUT, eventually
from tests.integration.test_full_disk import fill, small_disk
from tests.ports import free_port

from cabestan.bootstrap import bootstrap
from cabestan.config import Settings
from cabestan.engine.upkeep import platform

pytestmark = pytest.mark.integration

_SERVER = (sys.executable, "-m", "cabestan.server")


@dataclass
class Server:
    """A process; SQLite and the logs are on the small disk, and no engine answers."""

    disk: Path
    port: int
    token: str = ""

    @property
    def settings(self) -> Settings:
        nowhere = f"unix://{self.disk}/none.sock"
        return Settings(data=self.disk / "data", port=self.port, engine=nowhere, engine_seconds=1)

    @property
    def log(self) -> Path:
        return self.disk.parent / "server.log"

    @contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
        given = {"data": self.settings.data, "port": self.port, "engine": self.settings.engine, "engine_seconds": 1}
        environment = {f"CABESTAN_{name.upper()}": str(value) for name, value in given.items()}
        environment |= {"CABESTAN_CONFIG": os.devnull, "PYTHONPATH": str(CHECKOUT / "src")}
        with (
            self.log.open("wb") as log,
            subprocess.Popen(_SERVER, env=environment, stdout=log, stderr=log) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30) as client,
        ):
            try:
                client.headers["Authorization"] = f"Bearer {self.token}"
                eventually(lambda: process.poll() is not None or self._answers(client), 60, "the server starts")
                assert process.poll() is None, self.log.read_text()
                yield process, client
            finally:
                process.kill()

    def _answers(self, client: httpx.Client) -> bool:
        with suppress(httpx.HTTPError):
            return client.get("/api/v1/status").status_code == 200
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk") as disk:
        made = Server(disk, free_port())
        cabestan = bootstrap(made.settings)
        made.token = platform.ensure_administrator(cabestan.services.database) or ""
        cabestan.close()
        yield made


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_starts_on_a_full_disk_and_reads(server: Server, end: signal.Signals) -> None:
    """Once that was stopped in order, and so has no file of SQLite's that it could go on with; and once killed."""
    with server.running() as (process, client):
        assert client.post("/api/v1/projects", json={"name": "a/before"}).status_code == 201
        process.send_signal(end)
        process.wait(30)
    if end == signal.SIGKILL:
        (server.settings.data / "reserve").unlink()  # as if an earlier start had used it
    filler = fill(server.disk)
    with server.running() as (process, client):
        assert [project["name"] for project in client.get("/api/v1/projects").json()["items"]] == ["a/before"]
        (alert,) = client.get("/api/v1/alerts").json()["items"]
        assert (alert["kind"], alert["message"]) == ("disk", "No room is left on the disk that holds the data.")
        fill(server.disk.joinpath("data"))
        refused = client.post("/api/v1/projects", json={"name": "a/meanwhile"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage_full")
        log = server.log.read_text()
        assert "No room is left on the disk" in log
        assert "Traceback" not in log
        filler.unlink()
        (server.settings.data / "filler").unlink()
        eventually(lambda: client.get("/api/v1/alerts").json()["items"] == [], 30, "there is room again")
        assert client.post("/api/v1/projects", json={"name": "a/after"}).status_code == 201
        eventually((server.settings.data / "reserve").exists, 30, "the next start has its reserve")
