"""Completion by the shell, driven as bash drives it."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import FakeServer, refusal
from tests.cli.things import DEPLOYMENT, RELEASE

from cabestan.cli import client_config

#: with a server that is as busy as the tests
_PATIENT = "from cabestan.cli import completion, main; completion._SECONDS = 30; main.main()"


def complete(line: str, *, patient: bool = True) -> list[str]:
    """What bash is offered for the last word of the line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_CABESTAN_COMPLETE": "complete_bash",
    }
    program = ["-c", _PATIENT] if patient else ["-m", "cabestan"]
    done = subprocess.run([sys.executable, *program], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_are_completed(server: FakeServer) -> None:
    assert complete("cabestan depl") == ["deploy", "deployment"]
    assert complete("cabestan deployment re") == ["reject"]


def test_projects_and_environments_come_from_the_server(server: FakeServer) -> None:
    server.lists("/projects", {"name": "demo/hello"}, {"name": "demo/other"}, {"name": "x/y"})
    server.lists("/projects/demo/hello/environments", {"name": "staging"}, {"name": "production"})
    assert complete("cabestan pipeline list -p demo/") == ["demo/hello", "demo/other"]
    assert complete("cabestan deploy -p demo/hello -e s") == ["staging"]
    assert complete("cabestan environment show -p demo/hello ") == ["staging", "production"]


def described(line: str, shell: str) -> list[str]:
    """What a shell that shows descriptions is offered."""
    environment = {
        **os.environ,
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_CABESTAN_COMPLETE": f"complete_{shell}",
    }
    done = subprocess.run([sys.executable, "-c", _PATIENT], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


P = "/projects/demo/hello"


def test_releases_are_completed_with_branch_and_title_by_one_request(server: FakeServer) -> None:
    server.lists(f"{P}/releases", {**RELEASE, "number": 12}, {**RELEASE, "number": 7})
    assert complete("cabestan deploy -p demo/hello -e staging ") == ["12", "7"]
    assert complete("cabestan release show -p demo/hello 1") == ["12"]
    assert complete("cabestan rollback -p demo/hello -e staging --to 7") == ["7"]
    assert [asked.path for asked in server.asked] == [f"{P}/releases?limit=30"] * 3
    assert described("cabestan deploy -p demo/hello -e staging 7", "fish") == ["7\tmain, Say hello"]


def test_deployments_are_completed_and_where_one_approves_those_that_wait(server: FakeServer, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", f"{server.url}/demo/hello.git"], check=True)
    server.lists(
        f"{P}/deployments", {**DEPLOYMENT, "id": 9, "status": "waiting"}, {**DEPLOYMENT, "status": "rolled_back"}
    )
    assert complete("cabestan deployment show ") == ["9", "4"]
    assert complete("cabestan approve ") == ["9"]
    assert complete("cabestan deployment cancel 4") == ["4"]
    assert described("cabestan deployment show 4", "fish") == ["4\trolled back, release 2 to staging"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_no_title_is_evaluated_by_a_shell(server: FakeServer, shell: str) -> None:
    evil = "It's \\$(touch x) `touch y` \"))'; touch z; : [bold] \x1b[2J \u202e"
    server.lists(f"{P}/releases", {**RELEASE, "title": evil})
    (offered,) = described("cabestan deploy -p demo/hello -e staging 2", shell)
    said = "main, It s touch x touch y touch z bold 2J"
    assert offered == {"zsh": f'_arguments \'*: :(("2":"{said}"))\'', "fish": f"2\t{said}"}[shell]


def test_who_may_not_see_a_project_is_offered_nothing_of_it(server: FakeServer) -> None:
    server.on("GET", f"{P}/releases", refusal(404, "not_found", "There is no project demo/hello."))
    assert complete("cabestan deploy -p demo/hello -e staging ") == []


def test_nothing_is_offered_where_the_server_refuses_or_is_unknown(server: FakeServer) -> None:
    server.on("GET", "/projects", refusal(401, "not_signed_in", "No."))
    assert complete("cabestan pipeline list -p ") == []
    client_config.path().unlink()
    assert complete("cabestan pipeline list -p ") == []


def test_a_slow_server_holds_nobody_up(server: FakeServer) -> None:
    given_up, answered = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        given_up.wait(60)
        answered.set()
        return Response()

    server.on("GET", "/projects", slow)
    try:
        assert complete("cabestan pipeline list -p ", patient=False) == []
        assert not answered.is_set()
    finally:
        given_up.set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_shown_and_installed(cli: Cli, shell: str, tmp_path: Path) -> None:
    script = cli("completion", "show", shell).out
    assert f"_CABESTAN_COMPLETE=complete_{shell}" in script
    done = cli("completion", "install", shell)
    assert done.code == 0
    installed = Path(done.err.partition(" is in ")[2].partition(";")[0])
    assert installed.is_relative_to(tmp_path)
    assert installed.read_text().strip() == script.strip()


def test_the_script_is_valid_bash(cli: Cli) -> None:
    subprocess.run(["bash", "-n"], input=cli("completion", "show", "bash").out, text=True, check=True)
