"""`cabestan plan`, `deploy` and `rollback`."""

from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.commands.finish import finish
from cabestan.cli.completion import release_numbers
from cabestan.cli.options import (
    EnvironmentOption,
    JsonOption,
    ProjectOption,
    ReleaseArgument,
    WaitOption,
    YesOption,
    connect,
    the_project,
)
from cabestan.cli.output import print_json
from cabestan.cli.plans import confirm, print_plan, to_be_asked


def plan(
    environment: EnvironmentOption,
    release: ReleaseArgument = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a deployment would do, without deploying."""
    found = connect().get(_environment(the_project(project), environment) + "/plan", release=release)
    if as_json:
        print_json(found)
    else:
        print_plan(found)


def deploy(
    environment: EnvironmentOption,
    release: ReleaseArgument = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Deploy a release to an environment, and wait until it has ended or waits for an approval."""
    api, name = connect(), the_project(project)
    where = _environment(name, environment)
    wish: Thing = {}
    if to_be_asked(yes=yes, as_json=as_json):
        release = release or _newest(api, name)
        wish = _seen(api.get(f"{where}/plan", release=release))
        confirm(f"Deploy release {release} of {name} to {environment}?", asked=True)
    started = api.post(f"{where}/deployments", wish | ({"release": release} if release else {}))
    finish(api, started, wait=wait, through_approval=False, as_json=as_json)


def rollback(
    environment: EnvironmentOption,
    project: ProjectOption = None,
    to: Annotated[
        int | None,
        typer.Option(
            "--to",
            min=1,
            metavar="RELEASE",
            help="By default the one that served before.",
            autocompletion=release_numbers,
        ),
    ] = None,
    wait: WaitOption = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Deploy an earlier release again, with the variables that it ran with."""
    api, name = connect(), the_project(project)
    where, wish = _environment(name, environment), {}
    if to_be_asked(yes=yes, as_json=as_json):
        wish = _seen(api.get(f"{where}/plan", release=to, rollback="true"))
        which = f"release {to}" if to else "the release that served before"
        confirm(f"Put {name} {environment} back to {which}?", asked=True)
    started = api.post(f"{where}/rollback", wish | ({"release": to} if to else {}))
    finish(api, started, wait=wait, through_approval=False, as_json=as_json)


def _seen(plan: Thing) -> Thing:
    """Shows the plan; what is asked for then is that one, and no other."""
    print_plan(plan)
    return {"fingerprint": plan["fingerprint"]}


def _newest(api: Api, project: str) -> int | None:
    items = api.items(address("projects", project, "releases"), 1)
    return int(items[0]["number"]) if items else None


def _environment(project: str, environment: str) -> str:
    return address("projects", project, "environments", environment)
