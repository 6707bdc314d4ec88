"""`cabestan restart`, `stop`, `start` and `scale`."""

from typing import Annotated

import typer

from cabestan.cli.api import Thing, address
from cabestan.cli.commands.finish import finish
from cabestan.cli.options import (
    EnvironmentOption,
    JsonOption,
    ProjectOption,
    WaitOption,
    YesOption,
    connect,
    the_project,
)
from cabestan.cli.plans import confirm, to_be_asked

ServicesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SERVICE", help="Services; all of them when none is given.")
]
NumbersArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="SERVICE=N", help="Replicas of a service; without a number, the Compose file's own again."),
]


def restart(
    environment: EnvironmentOption,
    services: ServicesArgument = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Replace the containers of what is deployed, one after the other."""
    _act("restart", the_project(project), environment, {"services": services or []}, wait=wait, as_json=as_json)


def stop(
    environment: EnvironmentOption,
    services: ServicesArgument = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop what is deployed, until it is started again; deployments keep it stopped."""
    name, what = the_project(project), ", ".join(services or [])
    question = f"Stop {what} of {name} on {environment}?" if what else f"Stop all of {name} on {environment}?"
    confirm(question, asked=to_be_asked(yes=yes, as_json=as_json))
    _act("stop", name, environment, {"services": services or []}, wait=wait, as_json=as_json)


def start(
    environment: EnvironmentOption,
    services: ServicesArgument = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Start what was stopped, with as many replicas as it had."""
    _act("start", the_project(project), environment, {"services": services or []}, wait=wait, as_json=as_json)


def scale(
    environment: EnvironmentOption,
    numbers: NumbersArgument = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set how many replicas services have; deployments keep the numbers."""
    wanted = dict(_number(text) for text in numbers or [])
    if not wanted:
        raise typer.BadParameter("name a service with its number, such as web=3", param_hint="SERVICE=N")
    name, none = the_project(project), [service for service, number in wanted.items() if number == 0]
    if none:
        confirm(f"Stop {', '.join(none)} of {name} on {environment}?", asked=to_be_asked(yes=yes, as_json=as_json))
    _act("scale", name, environment, {"replicas": wanted}, wait=wait, as_json=as_json)


def _number(text: str) -> tuple[str, int | None]:
    service, equals, number = text.partition("=")
    if not service or not equals or (number and not (number.isascii() and number.isdigit())):
        raise typer.BadParameter(f"{text!r} is not of the form SERVICE=N, such as web=3", param_hint="SERVICE=N")
    return service, int(number) if number else None


def _act(kind: str, project: str, environment: str, body: Thing, *, wait: bool, as_json: bool) -> None:
    api = connect()
    started = api.post(address("projects", project, "environments", environment, kind), body)
    finish(api, started, wait=wait, through_approval=True, as_json=as_json)
