"""The tree of commands: which module has which. Each is imported when it is asked for, and waits for no other."""

from collections import UserDict
from functools import partial
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group

from cabestan.cli.examples import epilog

PROGRAM = "cabestan"
#: what the shell's script sets to ask for completions
COMPLETE = "_CABESTAN_COMPLETE"
#: what every part of the tree is made with
STYLE: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}

#: headings of the help, with what stands below each: name of a command, or of a group of them → its module, and its
#: name there
SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "up": "platform:up",
        "login": "commands.login:login",
        "project": "commands.project:app",
        "lint": "commands.lint:lint",
        "render": "commands.render:render",
        "completion": "commands.completion:app",
    },
    "Deploy": {
        "plan": "commands.deploy:plan",
        "deploy": "commands.deploy:deploy",
        "approve": "commands.deployment:approve",
        "reject": "commands.deployment:reject",
        "rollback": "commands.deploy:rollback",
        "restart": "commands.action:restart",
        "stop": "commands.action:stop",
        "start": "commands.action:start",
        "scale": "commands.action:scale",
        "pipeline": "commands.pipeline:app",
        "release": "commands.release:app",
        "deployment": "commands.deployment:app",
    },
    "Look": {
        "watch": "commands.watch:watch",
        "environment": "commands.environment:app",
        "logs": "commands.logs:logs",
        "job": "commands.job:app",
        "alert": "commands.alert:app",
        "cron": "commands.cron:app",
        "database": "commands.database:app",
        "volume": "commands.volume:app",
        "route": "commands.route:app",
    },
    "Settings": {
        "variable": "commands.variable:app",
        "secret": "commands.secret:app",
        "host": "commands.host:app",
        "certificate": "commands.certificate:app",
        "member": "commands.user:member_app",
        "waiver": "commands.waiver:app",
        "deletion": "commands.deletion:app",
    },
    "Platform": {
        "status": "platform:status",
        "doctor": "platform:doctor",
        "down": "platform:down",
        "serve": "platform:serve",
        "image": "images:app",
        "user": "commands.user:app",
        "token": "commands.token:app",
        "ca": "commands.ca:ca",
        "journal": "commands.logs:journal",
        "git-credential": "commands.git_credential:git_credential",
    },
}
PLACES = {name: place for section in SECTIONS.values() for name, place in section.items()}
#: between a command and what it does, with a margin
_BETWEEN = 4
#: for Git, not for people
_HIDDEN = frozenset({"git-credential"})


class Commands(UserDict[str, Any]):
    """By name. One that is a place as yet becomes the command when it is looked at."""

    def __getitem__(self, name: str) -> Any:
        if isinstance(self.data[name], str):
            self.data[name] = _imported(name, self.data[name])
        return self.data[name]


class Root(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast(Any, Commands(PLACES))

    def list_commands(self, _context: Any) -> list[str]:
        """The names alone: to complete one, the others need not be imported."""
        return list(self.commands)

    def format_commands(self, _context: Any, formatter: Any) -> None:
        """In their sections, instead of all in one."""
        widest = max(len(name) for name in PLACES if name not in _HIDDEN)
        for heading, section in SECTIONS.items():
            shown = [name for name in section if name not in _HIDDEN]
            lines = formatter.width - formatter.current_indent - widest - _BETWEEN
            with formatter.section(heading):
                formatter.write_dl(
                    [(name.ljust(widest), self.commands[name].get_short_help_str(lines)) for name in shown]
                )


def _imported(name: str, place: str) -> Any:
    """The command, as Typer makes it of a function or of a group."""
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"cabestan.cli.{module}"), attribute)
    parent = typer.Typer(**STYLE)
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name, hidden=name in _HIDDEN)(found)
    command = get_group(parent).commands[name]
    _help_of(command, name)
    return command


def _help_of(command: Any, words: str) -> None:
    """Has its help, and those of the commands in it, end with examples, and name arguments without their types."""
    for name, inner in getattr(command, "commands", {}).items():
        _help_of(inner, f"{words} {name}")
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _no_type
    if not hasattr(command, "commands"):
        command.format_epilog = partial(_write_examples, words)


def _no_type(**_context: Any) -> str:
    return ""


def _write_examples(words: str, _context: Any, formatter: Any) -> None:
    formatter.write(f"{epilog(words)}\n" if epilog(words) else "")
