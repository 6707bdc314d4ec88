"""`cabestan token`."""

from enum import StrEnum
from typing import Annotated

import typer

from cabestan.cli import deleting
from cabestan.cli.api import Api, Thing, address
from cabestan.cli.completion import user_names
from cabestan.cli.options import ConfirmOption, JsonOption, NumberArgument, connect
from cabestan.cli.output import Column, field, moment, print_json, print_line, print_list, since, tell
from cabestan.errors import NotFound

app = typer.Typer(help="Tokens: for programs, for Git and for this command line.", no_args_is_help=True)

UserOption = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="Another user's, for administrators.", autocompletion=user_names),
]
_COLUMNS: tuple[Column, ...] = (
    field("id", "token"),
    field("name"),
    field("scope"),
    since("created_at", "made"),
    moment("expires_at", "ends"),
)


class Scope(StrEnum):
    """What it may do, of all that its user may."""

    READ = "read"
    DEPLOY = "deploy"
    ALL = "all"


@app.command("list")
def list_(user: UserOption = None, as_json: JsonOption = False) -> None:
    """List your tokens: what they are for, what they may do, when they end."""
    print_list(_tokens(connect(), user), _COLUMNS, as_json=as_json, empty="No token.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    scope: Annotated[
        Scope, typer.Option("--scope", help="read: looks. deploy: pushes, runs and deploys, too. all: all you may.")
    ] = Scope.ALL,
    days: Annotated[
        int | None, typer.Option("--days", min=1, metavar="N", help="After how many days it ends; never if not given.")
    ] = None,
    user: UserOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token; it is printed, this once."""
    made = connect().post(_at(user), {"name": name, "scope": scope.value, "days": days})
    if as_json:
        print_json(made)
        return
    tell(f"Made the token {made['name']}, scope {made['scope']}. This is it; it is not shown again:")
    print_line(str(made["token"]))


@app.command()
def delete(number: NumberArgument, confirm: ConfirmOption = None, user: UserOption = None) -> None:
    """Delete a token: from now on nothing is let in with it."""
    api = connect()
    found = next((token for token in _tokens(api, user) if token["id"] == number), None)
    if not found:
        raise NotFound(f"There is no token {number}.", "`cabestan token list` shows them.")
    typed = deleting.confirmed(str(found["name"]), confirm, [])
    api.delete(address(*_at(user).strip("/").split("/"), number), confirm=typed)
    tell(f"Deleted the token {found['name']}.")


def _at(user: str | None) -> str:
    return "/user/tokens" if user is None else address("users", user, "tokens")


def _tokens(api: Api, user: str | None) -> list[Thing]:
    items: list[Thing] = api.get(_at(user))["items"]
    return items
