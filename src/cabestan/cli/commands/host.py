"""`cabestan host`."""

from typing import Annotated

import typer

from cabestan.cli.api import address
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_list, print_thing, since, tell

app = typer.Typer(help="Host names: whom they belong to.", no_args_is_help=True)

PatternArgument = Annotated[
    str, typer.Argument(metavar="HOST", help="A name, or '*.NAME' for all names below it.", show_default=False)
]
_COLUMNS: tuple[Column, ...] = (
    field("pattern", "host"),
    field("owner"),
    field("kind"),
    field("environment"),
    field("by"),
    since("since"),
)


@app.command("list")
def list_(limit: LimitOption = 200, as_json: JsonOption = False) -> None:
    """List what administrators gave away (rules) and what projects route or did (claims)."""
    items = connect().items("/hosts", limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No host name is taken yet.")


@app.command()
def assign(
    host: PatternArgument,
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="A group, or a project as GROUP/NAME.")],
    as_json: JsonOption = False,
) -> None:
    """Give a host name to a group or a project (administrators)."""
    made = connect().put(address("hosts", host), {"owner": owner})
    print_thing(made, _COLUMNS, as_json=as_json)


@app.command()
def withdraw(host: PatternArgument) -> None:
    """Take a rule back; what projects have claimed stays theirs (administrators)."""
    connect().delete(address("hosts", host))
    tell(f"No rule for {host} any more.")


@app.command()
def release(host: PatternArgument, project: ProjectOption = None) -> None:
    """Give up a host name of a project, once no environment of it routes it any more."""
    wanted = the_project(project)
    connect().delete(address("projects", wanted, "hosts", host))
    tell(f"{wanted} has given up {host}.")
