"""The example projects, pushed as they are and asked through the router."""

import base64
import json
import os
import re
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.integration.conftest import ShareLayers
from tests.integration.harness import CHECKOUT, Platform, Work, eventually

pytestmark = pytest.mark.integration
EXAMPLES = CHECKOUT / "examples"
#: a base image may have to be built first
SECONDS = 280
#: images that other platforms push too
_SHARED = {"python-postgresql": "postgresql:15", "php-mysql": "mariadb:10.11"}


@dataclass
class Example:
    """One that was pushed, on staging."""

    platform: Platform
    work: Work

    @property
    def host(self) -> str:
        return self.work.host("staging")

    def ask(self, path: str = "/", *, host: str = "", **options: Any) -> httpx.Response:
        """Through the router."""
        return self.platform.ask(host or self.host, path, **options)

    def deploy(self) -> dict[str, Any]:
        """Pushes what is in the clone, and waits until it serves; the deployment."""
        deployment = self.work.deployed(SECONDS)
        assert deployment["status"] == "succeeded", json.dumps(deployment, indent=1)
        return deployment


def example(platform: Platform, name: str) -> Example:
    """A project with the files of an example, not pushed yet."""
    work = platform.make_project({}, f"ex/{name}")
    shutil.copytree(EXAMPLES / name, work.folder, dirs_exist_ok=True)
    return Example(platform, work)


@pytest.fixture
def deployed(platform: Platform, share_layers: ShareLayers, request: pytest.FixtureRequest) -> Example:
    """The example that the test names, serving on staging."""
    if request.param in _SHARED:
        share_layers(platform, _SHARED[request.param])
    found = example(platform, request.param)
    found.deploy()
    return found


@pytest.mark.parametrize("deployed", ["static-site"], indirect=True)
def test_a_static_site_has_its_files_from_a_host_that_begins_with_cdn(deployed: Example) -> None:
    page = deployed.ask()
    assert "<h1>The lighthouse</h1>" in page.text
    addresses = re.findall(r'(?:href|src)="//([^/]+)(/[^"]+)"', page.text)
    assert [path for _, path in addresses] == ["/style.css", "/lighthouse.svg"]
    assert {host.partition(":")[0] for host, _ in addresses} == {f"cdn.{deployed.host}"}
    for _, path in addresses:
        answer = deployed.ask(path, host=f"cdn.{deployed.host}")
        assert answer.content == (EXAMPLES / "static-site" / "statics" / path.lstrip("/")).read_bytes()
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert deployed.ask("/style.css").status_code == 404


@pytest.mark.parametrize("deployed", ["python-postgresql"], indirect=True)
def test_python_keeps_its_rows_in_postgresql_over_a_migration(deployed: Example) -> None:
    assert "Nobody has written yet." in deployed.ask().text
    write(deployed, "Zoë <b>", "Ça marche")
    third = deployed.work.folder / "migrations" / "0003_mood.sql"
    third.write_text("ALTER TABLE entries ADD COLUMN mood text NOT NULL DEFAULT 'calm';\n")
    (migration,) = deployed.deploy()["runs"]
    page = deployed.ask().text
    assert "<strong>Zoë &lt;b&gt;</strong>" in page
    assert "Ça marche" in page
    log = deployed.platform.http.get(f"/api/v1/runs/{migration['id']}/log").text
    assert (migration["service"], "migrating: 0003_mood.sql" in log) == ("migrate_db", True)


@pytest.mark.parametrize("deployed", ["node-redis"], indirect=True)
def test_node_counts_on_in_redis_over_a_deployment(deployed: Example) -> None:
    counts = [deployed.ask("/a?b").json() for _ in range(2)]
    assert counts == [{"page": "/a", "visits": 1}, {"page": "/a", "visits": 2}]
    deployed.deploy()
    assert deployed.ask("/a").json() == {"page": "/a", "visits": 3}


@pytest.mark.parametrize("deployed", ["php-mysql"], indirect=True)
def test_php_keeps_its_rows_in_mysql_over_a_deployment(deployed: Example) -> None:
    assert "Nobody has written yet." in deployed.ask().text
    write(deployed, "Zoë <b>", "Ça marche 🎉")
    deployed.deploy()
    page = deployed.ask().text
    assert "<strong>Zoë &lt;b&gt;</strong>" in page
    assert "Ça marche 🎉" in page


@pytest.mark.parametrize("deployed", ["chat"], indirect=True)
def test_a_chat_hands_messages_on_below_a_path_with_priority(deployed: Example) -> None:
    assert "<title>Chat</title>" in deployed.ask().text
    assert deployed.ask("/ws/").text == "The chat speaks WebSocket.\n"
    with chatting(deployed) as ann, chatting(deployed) as bob:
        ann.say("good morning")
        assert [ann.hear(), bob.hear()] == ["good morning"] * 2
        bob.say("schönen Tag")
        assert [ann.hear(), bob.hear()] == ["schönen Tag"] * 2
    with chatting(deployed) as late:
        assert [late.hear(), late.hear()] == ["good morning", "schönen Tag"]


