"""What a command imports: itself, and none of what others need."""

import subprocess
import sys

import pytest
from tests.cli.fake_server import FakeServer

from cabestan.cli.command_tree import PLACES

_PROGRAM = """
import sys
from cabestan.cli.main import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
_COMMANDS = "cabestan.cli.commands."
#: of the server, and of what only some commands do
_HEAVY = {
    "cryptography",
    "dbos",
    "docker",
    "httpx",
    "jinja2",
    "rich.console",
    "sqlalchemy",
    "starlette",
    "structlog",
    "yaml",
}


def imported(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def commands(modules: set[str]) -> set[str]:
    return {name.removeprefix(_COMMANDS) for name in modules if name.startswith(_COMMANDS)}


def test_a_command_imports_no_other_one(server: FakeServer) -> None:
    server.lists("/projects", {"name": "demo/hello"})
    modules = imported("project", "list")
    assert commands(modules) == {"project"}
    assert modules & _HEAVY == set()
    assert not [name for name in modules if name.startswith(("cabestan.engine", "cabestan.store", "cabestan.web"))]


def test_the_version_imports_no_command() -> None:
    assert commands(imported("--version")) == set()


def test_the_whole_help_imports_every_command() -> None:
    parts = {place.partition(":")[0] for name, place in PLACES.items() if name != "git-credential"}
    assert commands(imported("--help")) >= {part.removeprefix("commands.") for part in parts if "." in part}


def test_a_name_is_completed_without_what_has_another_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COMP_WORDS", "cabestan proj"), ("COMP_CWORD", "1"), ("_CABESTAN_COMPLETE", "complete_bash")):
        monkeypatch.setenv(name, value)
    assert commands(imported()) == {"project"}
