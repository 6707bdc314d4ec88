"""`cabestan variable`."""

from typing import Annotated

import typer

from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_list
from cabestan.cli.settings import (
    FLAGS,
    LAST,
    SOURCE,
    VALUE,
    EffectiveOption,
    GroupOption,
    MaskedOption,
    Place,
    ProtectedOption,
    ScopeOption,
    add_unset_and_history,
    print_effective,
)

app = typer.Typer(help="Variables of a group, a project or one of its environments.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (field("name"), VALUE, SOURCE, FLAGS, *LAST)
_NOUN = "variables"


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: ScopeOption = None,
    group: GroupOption = None,
    effective: EffectiveOption = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the variables with their values."""
    if effective:
        print_effective(connect(), the_project(project), environment, limit, secret=None, as_json=as_json)
        return
    place = Place.of(_NOUN, project, environment, group)
    items = connect().items(place.path, limit, environment=environment)
    print_list(items, _COLUMNS, as_json=as_json, empty="No variable. Set one: cabestan variable set NAME=VALUE")


@app.command("set")
def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="One or more.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
    group: GroupOption = None,
    protected: ProtectedOption = None,
    masked: MaskedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set variables; the next deployment has them."""
    pairs = [pair(assignment) for assignment in assignments]
    place, api = Place.of(_NOUN, project, environment, group), connect()
    for name, value in pairs:
        place.put(api, name, value, protected, masked)
    place.tell_set(api, [name for name, _ in pairs], as_json=as_json)


add_unset_and_history(app, _NOUN, "a variable")


def pair(assignment: str) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`."""
    name, equals, value = assignment.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{assignment!r} is not of the form NAME=VALUE", param_hint="NAME=VALUE")
    return name, value
