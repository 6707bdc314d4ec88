"""SIGKILL to the server while it makes, backs up, restores and deletes a database."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.integration import databases
from tests.integration.harness import Platform, Work, eventually, said_inside

pytestmark = pytest.mark.integration
#: each edge of each step has its kill in tests/engine/managed; here are those after which Docker is half-way
_MAKING = ("deployment.managed:before", "deployment.managed:after")
_BACKUP = ("database.save:after", "database.verify:after", "database.record:before")
_RESTORE = ("database.load:before", "database.load:after", "database.switch:after")
_FAILED_UPGRADE = ("database.switch:after", "database.take-back:after")
_DELETE = ("database.remove:before", "database.remove:after")


@pytest.fixture
def killed(killed: Platform) -> Iterator[Platform]:
    """It gives up a database that does not answer."""
    with killed.served_with(managed_seconds="40"):
        yield killed


def _start(platform: Platform, boundaries: tuple[str, ...]) -> tuple[str, ...]:
    """The server, with kills at these to come."""
    platform.stop()
    platform.forget_kills()
    platform.start(boundaries)
    return boundaries


def _through(platform: Platform, boundaries: tuple[str, ...], path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Wishes it once; the operation as it ended after all kills."""
    _start(platform, boundaries)
    try:
        key = platform.post(path, body)["id"]
    except httpx.HTTPError:  # killed before the answer; the wish was accepted
        key = 0

    found: dict[str, Any] = platform.run_through(boundaries, lambda: _ended(platform, boundaries, key), 240)
    return found


def _ended(platform: Platform, boundaries: tuple[str, ...], key: int) -> Any:
    """The operation, after all kills; `key` 0: the latest one."""
    if platform.killed_at != set(boundaries) or platform.died:
        return None
    number = key or platform.rows("select max(id) from database_operations")[0][0]
    found = platform.get(f"/database-operations/{number}")
    return found if found["status"] != "running" else None


@contextmanager
def _version_that_serves_nobody(platform: Platform) -> Iterator[str]:
    """An image of Redis that works as a scratch instance, and ends at once in a network."""
    version = f"{platform.instance}-broken"
    start = 'ENTRYPOINT ["bash", "-c", "grep -q eth0 /proc/net/dev && exit 7; exec database serve"]'
    recipe = io.BytesIO(f"FROM cabestan/redis:7.0\n{start}\nCMD []\n".encode())
    platform.client.images.build(fileobj=recipe, tag=f"cabestan/redis:{version}", rm=True)
    try:
        yield version
    finally:
        platform.client.images.remove(f"cabestan/redis:{version}", force=True)


def _instance(platform: Platform, work: Work) -> dict[str, Any]:
    (found,) = platform.get(f"/projects/{work.name}/databases")["items"]
    return dict(found)


def _ask(work: Work, *words: str) -> str:
    platform = work.platform
    label = [f"cabestan.instance={platform.instance}", f"cabestan.project={work.name}", "cabestan.managed=redis"]
    (container,) = eventually(
        lambda: platform.client.containers.list(filters={"label": label, "health": "healthy"}, ignore_removed=True),
        60,
        "it answers",
    )
    return said_inside(container, "redis-cli", "-s", "/tmp/served.sock", *words)


@pytest.mark.timeout(600)
def test_a_database_survives_kills_all_its_life(killed: Platform) -> None:
    boundaries = _start(killed, _MAKING)
    work = killed.make_project(databases.idle("redis"))
    work.push()

    def deployed() -> Any:
        there = killed.deployments(work.name, "staging")
        return there and there[0]["status"] in ("succeeded", "failed", "rolled_back") and there

    done = killed.run_through(boundaries, lambda: killed.killed_at == set(boundaries) and deployed(), 240)
    assert [d["status"] for d in done] == ["succeeded"]
    made = _instance(killed, work)
    at = f"/databases/{made['id']}"
    assert _ask(work, "set", "a", "one") == "OK"

    backup = _through(killed, _BACKUP, f"{at}/backups", {})
    assert (backup["status"], backup["saved"]["status"]) == ("succeeded", "verified"), backup
    assert [b["status"] for b in killed.get(f"{at}/backups")["items"]] == ["verified"]

    assert _ask(work, "set", "a", "two") == "OK"
    wish = {"backup": backup["saved"]["id"], "confirm": "staging/redis"}
    restored = _through(killed, _RESTORE, f"{at}/restore", wish)
    assert restored["status"] == "succeeded", restored
    after = _instance(killed, work)
    assert (_ask(work, "get", "a"), after["kept_volumes"]) == ("one", [made["volume"]])

    with _version_that_serves_nobody(killed) as version:
        boundaries = _start(killed, _FAILED_UPGRADE)
        key = killed.post(f"{at}/upgrade", {"version": version, "confirm": "staging/redis"})["id"]
        eventually(lambda: _instance(killed, work)["version"] == version, 60, "it changes over")
        killed.restart(boundaries)
        failed = killed.run_through(boundaries, lambda: _ended(killed, boundaries, key), 240)
        assert (failed["status"], failed["detail"][:30]) == ("failed", "staging/redis does not answer."), failed
        served = ("version", "exact_version", "volume", "kept_volumes", "health", "status")
        again = _instance(killed, work)
        assert {name: again[name] for name in served} == {name: after[name] for name in served}
        assert _ask(work, "get", "a") == "one"

    killed.stop()
    killed.start()
    work.files |= databases.idle()
    work.goes_live(120)
    gone = _through(killed, _DELETE, f"{at}/delete", {"confirm": "staging/redis"})
    assert (gone["status"], gone["saved"]["status"]) == ("succeeded", "verified"), gone
    start = f"{killed.instance}-{killed.environment_id(work.name)}-"
    assert [volume.name for volume in killed.client.volumes.list() if volume.name.startswith(start)] == []
    label = {"label": [f"cabestan.instance={killed.instance}", f"cabestan.project={work.name}", "cabestan.managed"]}
    assert killed.client.containers.list(all=True, filters=label, ignore_removed=True) == []
    assert killed.client.secrets.list(filters=label) == []
    assert killed.client.services.list(filters=label) == []
