"""Backups, restores, upgrades and deletions, on a real database and disk, with Docker in memory."""

from __future__ import annotations

import errno
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.fakes import Killed, healthy
from tests.engine.managed.samples import CONTENTS, backup_of, instance_of, read
from tests.engine.world import World

from cabestan.adapters.tasks import StackState
from cabestan.domain.backup import Backup, BackupStatus, OperationStatus, Reason
from cabestan.domain.managed import Instance, InstanceStatus, Kind
from cabestan.engine.managed import standing, wishes
from cabestan.errors import Conflict, DeadlineExceeded, EngineUnavailable, Invalid, NotFound, StepFailed
from cabestan.store import alerts, backups, environments, managed

IMAGE = "registry/postgresql@sha256:" + "2" * 64


@pytest.fixture
def instance(world: World) -> Instance:
    return instance_of(world, world.environment(world.project(), "staging"))


def open_alerts(world: World) -> list[str]:
    with world.services.database.reading() as tx:
        found = alerts.page(tx, installation=True, project_names=["shop/api"], cleared=False, limit=10)
    return [alert.subject for alert in found]


def test_a_backup_is_good_when_it_was_restored_and_compared(world: World, instance: Instance) -> None:
    backup = backup_of(world, instance)
    assert (backup.status, backup.reason) == (BackupStatus.VERIFIED, Reason.WANTED)
    assert backup.manifest == CONTENTS
    assert backup.detail == "restored and compared: 1 table, 3 rows"
    assert world.services.backups.path(backup.file).stat().st_size == backup.bytes
    assert world.databases.called("remove_volume")[-1] == [f"{instance.stack}-scratch-1"]
    assert world.databases.called("remove_service") == []


