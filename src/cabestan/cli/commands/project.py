"""`cabestan project`."""

from typing import Annotated

import typer

from cabestan.cli import client_config, deleting
from cabestan.cli import clone as clones
from cabestan.cli.api import address
from cabestan.cli.options import (
    ConfirmOption,
    JsonOption,
    LimitOption,
    ProjectArgument,
    ProjectOption,
    WaitOption,
    WithoutBackupOption,
    checked_project,
    connect,
    the_project,
)
from cabestan.cli.output import Column, field, print_json, print_list, print_thing, since, tell

app = typer.Typer(help="Projects and their Git repositories.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("name"),
    field("default_branch", "branch"),
    field("git_url", "git"),
    since("created_at"),
)


@app.command("list")
def list_(limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the projects that you may see."""
    items = connect().items("/projects", limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No project yet. Make one: cabestan project create GROUP/NAME")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="G/N", help="Its group and name.")],
    default_branch: Annotated[
        str | None, typer.Option("--default-branch", metavar="BRANCH", help="Instead of the server's choice.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project with an empty Git repository."""
    body = {"name": checked_project(name, "G/N"), **({"default_branch": default_branch} if default_branch else {})}
    project = connect().post("/projects", body)
    if as_json:
        print_json(project)
    else:
        print_thing(project, _COLUMNS)
        tell(f"Next: cabestan project clone {project['name']}")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(metavar="G/N", help="The project; by default this clone's.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="G/N", help="The same.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one project."""
    found = connect().get(address("projects", the_project(name or project)))
    print_thing(found, (*_COLUMNS, field("protected_branches"), field("url", "page")), as_json=as_json)


@app.command()
def protect(
    patterns: Annotated[
        list[str], typer.Argument(metavar="BRANCH", help='main, release/*, @default; "" for none at all.')
    ],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name the protected branches: they alone get protected variables, and only maintainers push to them."""
    body = {"branches": [pattern for pattern in patterns if pattern]}
    found = connect().put(address("projects", the_project(project), "protected-branches"), body)
    if as_json:
        print_json(found)
    else:
        tell(f"Protected in {found['name']}: {', '.join(found['protected_branches']) or 'no branch'}.")


@app.command()
def delete(
    name: ProjectArgument,
    confirm: ConfirmOption = None,
    without_backup: WithoutBackupOption = False,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Delete a project with all that it has; last backups of its data are kept."""
    api, project = connect(), checked_project(name, "G/N")
    typed = deleting.confirmed(project, confirm, deleting.preview(api, project) if confirm is None else [])
    begun = api.delete(address("projects", project), confirm=typed, without_backup=str(without_backup).lower())
    deleting.finish(api, begun, wait=wait, as_json=as_json)


@app.command()
def clone(
    name: ProjectArgument,
    folder: Annotated[str | None, typer.Argument(metavar="DIR", help="By default the project's name.")] = None,
) -> None:
    """Clone a project's repository, so that Git asks for no further login."""
    project = connect().get(address("projects", checked_project(name, "G/N")))
    url = clones.reached_by(str(project["git_url"]), client_config.read().url)
    target = folder or name.partition("/")[2]
    clones.run_clone(clones.clone_command(url, target, str(project["default_branch"]), clones.credential_helper()))
