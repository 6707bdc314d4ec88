"""`cabestan watch`."""

import sys
import time
from typing import Annotated

import typer

from cabestan.cli.api import Api, address
from cabestan.cli.cells import clean
from cabestan.cli.clone import commit_here
from cabestan.cli.options import JsonOption, OnlyEnvironmentOption, ProjectOption, connect, the_project
from cabestan.cli.output import print_json, tell
from cabestan.cli.watching import Watcher
from cabestan.domain.progress import Outcome

#: how it ended, by the exit code: those below are taken, as everywhere
EXITS = {
    Outcome.SERVING: 0,
    Outcome.PIPELINE_FAILED: 10,
    Outcome.DEPLOYMENT_FAILED: 11,
    Outcome.WAITING: 12,
    Outcome.SUPERSEDED: 13,
    Outcome.NOT_DEPLOYED: 14,
}
EXIT_TIMEOUT = 15
_LONGEST_ID = 9


def watch(
    what: Annotated[
        str | None,
        typer.Argument(metavar="REF", help="A branch, tag or commit, or the number of a pipeline. By default HEAD."),
    ] = None,
    environment: OnlyEnvironmentOption = None,
    timeout: Annotated[
        int | None, typer.Option("--timeout", min=1, metavar="SECONDS", help="Watch no longer; the work goes on.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch what a push sets off, until it serves.

    The exit code says how it ended. 0: it serves. 10: the pipeline failed. 11: a deployment failed or was rolled back.
    12: it waits for an approval. 13: a newer one took its place. 14: nothing is deployed. 15: not over within
    --timeout. 130: ended by Ctrl-C.
    """
    api = connect()
    end = time.monotonic() + timeout if timeout else None
    watcher = Watcher(api, (lambda _: None) if as_json else _write, (lambda _: None) if as_json else tell, end)
    pipeline = _pipeline(watcher, what, project)
    if environment:
        _check(api, pipeline, environment)
    thing, outcome = watcher.watch(pipeline, environment)
    if as_json:
        print_json({"outcome": outcome or "timeout", **thing})
    elif outcome is None:
        tell(f"Not over within {timeout} s; it goes on. To watch it again: cabestan watch {pipeline}")
    elif outcome is Outcome.NOT_DEPLOYED and environment and thing.get("release"):
        tell(f"It does not come to {environment} by itself: cabestan deploy {thing['release']} -e {environment}")
    raise typer.Exit(EXITS[outcome] if outcome else EXIT_TIMEOUT)


def _pipeline(watcher: Watcher, what: str | None, project: str | None) -> int:
    """A number is a pipeline's; all else is a commit of the clone."""
    if what and what.isascii() and what.isdigit() and len(what) <= _LONGEST_ID:
        return int(what)
    name = the_project(project)
    commit, branch = commit_here(what)
    return watcher.pipeline_of(name, commit, branch)


def _check(api: Api, pipeline: int, environment: str) -> None:
    """Raises Refused, in the server's words, where there is no such environment."""
    api.get(address("projects", api.get(address("pipelines", pipeline))["project"], "environments", environment))


def _write(line: str) -> None:
    sys.stdout.write(f"{clean(line)}\n")
    sys.stdout.flush()
