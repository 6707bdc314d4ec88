"""`cabestan variable`."""

from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.completion import environment_names
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_json, print_list, since, tell

app = typer.Typer(help="Variables of a project or of one of its environments.", no_args_is_help=True)

#: one environment's, or the whole project's
ScopeOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="ENV",
        help="Of this environment; of the whole project when not given.",
        autocompletion=environment_names,
    ),
]

#: more than a project has
_MOST = 10_000

_COLUMNS: tuple[Column, ...] = (
    field("name"),
    field("value"),
    field("environment"),
    field("version"),
    field("by"),
    since("created_at", "set"),
)


@app.command("list")
def list_(
    project: ProjectOption = None, environment: ScopeOption = None, limit: LimitOption = 50, as_json: JsonOption = False
) -> None:
    """List the variables with their values."""
    where = address("projects", the_project(project), "variables")
    items = connect().items(where, limit, environment=environment)
    print_list(items, _COLUMNS, as_json=as_json, empty="No variable. Set one: cabestan variable set NAME=VALUE")


@app.command("set")
def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="One or more.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set variables; the next deployment has them."""
    pairs = [_pair(assignment) for assignment in assignments]
    where, api = address("projects", the_project(project), "variables"), connect()
    for name, value in pairs:
        api.put(where + address(name), body_of(value, environment))
    tell_set(api, where, [name for name, _ in pairs], environment, as_json=as_json)


@app.command()
def unset(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="One or more.")],
    project: ProjectOption = None,
    environment: ScopeOption = None,
) -> None:
    """Take variables away; the next deployment has them no more."""
    where, api = address("projects", the_project(project), "variables"), connect()
    for name in names:
        api.delete(where + address(name), environment=environment)
    tell(f"Unset {', '.join(names)}.")


def body_of(value: str, environment: str | None) -> Thing:
    return {"value": value, **({"environment": environment} if environment else {})}


def tell_set(api: Api, where: str, names: list[str], environment: str | None, *, as_json: bool) -> None:
    """What was set; as JSON, as it is there now, for setting answers nothing. `where` is the path of the list."""
    if not as_json:
        tell(f"Set {', '.join(names)}.")
        return
    there = api.items(where, _MOST, environment=environment)
    print_json([item for item in there if item["name"] in names and item["environment"] == (environment or "")])


def _pair(assignment: str) -> tuple[str, str]:
    name, equals, value = assignment.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{assignment!r} is not of the form NAME=VALUE", param_hint="NAME=VALUE")
    return name, value
