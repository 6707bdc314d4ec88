"""Deleting, as the command line does it: what goes is shown, the name is asked for, and the end is waited for."""

import time

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import exact, one_line
from cabestan.cli.databases import size_words
from cabestan.cli.failures import Unsuccessful
from cabestan.cli.output import at_a_terminal, print_json, tell

_POLL_SECONDS = 0.5
_NAMES = 8


def confirmed(name: str, given: str | None, going: list[Thing]) -> str:
    """What a person types who is shown what goes; or what was given. The server compares it with the name."""
    if given is not None:
        return given
    if not at_a_terminal():
        raise typer.BadParameter(f"nobody is there to be asked: write --confirm {name}", param_hint="--confirm")
    tell(f"With {name} goes:" if going else f"{name} will be deleted.")
    for line in going:
        names = one_line(", ".join(line["names"][:_NAMES])) + (" …" if len(line["names"]) > _NAMES else "")
        tell("  " + " – ".join(part for part in (line["text"], names, line["kept"]) if part))
    answer: str = typer.prompt(f"Type {name} to delete it", err=True, default="", show_default=False)
    return answer


def preview(api: Api, project: str, environment: str | None = None) -> list[Thing]:
    items: list[Thing] = api.get(address("projects", project, "deletion-preview"), environment=environment)["items"]
    return items


def finish(api: Api, deletion: Thing, *, wait: bool, as_json: bool) -> None:
    """Waits until it has ended, telling each thing that is done. Raises Unsuccessful where it failed."""
    told = ""
    while wait and deletion["status"] == "running":
        if deletion["at"] and deletion["at"] != told and not as_json:
            told = deletion["at"]
            tell(f"{told} …")
        time.sleep(_POLL_SECONDS)
        deletion = api.get(address("deletions", deletion["id"]))
    if as_json:
        print_json(deletion)
    elif deletion["status"] == "running":
        tell(f"It is being deleted: cabestan deletion show {deletion['id']} tells how far that is.")
    elif deletion["status"] == "succeeded":
        tell_done(deletion)
    if deletion["status"] == "failed":
        raise Unsuccessful(
            f"It was not deleted: {one_line(deletion['detail']).rstrip('.')}.",
            f"cabestan deletion show {deletion['id']}",
        )


def tell_done(deletion: Thing) -> None:
    tell(f"Deleted the {deletion['kind']} {deletion['volume'] or deletion['environment'] or deletion['project']}.")
    for backup in deletion["backups"]:
        until = exact(backup["kept_until"])
        tell(f"Last backup of {backup['kind']} {backup['name']}, {size_words(backup['bytes'])}, kept until {until}:")
        tell(f"  {backup['file']}")