@pytest.mark.parametrize("deployed", ["basic-auth"], indirect=True)
def test_basic_authentication_is_asked_for_by_the_router(deployed: Example) -> None:
    refused = [deployed.ask(), deployed.ask(auth=("bob", "wrong")), deployed.ask(auth=("ann", "password"))]
    assert [answer.status_code for answer in refused] == [401] * 3
    assert refused[0].headers["WWW-Authenticate"].startswith("Basic ")
    assert "<h1>Not for everybody</h1>" in deployed.ask(auth=("bob", "password")).text


@pytest.mark.parametrize("deployed", ["cron"], indirect=True)
def test_a_cron_job_runs_in_the_released_image_with_its_volume(deployed: Example) -> None:
    (schedule,) = deployed.platform.get(f"/projects/{deployed.work.name}/schedules", environment="staging")["items"]
    told = [schedule[key] for key in ("service", "schedule", "command")]
    assert told == ["tick", "* * * * *", "ruby tick.rb"]
    deployed.platform.run_now(schedule["id"])
    eventually(lambda: deployed.ask().text.endswith(" staging\n"), 60, "it ticks")


def test_what_asks_for_too_much_is_refused_in_ten_ways(platform: Platform) -> None:
    refused = example(platform, "refused")
    text = (EXAMPLES / "refused" / "docker-compose.yml").read_text()
    announced = re.findall(r"# \d+\. ([a-z-]+):", text)
    pushed = refused.work.push()
    assert pushed.pipeline, pushed.output
    pipeline = platform.wait_for_pipeline(pushed.pipeline, SECONDS)
    (lint,) = (job for job in pipeline["jobs"] if job["status"] == "failed")
    log = without_colours(platform.log(lint["id"]))
    found = re.findall(r"^docker-compose.yml:\d+:\d+: error: .* \[([a-z-]+)\]", log, re.MULTILINE)
    assert (pipeline["status"], lint["name"], found) == ("failed", "lint", announced)
    assert len(found) == 10
    assert platform.deployments(refused.work.name) == []


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


#: a project as it was written for another factory
ELSEWHERE = {
    "Dockerfile": """\
FROM bearstech/python:3
ARG uid=1001
RUN useradd visitor --uid ${uid} --shell /bin/bash --home /home/visitor
WORKDIR /home/visitor
USER visitor
COPY . /home/visitor
CMD ["python3", "-m", "http.server", "--bind=0.0.0.0", "9000"]
""",
    ".env": """\
CI_REGISTRY_IMAGE=visitor
CI_COMMIT_SHA=dev
CI_ENVIRONMENT_NAME=dev
CI_ENVIRONMENT_DOMAIN=dev.factory
""",
    "docker-compose.yml": """\
version: "3"
services:
    app:
        image: ${CI_REGISTRY_IMAGE}/app:${CI_COMMIT_SHA}
        expose: [9000]
        environment:
            ENV: ${CI_ENVIRONMENT_NAME}
        labels:
            traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
            traefik.enable: 'true'
            traefik.tags: web
    pages:
        image: bearstech/nginx
        expose: [8000]
        labels:
            traefik.frontend.rule: Host:pages.${CI_ENVIRONMENT_DOMAIN}
            traefik.enable: 'true'
            traefik.tags: web
""",
    "hello.txt": "hello\n",
}


def test_a_project_of_another_factory_runs_unchanged(platform: Platform) -> None:
    deployed = Example(platform, platform.make_project(ELSEWHERE, "ex/elsewhere"))
    deployed.deploy()
    assert deployed.ask("/hello.txt").text == "hello\n"
    assert deployed.ask(host=f"pages.{deployed.host}").headers["Server"] == "nginx"


def write(deployed: Example, author: str, message: str) -> None:
    """Into a guest book."""
    answer = deployed.ask(method="POST", data={"author": author, "message": message})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@dataclass
class Visitor:
    """A WebSocket, as RFC 6455 has it: text in single frames is all that the chat needs."""

    socket: socket.socket

    def say(self, text: str) -> None:
        body, mask = text.encode(), os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(body))
        self.socket.sendall(struct.pack("!BB", 0x81, 0x80 | len(body)) + mask + masked)

    def hear(self) -> str:
        kind, length = struct.unpack("!BB", self._read(2))
        assert (kind, length < 126) == (0x81, True)
        return self._read(length).decode()

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            assert more, "the connection ended"
            data += more
        return data


@contextmanager
def chatting(deployed: Example) -> Iterator[Visitor]:
    """Connected through the router."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = (
        f"GET /ws/ HTTP/1.1\r\nHost: {deployed.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with deployed.platform.connect(deployed.host) as connection:
        connection.sendall(asked.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield Visitor(connection)
