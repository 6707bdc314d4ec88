"""docs/cli.md has every command and every option, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli
from typer.main import get_command

from cabestan.cli.command_tree import PLACES, SECTIONS
from cabestan.cli.examples import EXAMPLES
from cabestan.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^### `cabestan ([a-z -]*[a-z])(?: [^`]*)?`$", re.MULTILINE)
#: told once for all commands
COMMON = {"--help", "--project", "--environment", "--json", "--limit", "--yes", "--wait", "--no-wait"}


def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Name and command of all that a person may type."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, child in command.commands.items():
        if not child.hidden:
            yield from commands(child, f"{name} {word}".strip())


def sections() -> dict[str, str]:
    """The text under each command's heading."""
    _, *parts = HEADING.split(PAGE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_command_has_its_heading() -> None:
    assert sorted(sections()) == sorted(name for name, _ in commands(get_command(app)))


def test_every_command_has_examples_in_its_help(cli: Cli) -> None:
    assert sorted(EXAMPLES) == sorted(name for name, _ in commands(get_command(app)))
    help_text = cli("deploy", "--help").out
    assert help_text.endswith("\nExamples:\n  cabestan deploy -e staging\n  cabestan deploy 12 -e production --yes\n")
    assert "Usage: cabestan deploy [OPTIONS] [RELEASE]\n" in help_text
    assert "  RELEASE  The release's number" in help_text


def test_the_help_has_its_commands_in_sections(cli: Cli) -> None:
    text = cli("--help").out
    headings = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options", *SECTIONS]
    told = [line.split()[0] for line in text.partition("Start:")[2].splitlines() if line.startswith("  ")]
    assert sorted(told) == sorted(name for name in PLACES if name != "git-credential")


def test_every_option_is_told_under_its_command() -> None:
    texts = sections()
    missing = [
        f"{name} {option}"
        for name, command in commands(get_command(app))
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option not in COMMON and option not in texts[name]
    ]
    assert missing == []


def test_every_command_is_registered_once() -> None:
    assert sorted(set(PLACES.values())) == sorted(PLACES.values())
