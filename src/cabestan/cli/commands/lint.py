"""`cabestan lint`: the checks of the pipeline's first job, on the working copy; no server is asked."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from cabestan.cli.options import ProjectOption, checked_project

#: where no environment is named
_ENVIRONMENT = "production"


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


FileOption = Annotated[
    list[str] | None,
    typer.Option("--file", "-f", metavar="FILE", help="A Compose file; may be repeated. Else the folder's own."),
]
VariableOption = Annotated[
    list[str] | None,
    typer.Option("--variable", metavar="NAME=VALUE", help="A variable of the platform; may be repeated."),
]
WaivedOption = Annotated[
    list[str] | None,
    typer.Option("--waived", metavar="CODE", help="A rule that is waived for the project; may be repeated."),
]

StrictOption = Annotated[
    list[str] | None,
    typer.Option(
        "--strict",
        metavar="CODE",
        help="A warning that is an error on the server (its strict_rules); may be repeated.",
    ),
]


def lint(
    file: FileOption = None,
    environment: Annotated[
        str, typer.Option("--environment", "-e", metavar="ENV", help="Check as this environment has it.")
    ] = _ENVIRONMENT,
    variable: VariableOption = None,
    waived: WaivedOption = None,
    strict: StrictOption = None,
    project: ProjectOption = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="The same as --format sarif.")] = False,
) -> None:
    """Check Compose file and Dockerfiles of the working copy, without a server."""
    from cabestan.cli import linting
    from cabestan.cli.working_copy import working_copy

    copy = working_copy(file or (), checked_project(project) if project else None)
    form = Format.JSON if as_json else Format.SARIF if as_sarif else format_
    waivers = linting.waivers_of(waived or (), strict or ())
    linting.lint(copy, environment, variables(variable), waivers, form.value)


def variables(assignments: Sequence[str] | None) -> dict[str, str]:
    """Of the options; raises BadParameter."""
    pairs = [assignment.partition("=") for assignment in assignments or ()]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise typer.BadParameter(f"{name!r} is not of the form NAME=VALUE", param_hint="--variable")
    return {name: value for name, _, value in pairs}