def test_a_backup_whose_restore_differs_is_failed_and_alerts_until_a_good_one(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(world.databases, "manifest", lambda _container, _seconds: {"public.items": (2, "17")})
        backup = backup_of_failing(world, instance)
    words = "Restored, it is not the same: public.items has 2 rows, not 3; (sequences) is missing."
    assert (backup.status, backup.detail) == (BackupStatus.FAILED, words)
    assert open_alerts(world) == ["shop/api staging/postgresql"]
    assert backup_of(world, instance).status is BackupStatus.VERIFIED
    assert open_alerts(world) == []


def backup_of_failing(world: World, instance: Instance) -> Backup:
    backup = backup_of(world, instance)
    assert read(world, instance)[2].status is OperationStatus.FAILED
    return backup


def test_a_dump_that_fails_leaves_no_file(world: World, instance: Instance) -> None:
    world.databases.fail("dump", StepFailed("The dump failed (exit code 1): no room"))
    backup = backup_of_failing(world, instance)
    assert (backup.status, backup.detail) == (BackupStatus.FAILED, "The dump failed (exit code 1): no room")
    assert [path for path in world.services.backups.folder.rglob("*") if path.is_file()] == []
    assert open_alerts(world) == ["shop/api staging/postgresql"]


def test_a_backup_that_fills_the_disk_fails_and_leaves_its_room(world: World, instance: Instance) -> None:
    world.databases.fail("dump", OSError(errno.ENOSPC, "No space left on device"))
    backup = backup_of_failing(world, instance)
    assert backup.detail.startswith("No room is left on the disk that holds the data.")
    assert [path for path in world.services.backups.folder.rglob("*") if path.is_file()] == []


def test_a_good_backup_that_was_damaged_since_is_failed(world: World, instance: Instance) -> None:
    backup = backup_of(world, instance)
    path = world.services.backups.path(backup.file)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    wishes.verify(world.services, instance, backup, "dev")
    world.durable.run()
    _, (again,), operation = read(world, instance)
    assert (again.status, operation.status) == (BackupStatus.FAILED, OperationStatus.FAILED)
    assert "was changed or damaged" in again.detail


def test_one_thing_at_a_time_is_done_to_a_database(world: World, instance: Instance) -> None:
    wishes.back_up(world.services, instance, "dev")
    with pytest.raises(Conflict) as refused:
        wishes.back_up(world.services, instance, "dev")
    assert refused.value.message == "A backup of this database is under way."


def test_a_restore_fills_a_new_volume_and_keeps_the_old_one(world: World, instance: Instance) -> None:
    backup = backup_of(world, instance)
    world.databases.contents[instance.name] = {"public.items": (5, "18")}
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    world.durable.run()
    after, (saved, _), operation = read(world, instance)
    assert operation.status is OperationStatus.SUCCEEDED
    assert (saved.reason, saved.manifest) == (Reason.BEFORE_RESTORE, {"public.items": (5, "18")})
    assert (after.volume, after.kept_volumes) == (instance.volume[:-1] + "2", (instance.volume,))
    assert instance.volume not in [name for (name,) in world.databases.called("remove_volume")]
    assert after.volume in world.stacks.deployed[instance.stack]


def test_a_restore_that_differs_leaves_the_service_alone(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(world, instance)
    monkeypatch.setattr(world.databases, "manifest", lambda _container, _seconds: {})
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (after.volume, operation.status) == (instance.volume, OperationStatus.FAILED)
    assert len(world.stacks.called("deploy")) == 1, "the service was not touched"
    assert world.databases.called("remove_volume")[-1] == [instance.volume[:-1] + "2"]


def test_a_change_over_that_fails_is_taken_back(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(world, instance)

    def wait(_services: object, present: Instance, _deadline: float) -> None:
        if present.volume != instance.volume:
            raise DeadlineExceeded("staging/postgresql does not answer.")

    monkeypatch.setattr("cabestan.engine.managed.instances.wait", wait)
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (after.volume, after.kept_volumes) == (instance.volume, ())
    assert operation.detail == "staging/postgresql does not answer."
    assert instance.volume in world.stacks.deployed[instance.stack]
    assert instance.volume not in [name for (name,) in world.databases.called("remove_volume")]


def test_a_change_over_that_fails_after_a_kill_is_taken_back(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(world, instance)
    killed: list[bool] = []

    def wait(_services: object, present: Instance, _deadline: float) -> None:
        if present.volume != instance.volume and not killed:
            killed.append(True)
            raise Killed("between the change and its end")
        if present.volume != instance.volume:
            raise DeadlineExceeded("staging/postgresql does not answer.")

    monkeypatch.setattr("cabestan.engine.managed.instances.wait", wait)
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    with pytest.raises(Killed):
        world.durable.run()
    world.durable.recover()
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (after.volume, after.kept_volumes) == (instance.volume, ())
    assert operation.detail == "staging/postgresql does not answer."
    assert instance.volume in world.stacks.deployed[instance.stack]


def test_a_database_that_does_not_run_can_be_restored(world: World, instance: Instance) -> None:
    backup = backup_of(world, instance)
    world.databases.fail("container", StepFailed("staging/postgresql does not run."))
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    world.durable.run()
    after, (saved, _), operation = read(world, instance)
    assert (saved.status, operation.status) == (BackupStatus.FAILED, OperationStatus.SUCCEEDED)
    assert after.kept_volumes == (instance.volume,)


def test_an_engine_that_restarts_is_waited_for(world: World, instance: Instance) -> None:
    """The copy of what a restore replaces is taken all the same."""
    backup = backup_of(world, instance)
    world.databases.fail("dump", EngineUnavailable("The engine went away during the dump."))
    world.databases.fail("load", EngineUnavailable("The engine went away during the load."))
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    world.durable.run()
    _, (saved, _), operation = read(world, instance)
    assert (saved.status, operation.status) == (BackupStatus.UNVERIFIED, OperationStatus.SUCCEEDED)


@pytest.mark.parametrize("typed", ["", "postgresql", "production/postgresql", "staging/postgresql "])
def test_what_replaces_data_asks_for_the_typed_name(world: World, instance: Instance, typed: str) -> None:
    backup = backup_of(world, instance)
    for wish in (
        lambda: wishes.restore(world.services, instance, backup, "boss", typed),
        lambda: wishes.upgrade(world.services, instance, "16", "boss", typed),
        lambda: wishes.delete(world.services, instance, "boss", typed),
    ):
        with pytest.raises(Invalid, match="is not the name of this database"):
            wish()


def test_an_upgrade_to_a_version_that_is_nowhere_is_refused_with_the_one_that_comes_along(
    world: World, instance: Instance
) -> None:
    world.stacks.fail("pin", StepFailed("cabestan/postgresql:99 is not to be had."))
    with pytest.raises(Invalid) as refused:
        wishes.upgrade(world.services, instance, "99", "boss", "staging/postgresql")
    assert str(refused.value) == (
        "There is no image of PostgreSQL 99: cabestan/postgresql:99 is not to be had. "
        "Choose 15, which comes along, or bring an image cabestan/postgresql:99."
    )


def test_an_upgrade_stops_the_service_and_changes_over(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    replicas: list[bool] = []
    monkeypatch.setattr(world.databases, "container", lambda _instance: pytest.fail("the service is asked"))
    world.databases.scratches = {}
    monkeypatch.setattr(world.databases, "start_scratch", _serving_contents(world, replicas))
    wishes.upgrade(world.services, instance, "16", "boss", "staging/postgresql")
    world.durable.run()
    after, (saved,), operation = read(world, instance)
    assert operation.status is OperationStatus.SUCCEEDED, operation.detail
    assert replicas[0], "the service stood still when it was dumped"
    assert (after.version, after.image, after.kept_volumes) == ("16", IMAGE, (instance.volume,))
    assert (saved.reason, saved.status) == (Reason.BEFORE_UPGRADE, BackupStatus.VERIFIED)
    assert "replicas: 1" in world.stacks.deployed[instance.stack]


def test_an_upgrade_waits_until_the_service_has_let_go_of_its_volume(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    monkeypatch.setattr(world.databases, "start_scratch", _serving_contents(world, []))
    still = healthy(instance.stack, (instance.service,))
    world.stacks.states.extend([still, still, StackState(instance.stack, ())])
    wishes.upgrade(world.services, instance, "16", "boss", "staging/postgresql")
    world.durable.run()
    assert read(world, instance)[2].status is OperationStatus.SUCCEEDED
    assert not world.stacks.states


def test_a_service_that_does_not_stop_is_not_upgraded(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    object.__setattr__(world.services.settings, "managed_seconds", 0)
    world.stacks.states.append(healthy(instance.stack, (instance.service,)))
    wishes.upgrade(world.services, instance, "16", "boss", "staging/postgresql")
    world.durable.run()
    assert read(world, instance)[2].detail.startswith("staging/postgresql does not stop.")
    assert world.databases.called("start_scratch") == []


def test_limits_do_not_start_a_service_that_stands_still(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    wishes.upgrade(world.services, instance, "16", "boss", "staging/postgresql")
    before = world.stacks.called("deploy")
    with pytest.raises(Conflict, match="The upgrade of staging/postgresql is under way"):
        standing.set_limits(world.services, instance, 512, None)
    assert world.stacks.called("deploy") == before


def _serving_contents(world: World, replicas: list[bool]) -> Any:
    """A scratch instance on the present volume serves what is in it."""

    def start(scratch: Any) -> str:
        replicas.append("replicas: 0" in world.stacks.deployed.get(scratch.instance.stack, ""))
        world.databases.scratches[scratch.name] = dict(CONTENTS)
        return str(scratch.name)

    return start


def test_an_upgrade_that_fails_serves_the_old_version_again(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    world.databases.fail("start_scratch", StepFailed("No memory."))
    wishes.upgrade(world.services, instance, "16", "boss", "staging/postgresql")
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (after.image, after.volume, operation.detail) == (instance.image, instance.volume, "No memory.")
    assert "replicas: 1" in world.stacks.deployed[instance.stack]


def test_a_deletion_takes_everything_after_a_last_good_backup(world: World, instance: Instance) -> None:
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    world.durable.run()
    after, (saved,), _ = read(world, instance)
    assert (after.status, saved.status) == (InstanceStatus.DELETED, BackupStatus.VERIFIED)
    assert world.databases.called("remove_service") == [["staging/postgresql"]]
    assert [instance.volume] in world.databases.called("remove_volume")
    assert world.services.backups.path(saved.file).exists()
    with pytest.raises(Conflict, match="was deleted"):
        wishes.back_up(world.services, after, "dev")


def test_the_last_backup_of_a_deleted_database_can_be_restored_into_the_one_that_is_made_in_its_place(
    world: World, instance: Instance
) -> None:
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    world.durable.run()
    (last,) = read(world, instance)[1]
    with world.services.database.reading() as tx:
        new_place = environments.by_id(tx, instance.environment_id)
    new = instance_of(world, new_place)
    world.databases.contents[new.name] = {"public.items": (0, "0")}
    with world.services.database.reading() as tx:
        found = backups.of_instance(tx, new, last.id)
        with pytest.raises(NotFound, match="There is no backup 1"):
            backups.of_instance(tx, new.evolve(kind=Kind.MYSQL), last.id)
    wishes.restore(world.services, new, found, "boss", "staging/postgresql")
    world.durable.run()
    after, taken, operation = read(world, new)
    assert (operation.status, after.generation) == (OperationStatus.SUCCEEDED, 2)
    assert [backup.reason for backup in taken] == [Reason.BEFORE_RESTORE, Reason.BEFORE_DELETE]


def test_without_a_good_last_backup_nothing_is_deleted(
    world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.databases, "manifest", lambda _container, _seconds: {})
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    world.durable.run()
    after, _, operation = read(world, instance)
    assert (after.status, operation.status) == (instance.status, OperationStatus.FAILED)
    assert world.databases.called("remove_service") == []
    assert [instance.volume] not in world.databases.called("remove_volume")


def test_old_backups_go_by_the_policy_and_keep_their_record(world: World, instance: Instance) -> None:
    old = backup_of(world, instance)
    world.clock.now += timedelta(days=400)
    new = backup_of(world, instance)
    with world.services.database.reading() as tx:
        assert backups.get(tx, old.id).status is BackupStatus.VERIFIED, "the policy keeps six months that have any"
    with world.services.database.writing() as tx:
        managed.put_settings(tx, instance.environment_id, managed.ManagedSettings(None, "", "daily=1"))
    world.clock.now += timedelta(days=2)
    newest = backup_of(world, instance)
    with world.services.database.reading() as tx:
        statuses = [backups.get(tx, key).status for key in (old.id, new.id, newest.id)]
    assert statuses == [BackupStatus.EXPIRED, BackupStatus.EXPIRED, BackupStatus.VERIFIED]
    assert not world.services.backups.path(old.file).exists()
    assert world.services.backups.path(newest.file).exists()


RESTORE = ("database.save", "database.load", "database.switch", "database.copy", "database.tidy", "database.record")
UPGRADE = RESTORE
FAILED_UPGRADE = ("database.switch", "database.take-back", "database.tidy", "database.record")
DELETE = ("database.save", "database.verify", "database.copy", "database.remove", "database.tidy", "database.record")
EDGES = ("before", "done, not recorded", "after")


@pytest.mark.parametrize("place", [f"{step}:{edge}" for step in RESTORE for edge in EDGES])
def test_a_kill_at_any_place_of_a_restore_changes_nothing_of_the_outcome(
    world: World, instance: Instance, place: str
) -> None:
    backup = backup_of(world, instance)
    wishes.restore(world.services, instance, backup, "boss", "staging/postgresql")
    _killed_and_recovered(world, place)
    after, taken, operation = read(world, instance)
    assert (operation.status, len(taken)) == (OperationStatus.SUCCEEDED, 2)
    assert (after.volume, after.kept_volumes) == (instance.volume[:-1] + "2", (instance.volume,))


@pytest.fixture
def upgradable(world: World, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: (IMAGE, "16"))
    start = world.databases.start_scratch

    def start_scratch(scratch: Any) -> str:
        name = start(scratch)
        if scratch.volume == instance.volume:
            world.databases.scratches[name] = dict(CONTENTS)
        return name

    monkeypatch.setattr(world.databases, "start_scratch", start_scratch)
    return instance


@pytest.mark.parametrize("place", [f"{step}:{edge}" for step in UPGRADE for edge in EDGES])
def test_a_kill_at_any_place_of_an_upgrade_changes_nothing_of_the_outcome(
    world: World, upgradable: Instance, place: str
) -> None:
    wishes.upgrade(world.services, upgradable, "16", "boss", "staging/postgresql")
    _killed_and_recovered(world, place)
    after, (saved,), operation = read(world, upgradable)
    assert operation.status is OperationStatus.SUCCEEDED, operation.detail
    assert (after.version, after.image, after.kept_volumes) == ("16", IMAGE, (upgradable.volume,))
    assert (saved.status, "replicas: 1" in world.stacks.deployed[after.stack]) == (BackupStatus.VERIFIED, True)


@pytest.mark.parametrize("place", [f"{step}:{edge}" for step in FAILED_UPGRADE for edge in EDGES] + ["while it waits"])
def test_an_upgrade_that_is_killed_after_its_switch_and_then_fails_is_taken_back(
    world: World, upgradable: Instance, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    killed = [] if place == "while it waits" else [True]

    def wait(_services: object, present: Instance, _deadline: float) -> None:
        if present.image == IMAGE and not killed:
            killed.append(True)
            raise Killed("between the change and its end")
        if present.image == IMAGE:
            raise DeadlineExceeded("staging/postgresql does not answer.")

    monkeypatch.setattr("cabestan.engine.managed.instances.wait", wait)
    wishes.upgrade(world.services, upgradable, "16", "boss", "staging/postgresql")
    _killed_and_recovered(world, place)
    after, _, operation = read(world, upgradable)
    assert (operation.status, operation.detail) == (OperationStatus.FAILED, "staging/postgresql does not answer.")
    assert after == upgradable.evolve(generation=2)
    document = world.stacks.deployed[after.stack]
    assert (upgradable.image in document, upgradable.volume in document, "replicas: 1" in document) == (True,) * 3
    assert upgradable.volume not in [name for (name,) in world.databases.called("remove_volume")]


def test_what_cannot_be_taken_back_either_is_told(
    world: World, upgradable: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply(_services: object, present: Instance, *, replicas: int = 1) -> None:
        if replicas:
            raise StepFailed(f"No {present.version}.")

    monkeypatch.setattr("cabestan.engine.managed.instances.apply", apply)
    wishes.upgrade(world.services, upgradable, "16", "boss", "staging/postgresql")
    world.stacks.states.append(StackState(upgradable.stack, ()))
    world.durable.run()
    after, _, operation = read(world, upgradable)
    assert operation.detail == "No 16. What served before could not be taken back: No 15."
    assert after == upgradable.evolve(generation=2)
    # once before it was filled: a service that still names it must not find an empty one in its place
    assert world.databases.called("remove_volume").count([f"{upgradable.volume[:-1]}2"]) == 1


@pytest.mark.parametrize("place", [f"{step}:{edge}" for step in DELETE for edge in EDGES])
def test_a_kill_at_any_place_of_a_deletion_changes_nothing_of_the_outcome(
    world: World, instance: Instance, place: str
) -> None:
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    _killed_and_recovered(world, place)
    after, (saved,), operation = read(world, instance)
    assert (operation.status, after.status) == (OperationStatus.SUCCEEDED, InstanceStatus.DELETED)
    assert saved.status is BackupStatus.VERIFIED


def _killed_and_recovered(world: World, place: str) -> None:
    world.durable.kill_at = place
    with pytest.raises(Killed):
        world.durable.run()
    world.durable.recover()
    world.durable.run()
