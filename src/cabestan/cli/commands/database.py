"""`cabestan database`."""

from enum import StrEnum
from typing import Annotated

import typer

from cabestan.cli import deleting
from cabestan.cli.api import address
from cabestan.cli.databases import BACKUPS, COLUMNS, FIELDS, Kind, ask, find, finish
from cabestan.cli.options import ConfirmOption as NameOption
from cabestan.cli.options import (
    EnvironmentArgument,
    EnvironmentOption,
    JsonOption,
    LimitOption,
    NumberArgument,
    OnlyEnvironmentOption,
    ProjectOption,
    WaitOption,
    connect,
    the_project,
)
from cabestan.cli.output import Column, field, print_list, print_thing

app = typer.Typer(help="Managed services: databases that the platform runs, and their backups.", no_args_is_help=True)


class Managed(StrEnum):
    """Whether the platform serves them."""

    YES = "yes"
    NO = "no"
    DEFAULT = "default"


KindArgument = Annotated[Kind, typer.Argument(metavar="KIND", help="mysql, postgresql, mongodb or redis.")]
ConfirmOption = Annotated[
    str, typer.Option("--confirm", metavar="NAME", help="The database's name, ENVIRONMENT/KIND, typed out.")
]
_SETTINGS: tuple[Column, ...] = (
    field("environment"),
    field("managed"),
    field("schedule"),
    field("keep"),
    field("own", "set here"),
)


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: OnlyEnvironmentOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a project's managed services."""
    answer = connect().get(address("projects", the_project(project), "databases"), environment=environment)
    empty = "None. A service named mysql, postgresql, mongodb or redis in the Compose file asks for one."
    print_list(answer["items"], COLUMNS, as_json=as_json, empty=empty)


@app.command()
def show(
    kind: KindArgument, environment: EnvironmentOption, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Show one: health, size, connections, backups."""
    print_thing(find(connect(), project, environment, kind), FIELDS, as_json=as_json)


@app.command()
def settings(
    environment: EnvironmentArgument,
    project: ProjectOption = None,
    managed: Annotated[
        Managed | None, typer.Option("--managed", help="Whether the platform serves databases there.")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option("--schedule", metavar="CRON", help='When backups are due, as "30 2 * * *"; off; default.'),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="POLICY", help="What is kept, as daily=7,weekly=4,monthly=6; default."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show, or change, what an environment says about managed services."""
    where = address("projects", the_project(project), "managed", environment)
    given = {"managed": managed.value if managed else None, "schedule": schedule, "keep": keep}
    body = {key: value for key, value in given.items() if value is not None}
    answer = connect().put(where, body) if body else connect().get(where)
    print_thing(answer, _SETTINGS, as_json=as_json)


@app.command()
def limit(
    kind: KindArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    memory: Annotated[int | None, typer.Option("--memory", metavar="MIB", help="Memory in MiB.")] = None,
    cpus: Annotated[str | None, typer.Option("--cpus", metavar="N", help="Processors, such as 0.5.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Set how much it may take; it starts anew with that."""
    api = connect()
    found = find(api, project, environment, kind)
    given = {"memory": memory, "cpus": cpus}
    body = {key: value for key, value in given.items() if value is not None}
    print_thing(api.put(address("databases", found["id"], "limits"), body), FIELDS, as_json=as_json)


@app.command()
def backup(
    kind: KindArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Back it up now, and prove the backup by a restore into a scratch instance."""
    ask(project, environment, kind, "backups", {}, wait=wait, as_json=as_json)


@app.command()
def backups(
    kind: KindArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List its backups; those that are verified were restored and compared."""
    api = connect()
    found = find(api, project, environment, kind)
    items = api.items(address("databases", found["id"], "backups"), limit)
    print_list(items, BACKUPS, as_json=as_json, empty="No backup yet: cabestan database backup KIND -e ENV")


@app.command()
def verify(number: NumberArgument, wait: WaitOption = True, as_json: JsonOption = False) -> None:
    """Restore a backup into a scratch instance, and compare all tables and rows."""
    api = connect()
    finish(api, api.post(address("database-backups", number, "verify")), wait=wait, as_json=as_json)


@app.command()
def restore(
    kind: KindArgument,
    environment: EnvironmentOption,
    number: Annotated[int, typer.Option("--backup", metavar="ID", min=1, help="Which backup.")],
    confirm: ConfirmOption,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the present data, of which a copy is kept."""
    body = {"backup": number, "confirm": confirm}
    ask(project, environment, kind, "restore", body, wait=wait, as_json=as_json)


@app.command()
def upgrade(
    kind: KindArgument,
    environment: EnvironmentOption,
    confirm: ConfirmOption,
    version: Annotated[
        str, typer.Option("--to", metavar="VERSION", help="Which version; the catalogue's when not given.")
    ] = "",
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Change over to another version, by a dump and a restore while it stands still."""
    body = {"version": version, "confirm": confirm}
    ask(project, environment, kind, "upgrade", body, wait=wait, as_json=as_json)


@app.command()
def delete(
    kind: KindArgument,
    environment: EnvironmentOption,
    confirm: NameOption = None,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Delete it with all its data, after a last backup that was restored and compared."""
    typed = deleting.confirmed(f"{environment}/{kind}", confirm, [])
    ask(project, environment, kind, "delete", {"confirm": typed}, wait=wait, as_json=as_json)
