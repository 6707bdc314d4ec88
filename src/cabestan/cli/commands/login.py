"""`cabestan login`."""

import sys
from typing import Annotated

import typer

from cabestan.cli import client_config, output
from cabestan.cli.api import Api
from cabestan.cli.client_config import ClientConfig
from cabestan.cli.failures import Refused


def login(
    url: Annotated[str, typer.Argument(metavar="URL", help="The server's address, such as http://127.0.0.1:8600.")],
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Only if the token is this user's.")
    ] = None,
) -> None:
    """Keep a server's address and a token for it; the token is read from stdin, or asked for."""
    server = _checked(url)
    token = _read_token(server)
    name = _owner(server, token, user)
    file = client_config.write(server, token)
    output.tell(f"Logged in to {server} as {name}; kept in {file}.")


def _checked(url: str) -> str:
    if not client_config.is_address(url):
        raise typer.BadParameter("must be like http://HOST:PORT, with no user name in it", param_hint="URL")
    return url.rstrip("/")


def _read_token(server: str) -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        token = getpass(f"Token for {server}: ").strip()
    else:
        token = sys.stdin.readline().strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise typer.BadParameter("no token was given on stdin", param_hint="token")
    return token


def _owner(server: str, token: str, wanted: str | None) -> str:
    """Whose token it is, in the server's words."""
    name = str(Api(ClientConfig(server, token)).get("/user")["name"])
    if wanted is not None and name != wanted:
        raise Refused(f"This token belongs to {name}, not to {wanted}.", "Nothing was kept; give the other token.")
    return name
