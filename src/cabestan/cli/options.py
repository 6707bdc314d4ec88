"""The options and arguments that many commands share, and what is made of them."""

import re
from typing import Annotated

import typer

from cabestan.cli import client_config
from cabestan.cli.api import Api
from cabestan.cli.clone import project_of_clone
from cabestan.cli.completion import deployment_numbers, environment_names, project_names, release_numbers

_PROJECT = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")

JsonOption = Annotated[bool, typer.Option("--json", help="Print the API's answer as JSON.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many, the newest first.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it has ended.")]
ConfirmOption = Annotated[
    str | None, typer.Option("--confirm", metavar="NAME", help="Its name, typed out; asked for when not given.")
]
WithoutBackupOption = Annotated[
    bool, typer.Option("--without-backup", help="Take no last backup of its data, which is lost then.")
]
CommentOption = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why; kept with the decision.")]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="G/N",
        help="The project; found from the Git remote of the current clone when not given.",
        autocompletion=project_names,
    ),
]
ProjectArgument = Annotated[str, typer.Argument(metavar="G/N", help="The project.", autocompletion=project_names)]
EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment", "-e", metavar="ENV", help="The environment's name.", autocompletion=environment_names
    ),
]
#: a list's bound to one environment
OnlyEnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", metavar="ENV", help="Of this environment alone.", autocompletion=environment_names
    ),
]
EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENV", help="The environment's name.", autocompletion=environment_names)
]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Until it ends; whether it succeeded is the exit code.")
]
FromLineOption = Annotated[
    int, typer.Option("--from-line", min=1, metavar="N", help="Begin at this line; they count from 1.")
]
NumberArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number, as the lists show it.")]
ReleaseArgument = Annotated[
    int | None,
    typer.Argument(
        metavar="RELEASE",
        min=1,
        help="The release's number; the newest when not given.",
        autocompletion=release_numbers,
    ),
]
DeploymentArgument = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, help="Its number, as the lists show it.", autocompletion=deployment_numbers),
]


def connect() -> Api:
    return Api(client_config.read())


def the_project(given: str | None) -> str:
    """The project named, or the one whose clone this is."""
    project = given or project_of_clone(client_config.read().url)
    if project is None:
        raise typer.BadParameter("name it as -p GROUP/NAME, or run this in a clone of it", param_hint="--project")
    return checked_project(project)


def checked_project(name: str, given_as: str = "--project") -> str:
    if not _PROJECT.fullmatch(name) or ".." in name:
        raise typer.BadParameter(f"{name!r} is not of the form GROUP/NAME", param_hint=given_as)
    return name
