"""What anybody can send to the server's port, on a running platform: nobody else waits for it."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.integration.harness import Platform
from tests.web.front.raw import answer, connect, head, status

from cabestan.domain.pipeline import ScriptJob, Source
from cabestan.engine.building.job_runs import log_id
from cabestan.store import projects
from cabestan.store.database import Database
from cabestan.store.logs import LogStore
from cabestan.store.schema import jobs, pipelines
from cabestan.web.front.bounds import Bounds

pytestmark = pytest.mark.integration
BOUNDS = Bounds()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as connections:
        yield connections


def send(opened: ExitStack, platform: Platform, request: bytes) -> socket.socket:
    connection = opened.enter_context(connect(str(platform.http.base_url)))
    with suppress(ConnectionError):
        connection.sendall(request)
    return connection


def operator_is_answered(platform: Platform) -> None:
    """Over a connection of its own, as a command has it."""
    headers = {"Authorization": f"Bearer {platform.token}", "Connection": "close"}
    with httpx.Client(base_url=platform.http.base_url, headers=headers, timeout=30, trust_env=False) as client:
        assert client.get("/api/v1/projects").status_code == 200


def memory(platform: Platform) -> int:
    """Bytes that the server has in use."""
    pid = platform.get("/status")["pid"]
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def test_a_header_without_end_is_refused_and_costs_nothing(platform: Platform, opened: ExitStack) -> None:
    """252 MB of it kept the server from answering for a minute."""
    before = memory(platform)
    connection = send(opened, platform, head() + b"X: ")
    sent = 0
    with suppress(ConnectionError):
        while sent < 252 << 20:
            sent += connection.send(b"x" * (1 << 20))
    assert sent < 32 << 20
    operator_is_answered(platform)
    assert memory(platform) - before < 32 << 20
    assert status(answer(send(opened, platform, head("X: " + "x" * 2 * BOUNDS.head_bytes) + b"\r\n"))) == 431


def test_idle_connections_keep_nobody_out(platform: Platform, opened: ExitStack) -> None:
    """1,100 of them took every descriptor."""
    for _ in range(1_100):
        opened.enter_context(connect(str(platform.http.base_url)))
    operator_is_answered(platform)
    assert status(answer(send(opened, platform, head() + b"\r\n"))) == 200


def test_slow_heads_and_bodies_hold_little_and_keep_nobody_out(platform: Platform, opened: ExitStack) -> None:
    """500 bodies of a megabyte each took 600 MB. The heads, begun first, are told in the end that they were late."""
    late = [send(opened, platform, head()) for _ in range(20)]
    before = memory(platform)
    body = b"name=" + b"x" * (BOUNDS.unknown_body_bytes - 100)
    slow = head(
        "Content-Length: 65000", "Content-Type: application/x-www-form-urlencoded", path="/login", method="POST"
    )
    for _ in range(500):
        send(opened, platform, slow + b"\r\n" + body)
    operator_is_answered(platform)
    assert memory(platform) - before < 200 << 20
    refused = head("Content-Length: 1000000", path="/login", method="POST") + b"\r\n"
    assert status(answer(send(opened, platform, refused))) == 413
    assert {status(answer(connection)) for connection in late} == {408}


def test_half_characters_are_named_and_no_error_of_the_server(platform: Platform) -> None:
    def answered(method: str, path: str, body: object) -> tuple[int, str]:
        content = json.dumps(body)
        headers = {"Content-Type": "application/json"}
        said = platform.http.request(method, f"/api/v1{path}", content=content, headers=headers)
        return said.status_code, said.json()["error"]["message"].partition(" is not text")[0]

    assert answered("POST", "/projects", {"name": "t/\ud800"}) == (422, "The field name")
    assert answered("POST", "/users", {"name": "\udfff"}) == (422, "The field name")
    assert answered("PUT", "/hosts/x.example", {"owner": "\x00"}) == (422, "The field owner")
    assert platform.http.get("/api/v1/routes/match?url=%ED%A0%80").status_code == 422
    assert platform.http.get("/t/%ED%A0%80").status_code == 422


def a_job(platform: Platform, line: str) -> str:
    """The address of the page of a job that has printed the line 200 times."""
    name = f"t/{uuid.uuid4().hex[:8]}"
    platform.post("/projects", {"name": name})
    database = Database(platform.database_url)
    with database.writing() as tx:
        project, now = projects.get(tx, name).id, datetime.now(UTC)
        times = {"created_at": now, "started_at": now, "finished_at": now, "status": "failed", "project_id": project}
        source = {"commit": "0" * 40, "branch": "main", "title": "x", "source": Source.PUSH, "author": "x", "by": "x"}
        pipeline = tx.execute(pipelines.insert().values(times | source).returning(pipelines.c.id)).scalar_one()
        spec = ScriptJob("build", "build", image="cabestan/job:1", script="true")
        row = times | {"pipeline_id": pipeline, "position": 0, "name": "build", "spec": spec}
        job = tx.execute(jobs.insert().values(row).returning(jobs.c.id)).scalar_one()
    database.close()
    with LogStore(platform.data / "logs").writer(log_id(job)) as log:
        log.feed(f"{line}\n".encode() * 200)
        log.finish()
        log.end()
    return f"/{name}/jobs/{job}"


def test_the_page_of_the_worst_log_is_there_at_once(platform: Platform) -> None:
    """Its lines took 162 s."""
    page = platform.http.get(a_job(platform, "a" * 32_000 + "\x1b[1K" * 8_000))
    assert page.status_code == 200
    assert "more characters after too many control sequences, in the download" in page.text
    assert "not shown here, in the download" in page.text
    assert len(page.text) < 1 << 20
