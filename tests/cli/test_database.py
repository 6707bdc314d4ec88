"""`cabestan database`: it finds the database by environment and kind, asks once, and waits."""

from typing import Any

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

P = "/projects/demo/hello"
OF = "-p demo/hello -e staging"
DATABASE: dict[str, Any] = {
    "id": 7,
    "name": "staging/mysql",
    "project": "demo/hello",
    "kind": "mysql",
    "product": "MariaDB",
    "exact_version": "10.11.19",
    "status": "serving",
    "health": "healthy",
    "size": 1536,
    "connections": 3,
    "memory": 768,
    "last_good_backup": None,
    "next_backup": "2026-01-31T02:30:00.000Z",
    "operation": {"kind": "restore", "status": "failed", "by": "ada", "detail": "No room."},
}
SAVED = {"id": 4, "bytes": 2048, "status": "verified", "detail": "restored and compared: 2 tables, 5 rows"}
RUNNING: dict[str, Any] = {"id": 9, "kind": "backup", "status": "running", "detail": "", "by": "ada", "saved": None}
DONE = RUNNING | {"status": "succeeded", "saved": SAVED}
FIND = Asked("GET", f"{P}/databases?environment=staging")


@pytest.fixture
def there(server: FakeServer) -> FakeServer:
    server.on("GET", f"{P}/databases", {"items": [DATABASE | {"kind": "redis", "id": 6}, DATABASE], "next": None})
    return server


WISHES = [
    (f"backup mysql {OF}", Asked("POST", "/databases/7/backups", {})),
    ("verify 4", Asked("POST", "/database-backups/4/verify", {})),
    (
        f"restore mysql {OF} --backup 4 --confirm staging/mysql",
        Asked("POST", "/databases/7/restore", {"backup": 4, "confirm": "staging/mysql"}),
    ),
    (
        f"upgrade mysql {OF} --to 11 --confirm staging/mysql",
        Asked("POST", "/databases/7/upgrade", {"version": "11", "confirm": "staging/mysql"}),
    ),
    (
        f"delete mysql {OF} --confirm staging/mysql",
        Asked("POST", "/databases/7/delete", {"confirm": "staging/mysql"}),
    ),
]


@pytest.mark.parametrize(("command", "asked"), WISHES)
def test_a_wish_is_sent_once_and_waited_for(cli: Cli, there: FakeServer, command: str, asked: Asked) -> None:
    there.on("POST", asked.path, RUNNING)
    there.series("GET", "/database-operations/9", RUNNING, DONE)
    done = cli("database", *command.split(), "--json")
    assert (done.code, done.json) == (0, DONE)
    first = () if command.startswith("verify") else (FIND,)
    assert there.asked[: len(first) + 2] == [*first, asked, Asked("GET", "/database-operations/9")]


def test_a_wish_that_fails_is_an_exit_code_with_its_words(cli: Cli, there: FakeServer) -> None:
    there.on("POST", "/databases/7/backups", RUNNING | {"status": "failed", "detail": "The dump failed."})
    done = cli("database", "backup", "mysql", *OF.split())
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: The backup failed: The dump failed.\n")


def test_without_waiting_it_says_how_to_look(cli: Cli, there: FakeServer) -> None:
    there.on("POST", "/databases/7/backups", RUNNING)
    done = cli("database", "backup", "mysql", *OF.split(), "--no-wait")
    assert (done.code, done.err) == (0, "The backup is under way: cabestan database show tells how it goes.\n")


def test_what_was_saved_is_told(cli: Cli, there: FakeServer) -> None:
    there.on("POST", "/databases/7/backups", DONE)
    done = cli("database", "backup", "mysql", *OF.split())
    told = "The backup is done.\nBackup 4: 2.0 KiB, verified, restored and compared: 2 tables, 5 rows.\n"
    assert (done.code, done.err) == (0, told)


def test_a_restore_tells_where_the_former_data_is(cli: Cli, there: FakeServer) -> None:
    there.on("POST", "/databases/7/restore", DONE | {"kind": "restore"})
    done = cli("database", "restore", "mysql", *OF.split(), "--backup", "2", "--confirm", "staging/mysql")
    assert done.code == 0
    assert done.err.startswith("The restore is done.\nWhat was there before is backup 4: 2.0 KiB, verified")


def test_a_verified_backup_is_called_good(cli: Cli, there: FakeServer) -> None:
    there.on("POST", "/database-backups/3/verify", DONE | {"kind": "verify", "backup": 3, "saved": None})
    done = cli("database", "verify", "3")
    assert done.err == "Backup 3 is good: restored into a scratch instance, and compared.\n"


def test_a_kind_that_the_environment_has_not_is_not_found(cli: Cli, there: FakeServer) -> None:
    done = cli("database", "show", "postgresql", *OF.split())
    assert done.code == 1
    assert done.err.startswith("error: staging of demo/hello has no managed postgresql.")


def test_one_is_shown_in_words(cli: Cli, there: FakeServer) -> None:
    done = cli("database", "show", "mysql", *OF.split())
    for words in ("staging/mysql", "1.5 KiB", "768 MiB", "none", "restore failed, by ada: No room."):
        assert words in done.out
    assert cli("database", "show", "mysql", *OF.split(), "--json").json == DATABASE


def test_all_are_listed(cli: Cli, there: FakeServer) -> None:
    assert len(cli("database", "list", "-p", "demo/hello", "--json").json) == 2
    assert "1.5 KiB" in cli("database", "list", "-p", "demo/hello").out


def test_backups_are_listed(cli: Cli, there: FakeServer) -> None:
    there.lists("/databases/7/backups", SAVED)
    assert cli("database", "backups", "mysql", *OF.split(), "--json").json == [SAVED]
    assert "✓ verified" in cli("database", "backups", "mysql", *OF.split()).out


def test_limits_are_set(cli: Cli, there: FakeServer) -> None:
    there.on("PUT", "/databases/7/limits", DATABASE)
    assert cli("database", "limit", "mysql", *OF.split(), "--memory", "512", "--json").json == DATABASE
    assert there.asked[-1] == Asked("PUT", "/databases/7/limits", {"memory": 512})


def test_the_settings_of_an_environment_are_shown_and_changed(cli: Cli, server: FakeServer) -> None:
    said = {"environment": "staging", "managed": True, "schedule": "30 2 * * *", "keep": "daily=7", "own": []}
    server.on("GET", f"{P}/managed/staging", said)
    server.on("PUT", f"{P}/managed/staging", said)
    assert cli("database", "settings", "staging", "-p", "demo/hello", "--json").json == said
    changed = cli("database", "settings", "staging", "-p", "demo/hello", "--managed", "no", "--schedule", "off")
    assert (changed.code, "30 2 * * *" in changed.out) == (0, True)
    assert server.asked == [
        Asked("GET", f"{P}/managed/staging"),
        Asked("PUT", f"{P}/managed/staging", {"managed": "no", "schedule": "off"}),
    ]
