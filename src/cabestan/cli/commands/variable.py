"""`cabestan variable`."""

from typing import Annotated

import typer

from cabestan.cli.options import JsonOption, ProjectOption, connect
from cabestan.cli.variables import (
    VARIABLES,
    GroupOption,
    MaskedOption,
    Place,
    ProtectedOption,
    ScopeOption,
    add_list,
    add_unset_and_history,
)

app = typer.Typer(help="Variables of a group, a project or one of its environments.", no_args_is_help=True)

add_list(app, VARIABLES)


@app.command("set")
def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE", help="One or more.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
    group: GroupOption = None,
    protected: ProtectedOption = None,
    masked: MaskedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set variables; the next deployment has them."""
    pairs = [pair(assignment) for assignment in assignments]
    place, api = Place.of(VARIABLES, project, environment, group), connect()
    for name, value in pairs:
        place.put(api, name, value, protected, masked)
    place.tell_set(api, [name for name, _ in pairs], as_json=as_json)


add_unset_and_history(app, VARIABLES)


def pair(assignment: str) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`."""
    name, equals, value = assignment.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{assignment!r} is not of the form NAME=VALUE", param_hint="NAME=VALUE")
    return name, value
