"""Every command line that the documentation shows is one that there is."""

import shlex
from typing import Any

import pytest
from tests.docs.pages import PAGES, command_lines, name_of
from typer.main import get_command

from cabestan.cli.examples import EXAMPLES
from cabestan.cli.main import app

#: stand for a number where a page says what goes there
_PLACEHOLDERS = {
    "ID": "1",
    "N": "1",
    "RELEASE": "1",
    "KIND": "mysql",
    "NAME=VALUE...": "NAME=VALUE",
    "COMMAND": "status",
    "ROLE": "developer",
    "…": "x",
}


def shown() -> list[tuple[str, tuple[str, ...]]]:
    in_help = ((f"help of {words}", tuple(shlex.split(line)[1:])) for words in EXAMPLES for line in EXAMPLES[words])
    return sorted({(name_of(page), line) for page in PAGES for line in command_lines(page)} | set(in_help))


@pytest.mark.parametrize(
    ("page", "line"), shown(), ids=lambda value: " ".join(value) if type(value) is tuple else value
)
def test_a_command_line_parses(page: str, line: tuple[str, ...]) -> None:
    assert problem(line) == "", f"{page}: cabestan {' '.join(line)}"


def test_the_tutorial_shows_command_lines() -> None:
    assert len([line for page, line in shown() if page == "docs/tutorial.md"]) > 20


def test_a_command_line_that_is_wrong_is_noticed() -> None:
    wrong = [("projekt", "list"), ("project", "list", "--colour"), ("deployment", "cancel"), ("plan", "x", "y", "z")]
    assert [line for line in wrong if not problem(line)] == []


def problem(line: tuple[str, ...]) -> str:
    """What Typer would say; empty where it would run. Optional parts in brackets are left out."""
    words = [_PLACEHOLDERS.get(word, word) for word in line if not word.startswith("[")]
    command: Any = get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"there is no {words[0]}"
        command = command.commands[words.pop(0)]
    return _parse(command, words)


def _parse(command: Any, words: list[str]) -> str:
    """A command that is only named, without its arguments, is right too."""
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if not words and any(parameter.required for parameter in command.params):
        return "" if command.name != "cancel" else "an argument is missing"
    if hasattr(command, "commands"):
        return "" if set(words) <= known | {"--help"} else f"no option {words}"
    if "--help" in words:
        return ""
    try:
        command.make_context(command.name, list(words), resilient_parsing=False)
    except Exception as error:  # the libraries beneath name theirs differently
        return str(error) or type(error).__name__
    return ""
