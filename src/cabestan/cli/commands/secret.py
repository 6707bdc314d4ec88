"""`cabestan secret`. A value never comes from the arguments: other users see these in the list of processes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cabestan.cli.options import JsonOption, ProjectOption, connect
from cabestan.cli.variables import (
    SECRETS,
    GroupOption,
    MaskedOption,
    Place,
    ProtectedOption,
    ScopeOption,
    add_list,
    add_unset_and_history,
)

app = typer.Typer(help="Secrets of a group, a project or one of its environments.", no_args_is_help=True)

add_list(app, SECRETS)


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
    group: GroupOption = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Take the whole file, to the last byte.")
    ] = None,
    protected: ProtectedOption = None,
    masked: MaskedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a secret; its value is read from stdin (less one line end), from a file, or asked for."""
    place, api = Place.of(SECRETS, project, environment, group), connect()
    place.put(api, name, _value(name, from_file), protected, masked)
    place.tell_set(api, [name], as_json=as_json)


add_unset_and_history(app, SECRETS)


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
