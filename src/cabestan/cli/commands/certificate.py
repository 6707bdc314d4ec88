"""`cabestan certificate`. Keys are read from files: what stands in the arguments other users see."""

from pathlib import Path
from typing import Annotated

import typer

from cabestan.cli.api import address
from cabestan.cli.options import JsonOption, LimitOption, NumberArgument, ProjectOption, connect, the_project
from cabestan.cli.output import Column, field, moment, print_list, print_thing, since, tell

app = typer.Typer(help="Certificates of a project, or of the installation.", no_args_is_help=True)

InstallationOption = Annotated[
    bool, typer.Option("--installation", help="Of the whole installation, for administrators.")
]
_COLUMNS: tuple[Column, ...] = (
    field("id"),
    field("kind"),
    field("hosts"),
    field("issuer"),
    moment("not_after", "until"),
    since("not_before", "since"),
    field("project"),
    field("by"),
)
_FIELDS = (*_COLUMNS, field("fingerprint"))


@app.command("list")
def list_(
    project: ProjectOption = None,
    installation: InstallationOption = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the certificates that hold for a project's names, or all of the installation."""
    items = connect().items(_place(project, installation=installation), limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No certificate. Bring one: cabestan certificate add CHAIN KEY")


@app.command()
def add(
    chain: Annotated[Path, typer.Argument(metavar="CHAIN", help="PEM: the server's certificate, then its signers.")],
    key: Annotated[Path, typer.Argument(metavar="KEY", help="PEM: its private key, without a passphrase.")],
    project: ProjectOption = None,
    installation: InstallationOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a certificate; the router shows it at once for the names in it."""
    body = {"chain": _text(chain, "CHAIN"), "key": _text(key, "KEY")}
    added = connect().post(_place(project, installation=installation), body)
    print_thing(added, _FIELDS, as_json=as_json)


@app.command()
def remove(key: NumberArgument, project: ProjectOption = None, installation: InstallationOption = False) -> None:
    """Take a certificate away; its names have what they would have without it."""
    connect().delete(_place(project, installation=installation) + address(key))
    tell(f"Removed certificate {key}.")


def _place(project: str | None, *, installation: bool) -> str:
    return "/certificates" if installation else address("projects", the_project(project), "certificates")


def _text(file: Path, argument: str) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint=argument) from error
