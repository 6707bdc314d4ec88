"""A real ACME server (Pebble, with its mock DNS server) that containers reach; its names all lead to this machine."""

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import docker
import httpx
from tests.integration.harness import eventually
from tests.integration.own_certificate import make_certificate
from tests.ports import free_port


@dataclass
class AcmeServer:
    """`address` is this machine's as containers see it. The root is another one at each start."""

    folder: Path
    address: str
    http_port: int

    def __post_init__(self) -> None:
        self.port, self.management, self.dns, self.dns_management = (free_port() for _ in range(4))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bundle, _ = make_certificate(self.folder, self.address)

    @property
    def directory(self) -> str:
        return f"https://{self.address}:{self.port}/dir"

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as running:
            dns = [
                *(
                    "pebble-challtestsrv",
                    "-defaultIPv6",
                    "",
                    "-defaultIPv4",
                    "127.0.0.1",
                    "-dns01",
                    f"127.0.0.1:{self.dns}",
                ),
                *("-management", f"127.0.0.1:{self.dns_management}", "-http01", "", "-https01", "", "-tlsalpn01", ""),
            ]
            config = self.folder / "pebble.json"
            config.write_text(json.dumps({"pebble": self._settings()}))
            pebble = ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{self.dns}"]
            log = running.enter_context((self.folder / "log").open("ab"))
            for command in (dns, pebble):
                environment = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1"}
                process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
                running.callback(_end, process)
            eventually(self._answers, 20, f"Pebble answers: see {self.folder}/log")
            yield

    def root(self) -> str:
        """What it signs with, as PEM."""
        return self._get("/roots/0").text

    def set_answer(self, name: str, value: str) -> None:
        """A TXT record in the DNS; the name ends with a dot."""
        url = f"http://127.0.0.1:{self.dns_management}/set-txt"
        httpx.post(url, json={"host": name, "value": value}, trust_env=False).raise_for_status()

    def lead_nowhere(self, name: str) -> None:
        """The name's address is one where nobody answers."""
        url = f"http://127.0.0.1:{self.dns_management}/add-a"
        httpx.post(url, json={"host": name, "addresses": ["127.9.9.9"]}, trust_env=False).raise_for_status()

    @contextmanager
    def dns_provider(self) -> Iterator[str]:
        """Speaks lego's `httpreq`; gives its address, as containers see it."""
        server = ThreadingHTTPServer((self.address, 0), _provider(self))
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{self.address}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _settings(self) -> dict[str, Any]:
        return {
            "listenAddress": f"{self.address}:{self.port}",
            "managementListenAddress": f"{self.address}:{self.management}",
            "certificate": str(self.bundle),
            "privateKey": str(self.folder / "key.pem"),
            "httpPort": self.http_port,
            "tlsPort": 1,
        }

    def _answers(self) -> bool:
        try:
            return self._get("/roots/0").status_code == 200
        except httpx.HTTPError:
            return False

    def _get(self, path: str) -> httpx.Response:
        context = ssl.create_default_context(cafile=str(self.bundle))
        with httpx.Client(verify=context, trust_env=False) as client:
            return client.get(f"https://{self.address}:{self.management}{path}")


def bridge_address() -> str:
    """This machine's, as containers see it; an engine that has only just made the bridge does not name it."""
    client = docker.from_env()
    try:
        (config, *_) = client.networks.get("bridge").attrs["IPAM"]["Config"]
        return str(config.get("Gateway") or next(ip_network(config["Subnet"]).hosts()))
    finally:
        client.close()


def _provider(acme: AcmeServer) -> type[BaseHTTPRequestHandler]:
    class Provider(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.endswith("/present"):
                acme.set_answer(wish["fqdn"], wish["value"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Provider


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(10)
