"""`cabestan volume`."""

from typing import Annotated

import typer

from cabestan.cli import deleting
from cabestan.cli.api import address
from cabestan.cli.options import (
    ConfirmOption,
    EnvironmentOption,
    JsonOption,
    ProjectOption,
    WaitOption,
    WithoutBackupOption,
    connect,
    the_project,
)
from cabestan.cli.output import Column, field, print_list

app = typer.Typer(help="Volumes of applications.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (field("volume"), field("environment"), field("used", "in use"), field("name"))


@app.command("list")
def list_(environment: EnvironmentOption, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List an environment's volumes."""
    answer = connect().get(address("projects", the_project(project), "volumes"), environment=environment)
    print_list(answer["items"], _COLUMNS, as_json=as_json, empty="No volume.")


@app.command()
def delete(
    volume: Annotated[str, typer.Argument(metavar="VOLUME", help="As the Compose file calls it.")],
    environment: EnvironmentOption,
    project: ProjectOption = None,
    confirm: ConfirmOption = None,
    without_backup: WithoutBackupOption = False,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Delete one that nothing uses any more; a last backup of it is kept."""
    api, name = connect(), the_project(project)
    typed = deleting.confirmed(volume, confirm, [])
    where = address("projects", name, "volumes", volume)
    begun = api.delete(where, environment=environment, confirm=typed, without_backup=str(without_backup).lower())
    deleting.finish(api, begun, wait=wait, as_json=as_json)
