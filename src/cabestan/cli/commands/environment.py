"""`cabestan environment`."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cabestan.cli import deleting
from cabestan.cli.api import Thing, address
from cabestan.cli.cells import clean, one_line
from cabestan.cli.completion import environment_names
from cabestan.cli.options import (
    ConfirmOption,
    EnvironmentArgument,
    JsonOption,
    LimitOption,
    ProjectOption,
    WaitOption,
    WithoutBackupOption,
    connect,
    the_project,
)
from cabestan.cli.output import (
    Column,
    commit,
    field,
    print_heading,
    print_json,
    print_line,
    print_list,
    print_thing,
    since,
    status,
)
from cabestan.cli.reasons import print_trouble
from cabestan.errors import Conflict, NotFound

app = typer.Typer(help="Environments: where releases are deployed.", no_args_is_help=True)


class Trigger(StrEnum):
    """How a new release comes to an environment."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Answer(StrEnum):
    """A question's answer."""

    YES = "yes"
    NO = "no"


_COLUMNS: tuple[Column, ...] = (
    field("name"),
    status("state"),
    status(heading="deployment"),
    field("release"),
    commit(),
    since("since", "since"),
    field("by"),
    field("url", "address"),
)
_FIELDS: tuple[Column, ...] = (
    field("name", "environment"),
    field("project"),
    status("state"),
    status(heading="last deployment"),
    field("release"),
    field("commit"),
    field("deployment"),
    since("since", "since"),
    field("by"),
    field("url", "address"),
    field("domain"),
    field("trigger"),
    field("branches"),
    field("compose_files"),
    field("approvers"),
    field("target"),
    field("watch_seconds"),
    field("plain_http"),
    field("time_zone"),
    field("uptime"),
    field("uptime_path"),
    Column("uptime status", lambda thing: str(thing.get("uptime_status") or "")),
    field("changed_variables", "changed since"),
    Column("kept", lambda environment: _kept(environment)),
)


#: from the environment that another is to be like; its domain is its own
_TAKEN_OVER = (
    "trigger",
    "branches",
    "approvers",
    "target",
    "watch_seconds",
    "plain_http",
    "time_zone",
    "compose_files",
)
_MOST = 1000
_SERVICE: tuple[Column, ...] = (
    field("name"),
    status("state"),
    Column("run", lambda service: _runs(service)),
    field("restarts"),
    Column("last exit", lambda service: _last_exit(service)),
    field("image"),
)


_AVAILABILITY: tuple[Column, ...] = (
    field("route"),
    Column("day", lambda route: _period(route["day"])),
    Column("answers in", lambda route: _times(route["day"])),
    Column("30 days", lambda route: _period(route["month"])),
    Column("answers in", lambda route: _times(route["month"])),
)
_OUTAGES: tuple[Column, ...] = (
    field("route"),
    since("began_at", "began"),
    since("ended_at", "ended"),
    field("reason"),
)


