"""The clone that a command runs in, and `project clone` with the real Git over HTTP."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import TOKEN, FakeServer
from tests.cli.things import PIPELINE, PROJECT

from cabestan.cli import client_config
from cabestan.cli.clone import clone_command, project_of_remote, reached_by

SERVER = "http://127.0.0.1:8600"


@pytest.mark.parametrize(
    ("remote", "project"),
    [
        ("http://127.0.0.1:8600/demo/hello.git", "demo/hello"),
        ("http://localhost:8600/git/demo/hello.git/", "demo/hello"),
        ("http://ada:x@127.0.0.1:8600/demo/hello", "demo/hello"),
        ("http://127.0.0.1:8601/demo/hello.git", None),
        ("https://127.0.0.1:8600/demo/hello.git", None),
        ("http://github.example/demo/hello.git", None),
        ("http://127.0.0.1:8600/hello.git", None),
        ("http://127.0.0.1:port/demo/hello.git", None),
        ("git@127.0.0.1:demo/hello.git", None),
    ],
)
def test_the_project_is_read_from_a_remote_of_this_server(remote: str, project: str | None) -> None:
    assert project_of_remote(remote, SERVER) == project


def test_the_project_of_the_current_clone_is_found(cli: Cli, server: FakeServer) -> None:
    for command in (
        ["init", "-q", "."],
        ["remote", "add", "forge", "https://forge.example/a/b.git"],
        ["remote", "add", "here", f"{server.url}/git/demo/hello.git"],
    ):
        subprocess.run(["git", *command], check=True)
    server.lists("/projects/demo/hello/pipelines", PIPELINE)
    assert cli("pipeline", "list", "--json").json == [PIPELINE]


def test_outside_of_a_clone_the_project_must_be_named(cli: Cli) -> None:
    done = cli("pipeline", "list")
    assert done.code == 2
    assert "name it as -p GROUP/NAME" in " ".join(done.err.split())


def test_a_clone_is_fetched_from_where_the_server_is_reached() -> None:
    assert reached_by("http://inside.example/git/a/b.git", "http://127.0.0.1:9") == "http://127.0.0.1:9/git/a/b.git"


def test_git_gets_a_helper_for_this_server_only() -> None:
    assert clone_command("http://h:1/git/a/b.git", "b", "main", "!x git-credential") == [
        *("git", "-c", "init.defaultBranch=main", "clone"),
        *("--config", "credential.http://h:1.helper="),
        *("--config", "credential.http://h:1.helper=!x git-credential"),
        *("--", "http://h:1/git/a/b.git", "b"),
    ]


@pytest.fixture
def repository(server: FakeServer, tmp_path: Path) -> Path:
    """A bare repository, empty, that the server serves to whoever has the token."""
    path = tmp_path / "served/git/demo/hello.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "trunk", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
    server.serve_git(tmp_path / "served")
    server.on("GET", "/projects/demo/hello", {**PROJECT, "default_branch": "trunk"})
    return path


def test_an_empty_repository_is_cloned_and_pushed_to_without_a_login(
    cli: Cli, server: FakeServer, repository: Path
) -> None:
    assert cli("project", "clone", "demo/hello").code == 0
    clone = Path("hello")
    assert TOKEN not in (clone / ".git/config").read_text()
    assert git(clone, "symbolic-ref", "HEAD") == "refs/heads/trunk"
    git(clone, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "one")
    git(clone, "push", "-q", "origin", "HEAD")
    assert git(repository, "rev-parse", "trunk") == git(clone, "rev-parse", "HEAD")
    assert cli("project", "clone", "demo/hello", "again").code == 0
    assert git(Path("again"), "log", "--format=%s") == "one"


def test_a_clone_that_git_refuses_is_a_failure(cli: Cli, repository: Path) -> None:
    client_config.write(client_config.read().url, "wrong")
    done = cli("project", "clone", "demo/hello")
    assert done.code == 1
    assert "error: git clone failed with code 128." in done.err


def test_the_helper_answers_for_the_server_s_host_alone(cli: Cli, server: FakeServer) -> None:
    host = server.url.removeprefix("http://")
    asked = {
        "get": f"protocol=http\nhost={host}\nwwwauth[]=Basic\n\n",
        "store": f"protocol=http\nhost={host}\nusername=token\npassword={TOKEN}\n\n",
        "erase": f"protocol=http\nhost={host}\n\n",
    }
    answers = {
        operation: cli("git-credential", operation, stdin=text.encode()).out for operation, text in asked.items()
    }
    assert answers == {"get": f"username=token\npassword={TOKEN}\n", "store": "", "erase": ""}
    for other in ("protocol=https\nhost=" + host, "protocol=http\nhost=evil.example", "protocol=http\nhost=a:b", ""):
        assert cli("git-credential", "get", stdin=other.encode()).out == ""
    assert server.asked == []


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()
