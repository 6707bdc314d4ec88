"""`cabestan waiver`."""

from typing import Annotated

import typer

from cabestan.cli.api import address
from cabestan.cli.options import JsonOption, LimitOption, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, print_json, print_list, since, tell

app = typer.Typer(help="Rules that a project is let off, by an administrator.", no_args_is_help=True)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="The rule, as findings name it in brackets.")]

_COLUMNS: tuple[Column, ...] = (field("code"), field("reason"), field("by"), since("created_at", "waived"))
_REMOVED: tuple[Column, ...] = (*_COLUMNS, field("removed_by"), since("removed_at", "removed"))


@app.command("list")
def list_(
    project: ProjectOption = None,
    removed: Annotated[bool, typer.Option("--removed", help="Also those that hold no more.")] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List a project's waivers."""
    where = address("projects", the_project(project), "waivers")
    items = connect().items(where, limit, removed="true" if removed else None)
    print_list(items, _REMOVED if removed else _COLUMNS, as_json=as_json, empty="No waiver: all rules hold.")


@app.command()
def add(
    code: CodeArgument,
    reason: Annotated[str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; kept on record.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a project off a rule; what breaks it is a warning from then on."""
    made = connect().put(address("projects", the_project(project), "waivers", code), {"reason": reason})
    if as_json:
        print_json(made)
    else:
        tell(f"Waived {code}. A pipeline that it failed can be run again: cabestan pipeline retry ID")


@app.command()
def remove(code: CodeArgument, project: ProjectOption = None) -> None:
    """Have the rule hold again; the waiver stays on record."""
    connect().delete(address("projects", the_project(project), "waivers", code))
    tell(f"{code} holds again.")
