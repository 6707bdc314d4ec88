"""The tree of commands: which module has which. Each is imported when it is asked for, and waits for no other."""

from collections import UserDict
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group

PROGRAM = "cabestan"
#: what the shell's script sets to ask for completions
COMPLETE = "_CABESTAN_COMPLETE"
#: what every part of the tree is made with
STYLE: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}

#: name of a command, or of a group of them → its module, and its name there; in the order of the help
PLACES = {
    "up": "platform:up",
    "down": "platform:down",
    "serve": "platform:serve",
    "status": "platform:status",
    "doctor": "platform:doctor",
    "login": "commands.login:login",
    "plan": "commands.deploy:plan",
    "deploy": "commands.deploy:deploy",
    "rollback": "commands.deploy:rollback",
    "ca": "commands.ca:ca",
    "lint": "commands.lint:lint",
    "render": "commands.render:render",
    "git-credential": "commands.git_credential:git_credential",
    "image": "images:app",
    "project": "commands.project:app",
    "pipeline": "commands.pipeline:app",
    "job": "commands.job:app",
    "release": "commands.release:app",
    "deployment": "commands.deployment:app",
    "cron": "commands.cron:app",
    "environment": "commands.environment:app",
    "variable": "commands.variable:app",
    "secret": "commands.secret:app",
    "alert": "commands.alert:app",
    "database": "commands.database:app",
    "waiver": "commands.waiver:app",
    "route": "commands.route:app",
    "host": "commands.host:app",
    "certificate": "commands.certificate:app",
    "user": "commands.user:app",
    "member": "commands.user:member_app",
    "completion": "commands.completion:app",
}
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


def _imported(name: str, place: str) -> Any:
    """The command, as Typer makes it of a function or of a group."""
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"cabestan.cli.{module}"), attribute)
    parent = typer.Typer(**STYLE)
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name, hidden=name in _HIDDEN)(found)
    return get_group(parent).commands[name]
