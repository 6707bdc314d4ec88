"""`cabestan alert`."""

from typing import Annotated

import typer

from cabestan.cli.cells import clean
from cabestan.cli.options import JsonOption, LimitOption, connect
from cabestan.cli.output import Column, field, print_heading, print_line, print_list, print_thing, since

app = typer.Typer(help="What went wrong by itself.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("id"),
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


_FIELDS: tuple[Column, ...] = (
    field("id", "alert"),
    field("kind"),
    field("subject"),
    field("project"),
    since("raised_at"),
    since("cleared_at"),
    field("message"),
    field("remedy"),
)


@app.command("list")
def list_(
    cleared: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the alerts, the newest first; each goes by itself when its cause has gone."""
    items = connect().items("/alerts", limit, cleared="true" if cleared else None)
    print_list(items, _COLUMNS, as_json=as_json, empty="No alert.")


@app.command()
def show(alert: Annotated[int, typer.Argument(metavar="ID", help="Its number.")], as_json: JsonOption = False) -> None:
    """Show one alert, with what was said last."""
    found = connect().get(f"/alerts/{alert}")
    print_thing(found, _FIELDS, as_json=as_json)
    if found["words"] and not as_json:
        print_heading("Last words")
        for line in found["words"].splitlines():
            print_line(clean(line))
