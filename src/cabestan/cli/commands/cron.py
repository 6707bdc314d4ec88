"""`cabestan cron`."""

from typing import Annotated

import typer

from cabestan.cli import follow as logs
from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import exact
from cabestan.cli.failures import EXIT_FAILED, Refused
from cabestan.cli.options import (
    EnvironmentOption,
    FollowOption,
    FromLineOption,
    JsonOption,
    LimitOption,
    NumberArgument,
    OnlyEnvironmentOption,
    ProjectOption,
    connect,
    the_project,
)
from cabestan.cli.output import (
    Column,
    field,
    moment,
    print_json,
    print_list,
    print_thing,
    run_time,
    since,
    status,
    tell,
)

app = typer.Typer(help="Schedules: services that run by the clock, and their runs.", no_args_is_help=True)

_COLUMNS: tuple[Column, ...] = (
    field("id"),
    field("environment"),
    field("service"),
    field("schedule"),
    field("time_zone", "zone"),
    field("words", "in words"),
    Column("next due", lambda thing: _next_due(thing)),
    Column("last", lambda thing: str((thing.get("last") or {}).get("status", ""))),
)
_FIELDS: tuple[Column, ...] = (
    *_COLUMNS,
    field("command"),
    field("overlap"),
    field("timeout_seconds"),
    field("retries"),
    field("url", "page"),
)
_RUN_COLUMNS: tuple[Column, ...] = (
    field("id", "run"),
    status(),
    moment("due_at", "due"),
    field("cause"),
    field("by"),
    field("attempt"),
    since("started_at"),
    run_time(),
    field("reason"),
)
_RUN_FIELDS: tuple[Column, ...] = (
    *_RUN_COLUMNS,
    field("service"),
    field("project"),
    field("environment"),
    field("release"),
    field("url", "page"),
)
ServiceArgument = Annotated[str, typer.Argument(metavar="SERVICE", help="The service that runs by the clock.")]


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: OnlyEnvironmentOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List a project's schedules: what runs when, and how the last run ended."""
    items = connect().items(address("projects", the_project(project), "schedules"), limit, environment=environment)
    empty = "No schedule. A service becomes one by its labels sh.factory.cronjob.schedule and .command."
    print_list(items, _COLUMNS, as_json=as_json, empty=empty)


@app.command()
def run(
    service: ServiceArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a schedule's command now, beside its times."""
    api = connect()
    begun = api.post(address("schedules", _find(api, the_project(project), environment, service), "run"), {})
    if as_json:
        print_json(begun)
    elif not follow:
        print_thing(begun, _RUN_FIELDS)
    if follow:
        _follow(api, int(begun["id"]), 1)


@app.command()
def pause(
    service: ServiceArgument, environment: EnvironmentOption, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Have a schedule rest until it is resumed; what runs goes on."""
    _change(service, environment, project, "pause", as_json)


@app.command()
def resume(
    service: ServiceArgument, environment: EnvironmentOption, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Have a paused schedule be due again, from now on."""
    _change(service, environment, project, "resume", as_json)


@app.command()
def history(
    service: ServiceArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List a schedule's runs, the newest first."""
    api = connect()
    key = _find(api, the_project(project), environment, service)
    items = api.items(address("schedules", key, "runs"), limit)
    print_list(items, _RUN_COLUMNS, as_json=as_json, empty="It has not run yet.")


@app.command()
def log(number: NumberArgument, follow: FollowOption = False, from_line: FromLineOption = 1) -> None:
    """Write the log of a run to stdout."""
    api = connect()
    if follow:
        _follow(api, number, from_line)
    else:
        logs.show(api, number, "runs", from_line=from_line, live=False)


@app.command()
def cancel(number: NumberArgument, as_json: JsonOption = False) -> None:
    """Stop a run that has not ended."""
    canceled = connect().post(address("runs", number, "cancel"), {})
    print_thing(canceled, _RUN_FIELDS, as_json=as_json)


def _follow(api: Api, number: int, from_line: int) -> None:
    status_at_end = logs.show(api, number, "runs", from_line=from_line, live=True)
    if not logs.ended_well(status_at_end):
        tell(f"Run {number} {status_at_end}.")
        raise typer.Exit(EXIT_FAILED)


def _change(service: str, environment: str, project: str | None, action: str, as_json: bool) -> None:
    api = connect()
    changed = api.post(address("schedules", _find(api, the_project(project), environment, service), action), {})
    print_thing(changed, _FIELDS, as_json=as_json)


def _find(api: Api, project: str, environment: str, service: str) -> int:
    """The schedule's number. Raises Refused where the release that serves has none."""
    found = api.get(address("projects", project, "schedules"), environment=environment)["items"]
    for schedule in found:
        if schedule["service"] == service:
            return int(schedule["id"])
    known = ", ".join(schedule["service"] for schedule in found) or "none"
    raise Refused(f"{environment} has no schedule {service}.", f"There are: {known}.")


def _next_due(schedule: Thing) -> str:
    if schedule.get("paused_by"):
        return f"paused by {schedule['paused_by']}"
    return exact(schedule.get("next_due")) or "never"
