"""`cabestan deletion`."""

import typer

from cabestan.cli.api import address
from cabestan.cli.databases import size
from cabestan.cli.options import JsonOption, LimitOption, NumberArgument, connect
from cabestan.cli.output import Column, field, moment, print_heading, print_json, print_list, print_thing, since, status

app = typer.Typer(help="What was deleted, and the last backups of it.", no_args_is_help=True)

_NAME = Column("name", lambda thing: str(thing["volume"] or thing["environment"] or thing["project"]))
_COLUMNS: tuple[Column, ...] = (
    field("id", "deletion"),
    status(),
    field("kind"),
    _NAME,
    field("project"),
    field("by"),
    since("created_at", "begun"),
)
_FIELDS: tuple[Column, ...] = (*_COLUMNS, field("at", "at present"), field("detail"), since("finished_at", "ended"))
_BACKUPS: tuple[Column, ...] = (
    field("kind"),
    field("name"),
    size("bytes", "packed"),
    moment("kept_until"),
    field("file"),
)


@app.command("list")
def list_(limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List what was deleted."""
    print_list(connect().items("/deletions", limit), _COLUMNS, as_json=as_json, empty="Nothing was deleted.")


@app.command()
def show(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Show how far one is, and where its last backups are."""
    found = connect().get(address("deletions", number))
    if as_json:
        print_json(found)
        return
    print_thing(found, _FIELDS)
    if found["backups"]:
        print_heading("Last backups")
        print_list(found["backups"], _BACKUPS, as_json=False, empty="")
