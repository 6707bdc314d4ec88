"""`cabestan git-credential`: Git's credential helper protocol, set up by `project clone`."""

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from cabestan.cli import client_config
from cabestan.cli.clone import same_server

#: the server looks at the token alone; Git wants a name beside it
_USERNAME = "token"


def git_credential(operation: Annotated[str, typer.Argument(metavar="get|store|erase")]) -> None:
    """Answer Git's question for the login of this server; other hosts and operations get no answer."""
    asked = attributes(sys.stdin)
    if operation != "get":
        return
    server = client_config.read()
    if server.token and leads_to(asked, server.url):
        sys.stdout.write(f"username={_USERNAME}\npassword={server.token}\n")


def attributes(lines: Iterable[str]) -> dict[str, str]:
    """The `key=value` lines up to an empty one."""
    found = {}
    for line in lines:
        key, equals, value = line.rstrip("\n").partition("=")
        if not equals:
            break
        found[key] = value
    return found


def leads_to(asked: dict[str, str], server: str) -> bool:
    try:
        return same_server(f"{asked.get('protocol', '')}://{asked.get('host', '')}", server)
    except ValueError:
        return False
