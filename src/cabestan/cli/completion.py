"""Names for the shell's completion, from the server, within a second, and never an error."""

import threading
from collections.abc import Callable

import typer

from cabestan.cli import client_config
from cabestan.cli.api import Api, address
from cabestan.cli.clone import project_of_clone
from cabestan.errors import CabestanError

_SECONDS = 1.0
_MOST = 200


def project_names(incomplete: str) -> list[str]:
    return _matching(incomplete, lambda api, _: _names(api, "/projects"))


def environment_names(ctx: typer.Context, incomplete: str) -> list[str]:
    given = ctx.params.get("project")

    def fetch(api: Api, server: str) -> list[str]:
        project = given or project_of_clone(server)
        return _names(api, address("projects", project, "environments")) if project else []

    return _matching(incomplete, fetch)


def _names(api: Api, path: str) -> list[str]:
    return [str(item["name"]) for item in api.items(path, _MOST)]


def _matching(incomplete: str, fetch: Callable[[Api, str], list[str]]) -> list[str]:
    """Whoever presses the tabulator gets what came within the time, or nothing."""
    found: list[str] = []

    def work() -> None:
        try:
            server = client_config.read()
            found.extend(fetch(Api(server, _SECONDS), server.url))
        except (CabestanError, KeyError, TypeError, ValueError):
            return

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(_SECONDS)
    return [name for name in found if name.startswith(incomplete)]
