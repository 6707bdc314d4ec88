"""What deletes asks for the name, waits until it is gone, and tells where the last backups are."""

from typing import Any

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

from cabestan.cli import deleting

P = "/projects/demo/hello"
BACKUP = {"kind": "volume", "name": "data", "bytes": 2048, "kept_until": "2026-04-30T02:30:00.000Z", "file": "/b/d.gz"}
RUNNING: dict[str, Any] = {
    "id": 3,
    "kind": "environment",
    "project": "demo/hello",
    "environment": "staging",
    "volume": "",
    "by": "ada",
    "status": "running",
    "at": "stopping its services",
    "detail": "",
    "created_at": "2026-01-31T02:30:00.000Z",
    "finished_at": None,
    "backups": [],
}
DONE = RUNNING | {"status": "succeeded", "at": "", "backups": [BACKUP]}
FAILED = RUNNING | {"status": "failed", "detail": "The disk is full."}


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("project delete demo/hello --confirm demo/hello", f"{P}?confirm=demo%2Fhello"),
        ("environment delete staging -p demo/hello --confirm staging", f"{P}/environments/staging?confirm=staging"),
        (
            "volume delete data -e staging -p demo/hello --confirm data",
            f"{P}/volumes/data?environment=staging&confirm=data",
        ),
    ],
)
def test_a_script_gives_the_name(cli: Cli, server: FakeServer, line: str, asked: str) -> None:
    server.on("DELETE", asked.partition("?")[0], RUNNING)
    server.series("GET", "/deletions/3", RUNNING, DONE)
    result = cli(*line.split())
    assert server.asked[0] == Asked("DELETE", f"{asked}&without_backup=false")
    assert "stopping its services …" in result.err
    assert "Last backup of volume data, 2.0 KiB, kept until" in result.err
    assert "  /b/d.gz" in result.err


def test_nobody_who_could_be_asked_deletes_nothing(cli: Cli, server: FakeServer) -> None:
    server.on("GET", f"{P}/deletion-preview", {"items": []})
    result = cli("project", "delete", "demo/hello")
    assert (result.code, "write --confirm demo/hello" in result.err) == (2, True)
    assert [asked.method for asked in server.asked] == ["GET"]


def test_a_person_sees_what_goes_and_types_the_name(
    cli: Cli, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = {"text": "2 volumes", "count": 2, "names": ["a", "b"], "kept": "a last backup is kept for 90 days"}
    server.on("GET", f"{P}/deletion-preview", {"items": [going]})
    server.on("DELETE", f"{P}/environments/staging", DONE)
    monkeypatch.setattr(deleting, "at_a_terminal", lambda: True)
    result = cli("environment", "delete", "staging", "-p", "demo/hello", stdin=b"staging\n")
    assert "  2 volumes – a, b – a last backup is kept for 90 days" in result.err
    assert server.asked[-1].path == f"{P}/environments/staging?confirm=staging&without_backup=false"


def test_one_that_fails_says_why_by_its_exit_code_too(cli: Cli, server: FakeServer) -> None:
    server.on("DELETE", P, FAILED)
    result = cli("project", "delete", "demo/hello", "--confirm", "demo/hello")
    assert (result.code, "It was not deleted: The disk is full." in result.err) == (1, True)


def test_what_was_deleted_is_listed_and_shown(cli: Cli, server: FakeServer) -> None:
    server.lists("/deletions", DONE)
    server.on("GET", "/deletions/3", DONE)
    server.on(
        "GET", f"{P}/volumes", {"items": [{"volume": "data", "environment": "s", "used": True, "name": "x_data"}]}
    )
    assert "staging" in cli("deletion", "list").out
    assert "/b/d.gz" in cli("deletion", "show", "3").out
    assert "x_data" in cli("volume", "list", "-e", "s", "-p", "demo/hello").out
