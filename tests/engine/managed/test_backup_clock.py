from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.engine.managed.samples import instance_of
from tests.engine.world import World

from cabestan.domain.backup import BackupStatus, Reason
from cabestan.domain.managed import Instance, InstanceStatus
from cabestan.engine.managed import backup_clock
from cabestan.errors import Invalid, StepFailed
from cabestan.store import alerts, backups, managed


@pytest.fixture
def instance(world: World) -> Instance:
    return instance_of(world, world.environment(world.project(), "staging"))


def reasons(world: World, instance: Instance) -> list[tuple[Reason, BackupStatus]]:
    with world.services.database.reading() as tx:
        return [(b.reason, b.status) for b in backups.page(tx, instance)]


def alerted(world: World) -> list[str]:
    with world.services.database.reading() as tx:
        found = alerts.page(tx, installation=True, project_names=["shop/api"], cleared=False, limit=10)
    return [alert.message for alert in found]


def test_what_is_due_is_backed_up_once(world: World, instance: Instance) -> None:
    backup_clock.tick(world.services)
    assert reasons(world, instance) == []
    world.clock.now += timedelta(days=1)
    backup_clock.tick(world.services)
    backup_clock.tick(world.services)
    world.durable.run()
    backup_clock.tick(world.services)
    world.durable.run()
    assert reasons(world, instance) == [(Reason.SCHEDULED, BackupStatus.VERIFIED)]


def test_after_downtime_it_is_caught_up_once(world: World, instance: Instance) -> None:
    world.clock.now += timedelta(days=30)
    for _ in range(3):
        backup_clock.tick(world.services)
        world.durable.run()
    assert reasons(world, instance) == [(Reason.SCHEDULED, BackupStatus.VERIFIED)]


def test_a_schedule_that_cannot_be_read_keeps_nobody_else_waiting(world: World, instance: Instance) -> None:
    other = instance_of(world, world.environment(world.project("shop/web"), "production"))
    with world.services.database.writing() as tx:
        managed.put_settings(tx, instance.environment_id, managed.ManagedSettings(None, "never ever", ""))
    world.clock.now += timedelta(days=1)
    backup_clock.tick(world.services)
    world.durable.run()
    assert reasons(world, instance) == []
    assert reasons(world, other) == [(Reason.SCHEDULED, BackupStatus.VERIFIED)]


def test_an_environment_may_have_no_backups(world: World, instance: Instance) -> None:
    with world.services.database.writing() as tx:
        managed.put_settings(tx, instance.environment_id, managed.ManagedSettings(None, "off", ""))
    world.clock.now += timedelta(days=30)
    backup_clock.tick(world.services)
    world.durable.run()
    assert reasons(world, instance) == []
    assert alerted(world) == []


def test_one_that_is_missed_alerts_until_there_is_a_good_one(world: World, instance: Instance) -> None:
    world.clock.now += timedelta(days=2)
    world.databases.fail("dump", StepFailed("No."))
    backup_clock.tick(world.services)
    (missed,) = alerted(world)
    assert missed == "A backup of staging/postgresql in shop/api was missed: there is no good one."
    world.durable.run()
    assert alerted(world) == ["The backup of staging/postgresql in shop/api failed: No."]
    world.clock.now += timedelta(days=1)
    backup_clock.tick(world.services)
    world.durable.run()
    assert alerted(world) == []


def test_one_that_is_missed_is_forgotten_when_none_is_due_any_more(world: World, instance: Instance) -> None:
    world.clock.now += timedelta(days=2)
    backup_clock.tick(world.services)
    assert len(alerted(world)) == 1
    with world.services.database.writing() as tx:
        managed.put_settings(tx, instance.environment_id, managed.ManagedSettings(None, "off", ""))
    backup_clock.tick(world.services)
    assert alerted(world) == []


def test_what_failed_is_not_told_as_missed_too(world: World, instance: Instance) -> None:
    world.clock.now += timedelta(days=1)
    world.databases.fail("dump", StepFailed("No.\nIt said:\n  more"))
    backup_clock.tick(world.services)
    world.durable.run()
    world.clock.now += timedelta(hours=3)
    backup_clock.tick(world.services)
    with world.services.database.reading() as tx:
        (alert,) = alerts.all_open(tx)
    assert (alert.kind, alert.message) == ("backup", "The backup of staging/postgresql in shop/api failed: No.")
    assert alert.words == "It said:\n  more"


def test_a_database_that_is_gone_leaves_no_alert(world: World, instance: Instance) -> None:
    world.clock.now += timedelta(days=2)
    backup_clock.tick(world.services)
    with world.services.database.writing() as tx:
        managed.update(tx, instance.id, status=InstanceStatus.DELETED)
    backup_clock.tick(world.services)
    assert alerted(world) == []


def test_a_schedule_is_read_as_cron_does_in_utc() -> None:
    after = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert backup_clock.next_due("30 2 * * *", after) == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    assert backup_clock.next_due("off", after) is None
    with pytest.raises(Invalid, match="is not a schedule"):
        backup_clock.next_due("every night", after)
