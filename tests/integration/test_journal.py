"""What real containers say: each line once, in order, whatever ends or is killed; live, by command and by API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import SMALL, unbuilt

pytestmark = pytest.mark.integration
#: `talks` counts quickly in two replicas, `ends` says its last words each time, `shows` has a terminal
_COMPOSE = (
    SMALL["docker-compose.yml"]
    + """
  talks:
    image: cabestan/python:3.11
    user: "1001"
    command: [sh, -c, "i=0; while :; do i=$$((i+1)); echo $$i; [ $$((i % 20)) = 0 ] && sleep 0.2; done"]
    stop_grace_period: 1s
    deploy: {replicas: 2}
  ends:
    image: cabestan/python:3.11
    user: "1001"
    command:
      - python3
      - -c
      - |
        import time
        time.sleep(4)
        print("the key is", open("/run/secrets/KEY").read())
        raise ValueError("last words")
    secrets: [KEY]
    deploy: {restart_policy: {delay: 8s}}
  shows:
    image: cabestan/python:3.11
    user: "1001"
    tty: true
    init: true
    command: [python3, -uc, 'import time; print("\\033[31mred\\033[0m"); print("x" * 40000); time.sleep(999)']
  migrate:
    image: cabestan/python:3.11
    user: "1001"
    restart: "no"
    command: [sh, -c, "echo migrated; echo slowly >&2"]
secrets: {KEY: {external: true}}
"""
)
_KEY = "k3y-that-nobody-sees"


@pytest.fixture
def work(platform: Platform) -> Work:
    made = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": _COMPOSE}))
    platform.put(f"/projects/{made.name}/secrets/KEY", {"value": _KEY, "environment": "staging"})
    assert made.pushed_to("staging", 180)["id"]
    return made


def said(platform: Platform, work: Work, **query: Any) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = platform.get(
        f"/projects/{work.name}/environments/staging/logs", **{"lines": 10_000, **query}
    )["lines"]
    return lines


def of_replicas(lines: list[dict[str, Any]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for line in lines:
        if line["service"] == "talks":
            found.setdefault(line["replica"], []).append(int(line["line"]))
    return found


@contextmanager
def following(platform: Platform, work: Work) -> Iterator[subprocess.Popen[str]]:
    """`cabestan logs --follow` of `talks`, from the first line on."""
    words = ["logs", "-p", work.name, "-e", "staging", "talks", "--follow", "--lines", "1000000", "--json"]
    server = {"CABESTAN_URL": f"http://{platform.host}:{platform.port}", "CABESTAN_TOKEN": platform.token}
    command, environment = [sys.executable, "-m", "cabestan", *words], platform.environment | server
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_each_line_is_kept_once_whatever_is_killed(platform: Platform, work: Work) -> None:
    with following(platform, work) as follower:
        assert follower.stdout
        followed = [json.loads(follower.stdout.readline())]
        for _ in range(2):
            before = len(said(platform, work, service="talks"))
            platform.kill()
            platform.start()
            eventually(lambda: len(said(platform, work, service="talks")) > min(before + 200, 9_999), 30, "it goes on")  # noqa: B023
        lines = said(platform, work, service="talks")
        wanted = lines[-1]
        while followed[-1]["time"] < wanted["time"]:
            followed.append(json.loads(follower.stdout.readline()))
    for found in (of_replicas(followed), of_replicas(lines)):
        assert set(found) == {1, 2}
        for numbers in found.values():
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(numbers[0] == 1 for numbers in of_replicas(followed).values())
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)

    # what ended, and was replaced, is there with its last words, kept together and without secrets
    ended = eventually(
        lambda: [line for line in said(platform, work, service="ends") if "last words" in line["line"]], 30, "its end"
    )
    assert {line["kind"] for line in ended} == {"service"}
    trace = said(platform, work, service="ends")
    assert _KEY not in json.dumps(trace)
    assert "the key is [secret]" in {line["line"] for line in trace}
    assert ended[0]["continued"]
    assert said(platform, work, service="ends", stderr=True, regexp="^Traceback")

    migration = said(platform, work, service="migrate")
    told = {(line["line"], line["kind"], line["stream"]) for line in migration}
    assert told == {("migrated", "run", "stdout"), ("slowly", "run", "stderr")}
    # requests to its routes, if asked: once, without what was in the query
    staging = platform.get(f"/projects/{work.name}/environments/staging")
    platform.ask(staging["domain"], "/here?token=canary")

    def requests() -> list[dict[str, Any]]:
        return said(platform, work, access="true", regexp="/here")

    (asked,) = eventually(requests, 10, "the request is told")
    assert (asked["kind"], asked["fields"]["status"], asked["fields"]["path"]) == ("access", 200, "/here?…")
    assert said(platform, work, regexp="/here") == []

    red, long = said(platform, work, service="shows")
    assert red["line"] == "\x1b[31mred\x1b[0m"
    assert long["line"] == "x" * 40_000

    # and stays when nobody has the container any more
    kept = len(said(platform, work, service="ends", until="0s"))
    labels = {"label": [f"cabestan.project={work.name}", "cabestan.service=ends"], "status": "exited"}
    for container in platform.client.containers.list(all=True, filters=labels):
        container.remove(v=True)
    platform.restart()
    assert len(said(platform, work, service="ends")) >= kept
    assert not [line for line in said(platform, work) if line["kind"] == "platform"]
    assert requests() == [asked]
