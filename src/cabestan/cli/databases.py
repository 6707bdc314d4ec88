"""Managed services as the command line shows them; and what is asked of one, until it has ended."""

import time
from enum import StrEnum

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import one_line
from cabestan.cli.failures import Unsuccessful
from cabestan.cli.options import connect, the_project
from cabestan.cli.output import Column, field, moment, print_json, since, status, tell
from cabestan.errors import NotFound

_POLL_SECONDS = 0.5
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Kind(StrEnum):
    """Which of them."""

    MYSQL = "mysql"
    POSTGRESQL = "postgresql"
    MONGODB = "mongodb"
    REDIS = "redis"


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


COLUMNS: tuple[Column, ...] = (
    field("name", "database"),
    field("product"),
    field("exact_version", "version"),
    field("status"),
    field("health"),
    size("size"),
    field("connections"),
    last_good(),
    moment("next_backup"),
)
FIELDS: tuple[Column, ...] = (
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
    moment("next_backup"),
    Column("last operation", lambda thing: operation_words(thing.get("operation"))),
    since("created_at", "made"),
)
BACKUPS: tuple[Column, ...] = (
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


def operation_words(operation: Thing | None) -> str:
    """`restore failed by mia: …`."""
    if not operation:
        return ""
    words = f"{operation['kind']} {operation['status']}, by {operation['by']}"
    return words + (f": {operation['detail']}" if operation["detail"] else "")


def find(api: Api, project: str | None, environment: str, kind: Kind) -> Thing:
    """Raises NotFound where the environment has none of the kind."""
    name = the_project(project)
    items: list[Thing] = api.get(address("projects", name, "databases"), environment=environment)["items"]
    for item in items:
        if item["kind"] == kind.value:
            return item
    raise NotFound(
        f"{environment} of {name} has no managed {kind.value}.",
        f"`cabestan database list -p {name}` shows what it has.",
    )


def ask(
    project: str | None, environment: str, kind: Kind, what: str, body: Thing, *, wait: bool, as_json: bool
) -> None:
    """Something of a managed service, until it has ended."""
    api = connect()
    found = find(api, project, environment, kind)
    finish(api, api.post(address("databases", found["id"], what), body), wait=wait, as_json=as_json)


def finish(api: Api, operation: Thing, *, wait: bool, as_json: bool) -> None:
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
    kind, saved = operation["kind"], operation.get("saved")
    if kind == "verify":
        tell(f"Backup {operation['backup']} is good: restored into a scratch instance, and compared.")
    else:
        tell(f"The {kind} is done.")
    if saved:
        subject = "Backup" if kind == "backup" else "What was there before is backup"
        detail = f", {saved['detail']}" if saved["detail"] else ""
        tell(f"{subject} {saved['id']}: {size_words(saved['bytes'])}, {saved['status']}{detail}.")
