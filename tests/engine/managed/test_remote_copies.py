"""Copies of backups elsewhere, where that may fail; rclone itself is tested in tests/adapters."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.engine.managed.samples import backup_of, instance_of, read
from tests.engine.world import World

from cabestan.domain.backup import BackupStatus, OperationStatus
from cabestan.domain.managed import Instance, InstanceStatus
from cabestan.engine.managed import wishes
from cabestan.errors import StepFailed
from cabestan.store import alerts, managed


class Storage:
    """In the place of rclone; `down` says whether nothing is reached."""

    def __init__(self) -> None:
        self.down = False
        self.files: dict[str, bytes] = {}

    def __call__(self, place: str, seconds: float) -> Storage:
        if self.down:
            raise StepFailed("rclone copyto failed (exit code 1): connection refused", "Check backup_remote.")
        return self

    def put(self, path: Path, name: str) -> None:
        self.files[name] = path.read_bytes()

    def fetch(self, name: str, path: Path) -> None:
        path.write_bytes(self.files[name])

    def remove(self, name: str) -> None:
        self.files.pop(name, None)


@pytest.fixture
def storage(world: World, monkeypatch: pytest.MonkeyPatch) -> Storage:
    object.__setattr__(world.services.settings, "backup_remote", "nas:backups")
    made = Storage()
    monkeypatch.setattr("cabestan.engine.managed.remote_copies.Remote", made)
    return made


@pytest.fixture
def instance(world: World) -> Instance:
    return instance_of(world, world.environment(world.project(), "staging"))


def open_alerts(world: World) -> list[str]:
    with world.services.database.reading() as tx:
        found = alerts.page(tx, installation=True, project_names=["shop/api"], cleared=False, limit=10)
    return [alert.message for alert in found]


def test_a_copy_that_fails_alerts_and_is_made_up_for_by_the_next_backup(
    world: World, instance: Instance, storage: Storage
) -> None:
    storage.down = True
    first = backup_of(world, instance)
    failed = read(world, instance)[2]
    words = (
        "Backup 1 is here, but could not be copied elsewhere: rclone copyto failed (exit code 1): connection refused"
    )
    assert (first.status, first.here, first.remote) == (BackupStatus.VERIFIED, True, False)
    assert (failed.status, failed.detail) == (OperationStatus.FAILED, f"{words} Check backup_remote.")
    assert open_alerts(world) == [f"The backup of staging/postgresql in shop/api failed: {failed.detail}"]

    storage.down = False
    second = backup_of(world, instance)
    assert [backup.remote for backup in read(world, instance)[1]] == [True, True]
    assert set(storage.files) == {f"{b.file}{ending}" for b in (first, second) for ending in ("", ".json")}
    assert open_alerts(world) == []


def test_what_cannot_be_copied_still_goes_by_the_policy(world: World, instance: Instance, storage: Storage) -> None:
    storage.down = True
    with world.services.database.writing() as tx:
        managed.put_settings(tx, instance.environment_id, managed.ManagedSettings(None, "", "daily=1"))
    old = backup_of(world, instance)
    world.clock.now += timedelta(days=3)
    backup_of(world, instance)
    assert [b.status for b in read(world, instance)[1]] == [BackupStatus.VERIFIED, BackupStatus.EXPIRED]
    assert not world.services.backups.path(old.file).exists()


def test_a_restore_waits_for_no_storage(world: World, instance: Instance, storage: Storage) -> None:
    storage.down = True
    wishes.restore(world.services, instance, backup_of(world, instance), "boss", "staging/postgresql")
    world.durable.run()
    after, (saved, _), operation = read(world, instance)
    assert (operation.status, after.generation, saved.remote) == (OperationStatus.SUCCEEDED, 2, False)


def test_nothing_is_deleted_before_its_last_backup_is_elsewhere(
    world: World, instance: Instance, storage: Storage
) -> None:
    storage.down = True
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (operation.status, after.status == InstanceStatus.DELETED) == (OperationStatus.FAILED, False)


def test_a_file_that_is_gone_here_comes_back_from_there(world: World, instance: Instance, storage: Storage) -> None:
    backup = backup_of(world, instance)
    world.services.backups.path(backup.file).unlink()
    wishes.verify(world.services, instance, backup, "dev")
    world.durable.run()
    assert read(world, instance)[2].status is OperationStatus.SUCCEEDED
