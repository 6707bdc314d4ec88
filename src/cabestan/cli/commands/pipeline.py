"""`cabestan pipeline`."""

from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import one_line
from cabestan.cli.commands.variable import pair
from cabestan.cli.failures import Refused
from cabestan.cli.options import JsonOption, LimitOption, NumberArgument, ProjectOption, connect, the_project
from cabestan.cli.output import (
    Column,
    commit,
    field,
    print_heading,
    print_json,
    print_line,
    print_list,
    print_thing,
    run_time,
    since,
    status,
)
from cabestan.cli.reasons import print_reason, where_in_log
from cabestan.domain.why import headline

app = typer.Typer(help="Pipelines: what a push or a person set off.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("id"),
    status(),
    field("branch"),
    commit(),
    field("title"),
    field("by"),
    since("created_at"),
    run_time(),
)
_FIELDS: tuple[Column, ...] = (
    field("id", "pipeline"),
    field("project"),
    status(),
    field("branch"),
    field("commit"),
    field("title"),
    field("author"),
    field("by"),
    Column("variables", lambda thing: ", ".join(f"{k}={v}" for k, v in (thing.get("variables") or {}).items())),
    field("release"),
    since("created_at"),
    run_time(),
    field("url", "page"),
)
_JOB_COLUMNS: tuple[Column, ...] = (
    field("id"),
    status(),
    field("stage"),
    field("name"),
    field("kind"),
    run_time(),
    Column("reason", lambda job: one_line(headline(str(job.get("reason") or "")))),
)


@app.command("list")
def list_(project: ProjectOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List a project's pipelines, the newest first."""
    items = connect().items(address("projects", the_project(project), "pipelines"), limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No pipeline yet. Push a commit, or: cabestan pipeline run")


@app.command()
def show(
    number: Annotated[int | None, typer.Argument(metavar="ID", min=1, help="By default the newest.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one pipeline with its jobs."""
    api = connect()
    _print(_checked(api, _newest(api, the_project(project)) if number is None else number, project), as_json)


@app.command()
def run(
    branch: Annotated[
        str | None, typer.Option("--branch", "-b", metavar="BRANCH", help="By default the project's default branch.")
    ] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(
            "--variable", metavar="NAME=VALUE", help="For its jobs; X_… travels with its release. Repeatable."
        ),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a pipeline for the newest commit of a branch."""
    body: Thing = {"branch": branch} if branch else {}
    if variable:
        body["variables"] = dict(pair(assignment) for assignment in variable)
    _print(connect().post(address("projects", the_project(project), "pipelines"), body), as_json)


@app.command()
def cancel(number: NumberArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Cancel all that has not ended."""
    _act(number, "cancel", project, as_json)


@app.command()
def retry(number: NumberArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Run again what did not succeed."""
    _act(number, "retry", project, as_json)


def _act(number: int, action: str, project: str | None, as_json: bool) -> None:
    api = connect()
    if project is not None:
        _checked(api, number, project)
    _print(api.post(address("pipelines", number, action)), as_json)


def _checked(api: Api, number: int, project: str | None) -> Thing:
    """The pipeline; refuses where it is not one of the project that was named."""
    pipeline: Thing = api.get(address("pipelines", number))
    if project is not None and pipeline["project"] != project:
        raise Refused(f"Pipeline {number} is not one of {project}.", f"It belongs to {pipeline['project']}.")
    return pipeline


def _newest(api: Api, project: str) -> int:
    items = api.items(address("projects", project, "pipelines"), 1)
    if not items:
        raise Refused(f"{project} has no pipeline yet.", "Push a commit, or: cabestan pipeline run")
    return int(items[0]["id"])


def _print(pipeline: Thing, as_json: bool) -> None:
    if as_json:
        print_json(pipeline)
        return
    print_reason(pipeline)
    for words in filter(None, map(where_in_log, pipeline.get("jobs") or [])):
        print_line(words)
    print_thing(pipeline, _FIELDS)
    if pipeline.get("advice"):
        print_line(pipeline["advice"], "yellow")
    for note in pipeline.get("notes") or []:
        print_line(f"note: {note}", "yellow")
    if pipeline.get("jobs"):
        print_heading("Jobs")
        print_list(pipeline["jobs"], _JOB_COLUMNS, as_json=False, empty="")
