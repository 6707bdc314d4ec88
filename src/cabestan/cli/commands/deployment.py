"""`cabestan deployment`."""

from typing import Annotated

import typer

from cabestan.cli import run_logs
from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import one_line
from cabestan.cli.commands.finish import FIELDS, finish
from cabestan.cli.completion import environment_names, waiting_numbers
from cabestan.cli.failures import EXIT_FAILED, Unable
from cabestan.cli.options import (
    CommentOption,
    DeploymentArgument,
    FollowOption,
    JsonOption,
    LimitOption,
    OnlyEnvironmentOption,
    ProjectOption,
    YesOption,
    connect,
    the_project,
)
from cabestan.cli.output import (
    Column,
    commit,
    field,
    print_heading,
    print_json,
    print_list,
    print_thing,
    run_time,
    since,
    status,
    tell,
)
from cabestan.cli.plans import confirm, print_plan, to_be_asked
from cabestan.cli.reasons import print_reason
from cabestan.domain.why import headline

app = typer.Typer(help="Deployments: releases being put on environments.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("id"),
    status(),
    field("environment"),
    field("what"),
    commit(),
    field("by"),
    since("created_at"),
    run_time(),
)
_STEP_COLUMNS: tuple[Column, ...] = (
    status(),
    field("text", "step"),
    run_time(),
    Column("detail", lambda step: one_line(headline(str(step.get("detail") or "")))),
)
_APPROVAL_COLUMNS: tuple[Column, ...] = (
    field("by"),
    field("approved"),
    field("comment"),
    since("created_at", "when"),
    field("void"),
)
#: among so many is the one that waits: a newer one takes an older one's place
_LATEST = 50
WaitingArgument = Annotated[
    int | None,
    typer.Argument(
        metavar="ID",
        min=1,
        help="Its number; that of the one that waits at ENV when not given.",
        autocompletion=waiting_numbers,
    ),
]
WaitsAtOption = Annotated[
    str | None,
    typer.Option("--environment", "-e", metavar="ENV", help="Where it waits.", autocompletion=environment_names),
]
LaterWaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the deployment has ended.")]


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: OnlyEnvironmentOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List a project's deployments, the newest first."""
    where = address("projects", the_project(project), "deployments")
    items = connect().items(where, limit, environment=environment)
    print_list(items, _COLUMNS, as_json=as_json, empty="No deployment yet. Begin one: cabestan deploy -e ENVIRONMENT")


@app.command()
def show(number: DeploymentArgument, as_json: JsonOption = False) -> None:
    """Show one deployment with its plan, steps and approvals."""
    deployment = connect().get(address("deployments", number))
    if as_json:
        print_json(deployment)
    else:
        _print(deployment)


@app.command()
def approve(
    number: WaitingArgument = None,
    environment: WaitsAtOption = None,
    project: ProjectOption = None,
    comment: CommentOption = "",
    fingerprint: Annotated[
        str | None,
        typer.Option("--fingerprint", metavar="TEXT", help="Only the plan with this one, as seen before."),
    ] = None,
    wait: LaterWaitOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the plan of a deployment that waits, ask, and approve exactly that plan."""
    api = connect()
    number = number or _waiting(api, environment, project)
    if as_json and not fingerprint:
        raise Unable(
            "With --json the plan is not shown, so it cannot be approved.",
            f"Look at it (`cabestan deployment show {number} --json`), and give the plan's --fingerprint.",
        )
    deployment = api.get(address("deployments", number))
    plan = deployment.get("plan") or {}
    asked = to_be_asked(yes=yes, as_json=as_json)
    if not as_json:
        _print_question(deployment, plan)
    confirm(f"Approve deployment {number}?", asked=asked)
    body = {"fingerprint": fingerprint or plan.get("fingerprint", ""), **({"comment": comment} if comment else {})}
    approved = api.post(address("deployments", number, "approve"), body)
    finish(api, approved, wait=wait, through_approval=True, as_json=as_json)


@app.command()
def reject(
    number: WaitingArgument = None,
    environment: WaitsAtOption = None,
    project: ProjectOption = None,
    comment: CommentOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reject a deployment that waits for an approval."""
    number = number or _waiting(connect(), environment, project)
    _end(number, "reject", {"comment": comment} if comment else {}, as_json)


@app.command()
def cancel(number: DeploymentArgument, as_json: JsonOption = False) -> None:
    """Cancel a deployment that has not ended."""
    _end(number, "cancel", {}, as_json)


@app.command()
def log(
    number: DeploymentArgument,
    service: Annotated[
        str | None, typer.Argument(metavar="SERVICE", help="The one that ran; all of them when not given.")
    ] = None,
    follow: FollowOption = False,
) -> None:
    """Write to stdout what the services said that run once in a deployment, such as migrations."""
    failed = run_logs.write(connect(), number, service, live=follow)
    if failed:
        tell(failed)
        raise typer.Exit(EXIT_FAILED)


def _waiting(api: Api, environment: str | None, project: str | None) -> int:
    """The one that waits for an approval at the environment."""
    if not environment:
        raise Unable("Which deployment is meant?", "Give its number, or the environment that it waits for: -e ENV")
    name = the_project(project)
    found = api.items(address("projects", name, "deployments"), _LATEST, environment=environment)
    waiting = [one["id"] for one in found if one["status"] == "waiting"]
    if not waiting:
        raise Unable(
            f"Nothing waits for an approval on {environment} of {name}.",
            f"`cabestan deployment list -e {environment} -p {name}` shows what there is.",
        )
    return int(max(waiting))


def _end(number: int, action: str, body: Thing, as_json: bool) -> None:
    deployment = connect().post(address("deployments", number, action), body)
    if not as_json:
        print_reason(deployment)
    print_thing(deployment, FIELDS, as_json=as_json)


def _print_question(deployment: Thing, plan: Thing) -> None:
    print_reason(deployment)
    print_thing(deployment, FIELDS)
    if plan:
        print_plan({**plan, "evidence": deployment.get("evidence")})


def _print(deployment: Thing) -> None:
    print_reason(deployment)
    print_thing(deployment, FIELDS)
    steps, approvals = deployment.get("steps"), deployment.get("approvals")
    if deployment.get("plan"):
        print_plan({**deployment["plan"], "evidence": deployment.get("evidence")})
    if steps:
        print_heading("Steps done")
        print_list(steps, _STEP_COLUMNS, as_json=False, empty="")
    if approvals:
        print_heading("Approvals")
        print_list(approvals, _APPROVAL_COLUMNS, as_json=False, empty="")
