"""`cabestan deployment`."""

from typing import Annotated

import typer

from cabestan.cli import run_logs
from cabestan.cli.api import Thing, address
from cabestan.cli.commands.finish import FIELDS, finish
from cabestan.cli.failures import EXIT_FAILED
from cabestan.cli.options import (
    CommentOption,
    FollowOption,
    JsonOption,
    LimitOption,
    NumberArgument,
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

app = typer.Typer(help="Deployments: releases being put on environments.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("id"),
    status(),
    field("environment"),
    field("release"),
    commit(),
    field("by"),
    since("created_at"),
    run_time(),
)
_STEP_COLUMNS: tuple[Column, ...] = (status(), field("text", "step"), run_time(), field("detail"))
_APPROVAL_COLUMNS: tuple[Column, ...] = (
    field("by"),
    field("approved"),
    field("comment"),
    since("created_at", "when"),
    field("void"),
)
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
def show(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Show one deployment with its plan, steps and approvals."""
    deployment = connect().get(address("deployments", number))
    if as_json:
        print_json(deployment)
    else:
        _print(deployment)


@app.command()
def approve(
    number: NumberArgument,
    comment: CommentOption = "",
    fingerprint: Annotated[
        str | None,
        typer.Option("--fingerprint", metavar="TEXT", help="Only the plan with this one, as seen before."),
    ] = None,
    wait: LaterWaitOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a deployment's plan, ask, and approve exactly that plan."""
    api = connect()
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
def reject(number: NumberArgument, comment: CommentOption = "", as_json: JsonOption = False) -> None:
    """Reject a deployment that waits for an approval."""
    _end(number, "reject", {"comment": comment} if comment else {}, as_json)


@app.command()
def cancel(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Cancel a deployment that has not ended."""
    _end(number, "cancel", {}, as_json)


@app.command()
def log(
    number: NumberArgument,
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="The one that ran; all of them when not given.")
    ] = None,
    follow: FollowOption = False,
) -> None:
    """Write to stdout what the services said that run once in a deployment, such as migrations."""
    failed = run_logs.write(connect(), number, service, live=follow)
    if failed:
        tell(failed)
        raise typer.Exit(EXIT_FAILED)


def _end(number: int, action: str, body: Thing, as_json: bool) -> None:
    deployment = connect().post(address("deployments", number, action), body)
    print_thing(deployment, FIELDS, as_json=as_json)


def _print_question(deployment: Thing, plan: Thing) -> None:
    print_thing(deployment, FIELDS)
    if plan:
        print_plan(plan)


def _print(deployment: Thing) -> None:
    print_thing(deployment, FIELDS)
    steps, approvals = deployment.get("steps"), deployment.get("approvals")
    if deployment.get("plan"):
        print_plan(deployment["plan"])
    if steps:
        print_heading("Steps done")
        print_list(steps, _STEP_COLUMNS, as_json=False, empty="")
    if approvals:
        print_heading("Approvals")
        print_list(approvals, _APPROVAL_COLUMNS, as_json=False, empty="")
