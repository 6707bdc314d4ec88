"""`cabestan secret`. A value never comes from the arguments: other users see these in the list of processes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_list
from cabestan.cli.settings import (
    FLAGS,
    LAST,
    SOURCE,
    EffectiveOption,
    GroupOption,
    MaskedOption,
    Place,
    ProtectedOption,
    ScopeOption,
    add_unset_and_history,
    print_effective,
)

app = typer.Typer(help="Secrets of a group, a project or one of its environments.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (field("name"), SOURCE, FLAGS, *LAST)
_NOUN = "secrets"


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: ScopeOption = None,
    group: GroupOption = None,
    effective: EffectiveOption = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the secrets, without their values."""
    if effective:
        print_effective(connect(), the_project(project), environment, limit, secret=True, as_json=as_json)
        return
    place = Place.of(_NOUN, project, environment, group)
    items = connect().items(place.path, limit, environment=environment)
    print_list(items, _COLUMNS, as_json=as_json, empty="No secret. Set one: cabestan secret set NAME")


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
    place, api = Place.of(_NOUN, project, environment, group), connect()
    place.put(api, name, _value(name, from_file), protected, masked)
    place.tell_set(api, [name], as_json=as_json)


add_unset_and_history(app, _NOUN, "a secret, without the values")


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
