"""`cabestan secret`. A value never comes from the arguments: other users see these in the list of processes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cabestan.cli.api import address
from cabestan.cli.commands.variable import ScopeOption, body_of, tell_set
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_list, since, tell

app = typer.Typer(help="Secrets of a project or of one of its environments.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("name"),
    field("environment"),
    field("version"),
    field("by"),
    since("created_at", "set"),
)


@app.command("list")
def list_(
    project: ProjectOption = None, environment: ScopeOption = None, limit: LimitOption = 50, as_json: JsonOption = False
) -> None:
    """List the secrets, without their values."""
    items = connect().items(address("projects", the_project(project), "secrets"), limit, environment=environment)
    print_list(items, _COLUMNS, as_json=as_json, empty="No secret. Set one: cabestan secret set NAME")


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Take the whole file, to the last byte.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set a secret; its value is read from stdin (less one line end), from a file, or asked for."""
    where, api = address("projects", the_project(project), "secrets"), connect()
    api.put(where + address(name), body_of(_value(name, from_file), environment))
    tell_set(api, where, [name], environment, as_json=as_json)


@app.command()
def unset(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="One or more.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
) -> None:
    """Take secrets away; the next deployment has them no more."""
    where, api = address("projects", the_project(project), "secrets"), connect()
    for name in names:
        api.delete(where + address(name), environment=environment)
    tell(f"Unset {', '.join(names)}.")


def _value(name: str, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_bytes().decode()
        if sys.stdin.isatty():
            from getpass import getpass

            return getpass(f"Value of {name}: ")
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--from-file") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter("the value is not UTF-8 text; encode it first", param_hint="NAME") from error
