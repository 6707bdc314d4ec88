"""How commands fail: words on stderr, a remedy, and an exit code that tells the cases apart."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import FakeServer, refusal, stream
from tests.cli.terminal import hear_interrupts
from tests.cli.things import DEPLOYMENT, PROJECT

from cabestan.cli import client_config


def started(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "cabestan", *arguments]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, preexec_fn=hear_interrupts)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 3), (401, 3), (403, 3), (404, 3), (409, 3), (413, 3), (422, 3), (500, 1), (502, 4), (503, 4), (504, 4)],
)
def test_the_server_s_no_has_its_words_and_its_code(cli: Cli, server: FakeServer, status: int, code: int) -> None:
    server.on("GET", "/projects", refusal(status, "x", "It says no.", "Try\x1b[2J later."))
    done = cli("project", "list")
    assert (done.code, done.out, done.err) == (code, "", "error: It says no.\nhint: Try[U+001B][2J later.\n")


def test_findings_are_told_with_their_places(cli: Cli, server: FakeServer) -> None:
    finding: dict[str, Any] = {"code": "C7", "severity": "error", "file": "compose.yml", "line": 3, "column": 5}
    finding |= {"path": "services.web", "message": "privileged is not allowed.", "remedy": "Take it out."}
    server.on("GET", "/projects", refusal(422, "invalid", "The Compose file is refused.", "", [finding]))
    assert cli("project", "list").err == (
        "error: The Compose file is refused.\n  compose.yml:3:5: error: privileged is not allowed. [C7] Take it out.\n"
    )


def test_without_a_login_the_remedy_names_the_command(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/projects", refusal(401, "not_signed_in", "Not signed in."))
    assert cli("project", "list").err == f"error: Not signed in.\nhint: Log in with: cabestan login {server.url}\n"
    client_config.path().unlink()
    done = cli("project", "list")
    assert (done.code, done.err) == (3, "error: No server is known.\nhint: Log in with: cabestan login URL\n")


def test_no_server_is_told_apart(cli: Cli) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client_config.write(f"http://127.0.0.1:{unused.getsockname()[1]}", "t")
        done = cli("project", "list")
    assert done.code == 4
    assert re.fullmatch(
        r"error: No server answers at http://127\.0\.0\.1:\d+: Connection refused\.", done.err.splitlines()[0]
    )
    assert "hint: Start it with `cabestan up`" in done.err


def test_what_is_no_cabestan_is_a_failure(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/projects", Response("<html>"))
    assert cli("project", "list").code == 1
    server.on("GET", "/projects", Response("<html>", 404))
    done = cli("project", "list")
    assert (done.code, done.err) == (3, "error: The server answered 404 Not Found.\n")


def test_a_redirect_is_refused_for_it_would_carry_the_token_away(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/projects", RedirectResponse("http://evil.example/"))
    done = cli("project", "list")
    assert done.code == 3
    assert "points to http://evil.example/" in done.err


@pytest.mark.parametrize(
    "command",
    [
        "pipeline list",
        "pipeline list -p nogroup",
        "pipeline show 0",
        "variable set -p a/b X",
        "deploy -p a/b",
        "login x",
    ],
)
def test_wrong_usage_is_2_and_asks_nothing(cli: Cli, server: FakeServer, command: str) -> None:
    assert cli(*command.split()).code == 2
    assert server.asked == []


@pytest.mark.parametrize("status", ["failed", "rolled_back", "superseded", "canceled"])
def test_a_deployment_that_ends_badly_is_a_failure(cli: Cli, server: FakeServer, status: str) -> None:
    server.on(
        "POST",
        "/projects/demo/hello/environments/staging/deployments",
        {**DEPLOYMENT, "status": status, "reason": "web: exit 1"},
    )
    done = cli("deploy", "-p", "demo/hello", "-e", "staging", "--json")
    assert (done.code, done.json["status"]) == (1, status)
    words = status.replace("_", " ")
    assert done.err == f"error: Deployment 4 {words}: web: exit 1.\nhint: See: cabestan deployment show 4\n"


def test_a_file_that_others_may_read_is_a_failure(cli: Cli) -> None:
    client_config.path().chmod(0o644)
    done = cli("project", "list")
    assert (done.code, done.err.splitlines()[1]) == (1, f"hint: Run: chmod 600 {client_config.path()}")


def test_ctrl_c_is_quiet_and_130(server: FakeServer) -> None:
    server.on(
        "GET",
        "/jobs/7/log/stream",
        stream(b'id: 2\nevent: log\ndata: {"offset": 0, "text": "a\\n"}\n\n', *[b": x\n\n"] * 500),
    )
    with started("job", "log", "7", "--follow") as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"a\n"
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == (b"", b"")
        finally:
            process.kill()
    assert process.returncode == 130


@pytest.mark.parametrize("command", ["job log 7", "project show demo/hello"])
def test_a_reader_that_goes_away_is_no_news(server: FakeServer, command: str) -> None:
    server.on("GET", "/jobs/7/log", Response(b"line\n" * 200_000, media_type="text/plain"))
    server.on("GET", "/projects/demo/hello", PROJECT)
    reading, writing = os.pipe()
    os.close(reading)
    with started(*command.split(), stdout=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_the_version_is_printed_without_what_takes_long_to_import(server: FakeServer, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cabestan", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("cabestan ")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"rich", "rich.console", "httpx", "pydantic", "fastapi", "sqlalchemy", "docker"}
