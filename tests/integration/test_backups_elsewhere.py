"""Backups that go to storage over the network, which is not always there."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration import databases
from tests.integration.harness import Platform, Work
from tests.integration.test_canary import Watcher
from tests.integration.test_managed_services import database, inside, wished
from tests.ports import free_port
from tests.storage_servers import StorageServer

pytestmark = pytest.mark.integration


@pytest.fixture
def storage(platform: Platform, tmp_path: Path) -> Iterator[StorageServer]:
    """Where backups go too, when it serves."""
    made = StorageServer("sftp", tmp_path / "files", free_port(), uuid.uuid4().hex)
    with platform.served_with(backup_remote=made.place()):
        yield made


def _ask(platform: Platform, work: Work, *words: str) -> str:
    return inside(platform, database(platform, work, "redis"), "redis-cli", "-s", "/tmp/served.sock", *words).strip()


def _alerts(platform: Platform, work: Work) -> list[str]:
    alerts = platform.get("/alerts")["items"]
    return [alert["message"] for alert in alerts if (alert["kind"], alert["project"]) == ("backup", work.name)]


def _outcome(operation: dict[str, Any]) -> tuple[str, str, bool, bool]:
    saved = operation["saved"]
    return operation["status"], saved["status"], saved["here"], saved["remote"]


@pytest.mark.timeout(600)
def test_storage_that_fails_alerts_costs_no_backup_and_is_made_up_for(
    platform: Platform, storage: StorageServer
) -> None:
    work = platform.make_project(databases.idle("redis"))
    work.goes_live(180)
    at = f"/databases/{database(platform, work, 'redis')['id']}"
    assert _ask(platform, work, "set", "a", "one") == "OK"
    canary = platform.settings["backup_remote"].partition("pass=")[2].removesuffix(":kept")
    watcher = Watcher(canary)
    with watcher.watching():
        with storage.serving():
            first = wished(platform, f"{at}/backups")
        assert _outcome(first) == ("succeeded", "verified", True, True)
        copy = storage.folder / "kept" / first["saved"]["file"]
        assert (copy.stat().st_size, copy.with_name(f"{copy.name}.json").exists()) == (first["saved"]["bytes"], True)

        gone = wished(platform, f"{at}/backups")
        assert _outcome(gone) == ("failed", "verified", True, False)
        assert f"Backup {gone['saved']['id']} is here, but could not be copied elsewhere" in gone["detail"]
        assert "connection refused" in gone["detail"]
        (alert,) = _alerts(platform, work)
        assert "connection refused" in alert

        (platform.data / "backups" / first["saved"]["file"]).unlink()
        wish = {"backup": first["saved"]["id"], "confirm": "staging/redis"}
        assert wished(platform, f"{at}/restore", wish)["status"] == "failed"
        assert _ask(platform, work, "set", "a", "two") == "OK"

        other = StorageServer("sftp", storage.folder, storage.port, "another")
        with other.serving():
            denied = wished(platform, f"{at}/backups")
        assert _outcome(denied) == ("failed", "verified", True, False)
        assert "unable to authenticate" in denied["detail"]

        with storage.serving():
            again = wished(platform, f"{at}/backups")
            assert _outcome(again) == ("succeeded", "verified", True, True)
            assert _alerts(platform, work) == []
            found = platform.get(f"{at}/backups")["items"]
            assert [backup["remote"] for backup in found if backup["status"] == "verified"] == [True] * 4
            assert wished(platform, f"{at}/restore", wish)["status"] == "succeeded"
        assert _ask(platform, work, "get", "a") == "one"
    assert (watcher.looked > 0, watcher.seen) == (True, [])
    told = (platform.server_log, *(path.read_text(errors="replace") for path in _logs(platform)), repr(_all(platform)))
    assert [text for text in told if canary in text or storage.password in text] == []


def _logs(platform: Platform) -> list[Path]:
    return [path for path in platform.data.rglob("*.log") if path.is_file()]


def _all(platform: Platform) -> list[Any]:
    return [*platform.rows("select * from alerts"), *platform.rows("select * from database_operations")]
