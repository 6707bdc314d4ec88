"""`cabestan alert`."""

from typing import Annotated

import typer

from cabestan.cli.options import JsonOption, LimitOption, connect
from cabestan.cli.output import Column, field, print_list, since

app = typer.Typer(help="What went wrong by itself.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("kind"),
    field("subject"),
    field("project"),
    since("raised_at"),
    since("cleared_at"),
    field("message"),
    field("remedy"),
)


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_(
    cleared: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the alerts, the newest first; each goes by itself when its cause has gone."""
    items = connect().items("/alerts", limit, cleared="true" if cleared else None)
    print_list(items, _COLUMNS, as_json=as_json, empty="No alert.")
