"""Names for the shell's completion, from the server, within a second, and never an error."""

import re
import threading
from collections.abc import Callable

import typer

from cabestan.cli import client_config
from cabestan.cli.api import Api, Thing, address
from cabestan.cli.clone import project_of_clone
from cabestan.errors import CabestanError

_SECONDS = 1.0
_MOST = 200
#: of those that come and go
_NEWEST = 30
_LONGEST = 60
#: neither letters nor digits, nor signs that no shell knows
_MEANT = re.compile(r"[^\w .,/+=@-]")


def project_names(incomplete: str) -> list[str]:
    return _alone(_matching(incomplete, lambda api, _: _names(api, "/projects")))


def user_names(incomplete: str) -> list[str]:
    """For administrators, who alone may list them."""
    return _alone(_matching(incomplete, lambda api, _: _names(api, "/users")))


def environment_names(ctx: typer.Context, incomplete: str) -> list[str]:
    given = ctx.params.get("project")

    def fetch(api: Api, server: str) -> list[tuple[str, str]]:
        project = given or project_of_clone(server)
        return _names(api, address("projects", project, "environments")) if project else []

    return _alone(_matching(incomplete, fetch))


def release_numbers(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The newest ones, each with its branch and the title of its commit."""

    def fetch(api: Api, server: str) -> list[tuple[str, str]]:
        newest = _of_project(ctx, api, server, "releases")
        return [(str(one["number"]), _said(one["branch"], one["title"])) for one in newest]

    return _matching(incomplete, fetch)


def deployment_numbers(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The newest ones, each with its state, and what went where."""
    return _matching(incomplete, lambda api, server: _deployments(ctx, api, server))


def waiting_numbers(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Of deployments that wait for an approval."""
    return _matching(incomplete, lambda api, server: _deployments(ctx, api, server, only="waiting"))


def _deployments(ctx: typer.Context, api: Api, server: str, only: str = "") -> list[tuple[str, str]]:
    newest = _of_project(ctx, api, server, "deployments")
    chosen = (one for one in newest if not only or one["status"] == only)
    return [
        (str(one["id"]), _said(str(one["status"]), f"release {one['release']} to {one['environment']}"))
        for one in chosen
    ]


def _of_project(ctx: typer.Context, api: Api, server: str, what: str) -> list[Thing]:
    """One page of them: whoever completes wants one of the last."""
    project = ctx.params.get("project") or project_of_clone(server)
    return api.items(address("projects", project, what), _NEWEST) if project else []


def _said(first: object, then: object) -> str:
    """In one line. Shells evaluate what they are offered, and titles are of others: signs that mean something to one
    become blanks.
    """
    return " ".join(_MEANT.sub(" ", f"{first}, {then}".replace("_", " ")).split())[:_LONGEST].rstrip()


def _names(api: Api, path: str) -> list[tuple[str, str]]:
    return [(str(item["name"]), "") for item in api.items(path, _MOST)]


def _alone(found: list[tuple[str, str]]) -> list[str]:
    return [word for word, _ in found]


def _matching(incomplete: str, fetch: Callable[[Api, str], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Words, each with what it stands for. Whoever presses the tabulator gets what came within the time, or nothing."""
    found: list[tuple[str, str]] = []

    def work() -> None:
        try:
            server = client_config.read()
            found.extend(fetch(Api(server, _SECONDS), server.url))
        except (CabestanError, KeyError, TypeError, ValueError):
            return

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(_SECONDS)
    return [one for one in found if one[0].startswith(incomplete)]
