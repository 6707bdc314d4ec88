"""`cabestan render`: the stack that a deployment of the working copy would hand to the Swarm."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from cabestan.cli.commands.lint import FileOption, StrictOption, VariableOption, WaivedOption, variables
from cabestan.cli.options import EnvironmentOption, ProjectOption, checked_project, connect
from cabestan.cli.output import tell


def render(
    environment: EnvironmentOption,
    file: FileOption = None,
    variable: VariableOption = None,
    waived: WaivedOption = None,
    strict: StrictOption = None,
    project: ProjectOption = None,
    offline: Annotated[bool, Option("--offline", help="Ask no server, whatever login and clone say.")] = False,
) -> None:
    """Print the stack that would be deployed; images by name, for their digests are known when they are built.

    In the clone of a project, or with -p, the server is asked for the environment's address, variables, names of
    secrets and waivers. Without either, the options tell.
    """
    from cabestan.cli import linting
    from cabestan.cli.working_copy import working_copy

    copy = working_copy(file or (), checked_project(project) if project else None)
    given, refused = variables(variable), strict or ()
    if offline or not copy.of_project:
        tell(f"# {environment} as the working copy and the options tell; no server was asked.")
        place = linting.place_offline(copy, environment, given)
        linting.render(copy, place, linting.waivers_of(waived or (), refused))
        return
    place, on_record = linting.place_on_server(copy, connect(), environment, given)
    linting.render(copy, place, linting.waivers_of((*on_record, *(waived or ())), refused))