@app.command("list")
def list_(project: ProjectOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List a project's environments: what runs where."""
    items = connect().items(address("projects", the_project(project), "environments"), limit)
    print_list(items, _COLUMNS, as_json=as_json, empty="No environment. Make one: cabestan environment set NAME")


@app.command()
def show(name: EnvironmentArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show one environment with its services."""
    _print(connect().get(address("projects", the_project(project), "environments", name)), as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="ENV", help="Its name, such as qa or review/login.")],
    project: ProjectOption = None,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="ENV", help="Set as this one is.", autocompletion=environment_names),
    ] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="HOST", help="Its own host name.")] = None,
    trigger: Annotated[Trigger | None, typer.Option("--trigger", help="How a new release comes here.")] = None,
    branch: Annotated[
        list[str] | None,
        typer.Option("--branch", metavar="PATTERN", help="Branches whose releases come here; may be repeated."),
    ] = None,
    approver: Annotated[
        list[str] | None, typer.Option("--approver", metavar="USER", help="Who may approve; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an environment; one of that name that there is already is left alone."""
    api, of_project = connect(), the_project(project)
    places = address("projects", of_project, "environments")
    present = {str(one["name"]): one for one in api.items(places, _MOST)}
    if name in present:
        raise Conflict(
            f"There is an environment {name} in {of_project} already.", "`cabestan environment set` changes it."
        )
    if like is not None and like not in present:
        raise NotFound(f"There is no environment {like} in {of_project}.", "`cabestan environment list` shows them.")
    body = {key: present[like][key] for key in _TAKEN_OVER} if like is not None else {}
    given = {"domain": domain, "trigger": trigger and trigger.value, "branches": branch, "approvers": approver}
    body |= {key: value for key, value in given.items() if value is not None}
    _print(api.put(f"{places}{address(name)}", body), as_json)


@app.command("set")
def set_(
    name: EnvironmentArgument,
    project: ProjectOption = None,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="HOST", help='Its own host name; "" for the default one.')
    ] = None,
    trigger: Annotated[Trigger | None, typer.Option("--trigger", help="How a new release comes here.")] = None,
    branch: Annotated[
        list[str] | None,
        typer.Option("--branch", metavar="PATTERN", help="Branches whose releases come here; may be repeated."),
    ] = None,
    approver: Annotated[
        list[str] | None,
        typer.Option("--approver", metavar="USER", help='Who may approve; may be repeated; "" for all maintainers.'),
    ] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="NAME", help="The cluster it runs on.")] = None,
    watch_seconds: Annotated[
        int | None,
        typer.Option("--watch-seconds", min=0, metavar="N", help="How long all tasks must stay healthy."),
    ] = None,
    plain_http: Annotated[
        Answer | None, typer.Option("--plain-http", help="Whether to answer over plain HTTP, not send to HTTPS.")
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone",
            metavar="ZONE",
            help='Such as Europe/Paris, for schedules; "" for the default.',
        ),
    ] = None,
    compose_file: Annotated[
        list[str] | None,
        typer.Option(
            "--compose-file",
            metavar="PATH",
            help='Compose file to deploy from; later ones go over earlier ones; "" for the repository\'s own.',
        ),
    ] = None,
    uptime: Annotated[Answer | None, typer.Option("--uptime", help="Whether each route is asked every minute.")] = None,
    uptime_path: Annotated[
        str | None,
        typer.Option(
            "--uptime-path", metavar="PATH", help='What to ask for, such as /health; "" for each route\'s own.'
        ),
    ] = None,
    uptime_status: Annotated[
        int | None,
        typer.Option("--uptime-status", min=0, metavar="N", help="The status to expect; 0 for any below 500."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change an environment, or make it; what is not named stays as it is."""
    given = {
        "domain": domain,
        "trigger": trigger.value if trigger else None,
        "branches": _names(branch),
        "approvers": _names(approver),
        "target": target,
        "watch_seconds": watch_seconds,
        "plain_http": plain_http is Answer.YES if plain_http else None,
        "time_zone": time_zone,
        "compose_files": _names(compose_file),
        "uptime": uptime is Answer.YES if uptime else None,
        "uptime_path": uptime_path,
        "uptime_status": uptime_status,
    }
    body = {key: value for key, value in given.items() if value is not None}
    _print(connect().put(address("projects", the_project(project), "environments", name), body), as_json)


@app.command()
def delete(
    name: EnvironmentArgument,
    project: ProjectOption = None,
    confirm: ConfirmOption = None,
    without_backup: WithoutBackupOption = False,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Delete an environment with all that it has; last backups of its data are kept."""
    api, of_project = connect(), the_project(project)
    going = deleting.preview(api, of_project, name) if confirm is None else []
    typed = deleting.confirmed(name, confirm, going)
    where = address("projects", of_project, "environments", name)
    begun = api.delete(where, confirm=typed, without_backup=str(without_backup).lower())
    deleting.finish(api, begun, wait=wait, as_json=as_json)


def _names(given: list[str] | None) -> list[str] | None:
    """None where the option was not given; an empty one empties the list."""
    return [name for name in given if name] if given else None


def _print(environment: Thing, as_json: bool) -> None:
    if as_json:
        print_json(environment)
        return
    for reason in environment.get("reasons") or []:
        print_trouble(str(environment["state"]), reason)
    print_thing(environment, _FIELDS)
    if environment.get("services"):
        print_heading("Services")
        _print_services(environment["services"])
    if environment.get("availability"):
        print_heading("Availability")
        print_list(environment["availability"], _AVAILABILITY, as_json=False, empty="")
    if environment.get("outages"):
        print_heading("Outages")
        print_list(environment["outages"], _OUTAGES, as_json=False, empty="")


def _print_services(services: Any) -> None:
    print_list(services, _SERVICE, as_json=False, empty="")
    for service in services:
        # of one that is not well they stand above
        if service["state"] in ("serving", "stopped") and (words := (service.get("last_exit") or {}).get("words")):
            print_heading(f"Last words of {service['name']}")
            for line in words.splitlines():
                print_line(clean(line))


def _runs(service: Thing) -> str:
    return f"{service['running']} of {service['wanted']}"


def _period(period: Thing) -> str:
    """`99.93 %, 1 min down`."""
    if period["availability"] is None:
        return "not asked yet"
    return f"{period['availability']:g} %, {period['down_minutes']} min down"


def _times(period: Thing) -> str:
    return f"{period['median']} ms, 95 %: {period['p95']} ms" if period["median"] is not None else ""


def _last_exit(service: Thing) -> str:
    last = service.get("last_exit")
    if not last:
        return ""
    code = "did not start" if last["code"] is None else f"exit code {last['code']}"
    return one_line(f"{code}, {last['why']}" if last["why"] else code)


def _kept(environment: Thing) -> str:
    """`all stopped`, `web stopped, worker 3 replicas`: what people have set, whatever is deployed."""
    kept = environment.get("kept") or {}
    stopped = ["all stopped"] if kept.get("everything") else [f"{name} stopped" for name in kept.get("stopped", [])]
    numbers = kept.get("replicas", {}).items()
    return ", ".join(clean(part) for part in (*stopped, *(f"{name} {number} replicas" for name, number in numbers)))
