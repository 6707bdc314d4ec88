"""`cabestan database`."""

import time
from enum import StrEnum
from typing import Annotated

import typer

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import one_line
from cabestan.cli.failures import Unsuccessful
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
from cabestan.cli.output import Column, field, print_json, print_list, print_thing, since, status, tell
from cabestan.errors import NotFound

app = typer.Typer(help="Managed services: databases that the platform runs, and their backups.", no_args_is_help=True)


class Kind(StrEnum):
    """Which of them."""

    MYSQL = "mysql"
    POSTGRESQL = "postgresql"
    MONGODB = "mongodb"
    REDIS = "redis"


class Managed(StrEnum):
    """Whether the platform serves them."""

    YES = "yes"
    NO = "no"
    DEFAULT = "default"


KindArgument = Annotated[Kind, typer.Argument(metavar="KIND", help="mysql, postgresql, mongodb or redis.")]
ConfirmOption = Annotated[
    str, typer.Option("--confirm", metavar="NAME", help="The database's name, ENVIRONMENT/KIND, typed out.")
]
_POLL_SECONDS = 0.5
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(key: str, heading: str = "") -> Column:
    return Column(heading or key, lambda thing: size_words(thing.get(key)))


def size_words(value: int | None) -> str:
    """`1.5 MiB`; empty for nothing known."""
    if value is None:
        return ""
    amount, unit = float(value), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def last_good() -> Column:
    good = since("verified_at", "last good backup")
    return Column(good.heading, lambda thing: good.words(thing.get("last_good_backup") or {}) or "none")


_COLUMNS: tuple[Column, ...] = (
    field("name", "database"),
    field("product"),
    field("exact_version", "version"),
    field("status"),
    field("health"),
    size("size"),
    field("connections"),
    last_good(),
    field("next_backup"),
)
_FIELDS: tuple[Column, ...] = (
    field("name", "database"),
    field("project"),
    field("product"),
    field("version"),
    field("exact_version"),
    field("status"),
    field("health"),
    field("trouble"),
    size("size"),
    field("connections"),
    field("database", "name of the data"),
    field("user"),
    Column("memory", lambda thing: f"{thing.get('memory')} MiB"),
    field("cpus"),
    field("volume"),
    field("kept_volumes"),
    field("image"),
    last_good(),
    field("next_backup"),
    Column("last operation", lambda thing: operation_words(thing.get("operation"))),
    since("created_at", "made"),
)
_BACKUPS: tuple[Column, ...] = (
    field("id", "backup"),
    status(),
    field("reason"),
    size("bytes", "packed"),
    size("plain_bytes", "size"),
    field("tables"),
    field("rows"),
    field("here"),
    field("remote"),
    since("created_at", "taken"),
    field("detail"),
)
_SETTINGS: tuple[Column, ...] = (
    field("environment"),
    field("managed"),
    field("schedule"),
    field("keep"),
    field("own", "set here"),
)


def operation_words(operation: Thing | None) -> str:
    """`restore failed by mia: …`."""
    if not operation:
        return ""
    words = f"{operation['kind']} {operation['status']}, by {operation['by']}"
    return words + (f": {operation['detail']}" if operation["detail"] else "")


@app.command("list")
def list_(
    project: ProjectOption = None,
    environment: OnlyEnvironmentOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a project's managed services."""
    answer = connect().get(address("projects", the_project(project), "databases"), environment=environment)
    empty = "None. A service named mysql, postgresql, mongodb or redis in the Compose file asks for one."
    print_list(answer["items"], _COLUMNS, as_json=as_json, empty=empty)


@app.command()
def show(
    kind: KindArgument, environment: EnvironmentOption, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Show one: health, size, connections, backups."""
    _print(_find(connect(), project, environment, kind), as_json=as_json)


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
    if as_json:
        print_json(answer)
    else:
        print_thing(answer, _SETTINGS)


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
    found = _find(api, project, environment, kind)
    given = {"memory": memory, "cpus": cpus}
    body = {key: value for key, value in given.items() if value is not None}
    _print(api.put(address("databases", found["id"], "limits"), body), as_json=as_json)


@app.command()
def backup(
    kind: KindArgument,
    environment: EnvironmentOption,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Back it up now, and prove the backup by a restore into a scratch instance."""
    api = connect()
    found = _find(api, project, environment, kind)
    _finish(api, api.post(address("databases", found["id"], "backups")), wait=wait, as_json=as_json)


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
    found = _find(api, project, environment, kind)
    items = api.items(address("databases", found["id"], "backups"), limit)
    print_list(items, _BACKUPS, as_json=as_json, empty="No backup yet: cabestan database backup KIND -e ENV")


@app.command()
def verify(number: NumberArgument, wait: WaitOption = True, as_json: JsonOption = False) -> None:
    """Restore a backup into a scratch instance, and compare all tables and rows."""
    api = connect()
    _finish(api, api.post(address("database-backups", number, "verify")), wait=wait, as_json=as_json)


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
    api = connect()
    found = _find(api, project, environment, kind)
    body = {"backup": number, "confirm": confirm}
    _finish(api, api.post(address("databases", found["id"], "restore"), body), wait=wait, as_json=as_json)


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
    api = connect()
    found = _find(api, project, environment, kind)
    body = {"version": version, "confirm": confirm}
    _finish(api, api.post(address("databases", found["id"], "upgrade"), body), wait=wait, as_json=as_json)


@app.command()
def delete(
    kind: KindArgument,
    environment: EnvironmentOption,
    confirm: ConfirmOption,
    project: ProjectOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
) -> None:
    """Delete it with all its data, after a last backup that was restored and compared."""
    api = connect()
    found = _find(api, project, environment, kind)
    answer = api.post(address("databases", found["id"], "delete"), {"confirm": confirm})
    _finish(api, answer, wait=wait, as_json=as_json)


def _find(api: Api, project: str | None, environment: str, kind: Kind) -> Thing:
    """Raises NotFound where the environment has none of the kind."""
    name = the_project(project)
    items: list[Thing] = api.get(address("projects", name, "databases"), environment=environment)["items"]
    for item in items:
        if item["kind"] == kind.value:
            return item
    raise NotFound(
        f"{environment} of {name} has no managed {kind.value}.", f"cabestan database list -p {name} shows what it has."
    )


def _print(database: Thing, *, as_json: bool) -> None:
    if as_json:
        print_json(database)
    else:
        print_thing(database, _FIELDS)


def _finish(api: Api, operation: Thing, *, wait: bool, as_json: bool) -> None:
    """Waits until it has ended. Raises Unsuccessful where it failed."""
    while wait and operation["status"] == "running":
        time.sleep(_POLL_SECONDS)
        operation = api.get(address("database-operations", operation["id"]))
    if as_json:
        print_json(operation)
    elif operation["status"] == "running":
        tell(f"The {operation['kind']} is under way: cabestan database show tells how it goes.")
    elif operation["status"] == "succeeded":
        _tell_done(operation)
    if operation["status"] == "failed":
        raise Unsuccessful(
            f"The {operation['kind']} failed: {one_line(operation['detail']).rstrip('.')}.", "cabestan database show"
        )


def _tell_done(operation: Thing) -> None:
    saved = operation.get("saved")
    tell(f"The {operation['kind']} is done.")
    if saved:
        detail = f", {saved['detail']}" if saved["detail"] else ""
        tell(f"Backup {saved['id']}: {size_words(saved['bytes'])}, {saved['status']}{detail}.")
