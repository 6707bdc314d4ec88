"""What is asked again and again is found by an index, however many backups and deployments there have been."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from tests.engine.managed.samples import backed_up
from tests.engine.world import World

from cabestan.domain.backup import BackupStatus
from cabestan.domain.managed import Instance
from cabestan.engine.managed import backup_clock, standing
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.upkeep import recovery
from cabestan.store import backups, managed

#: these grow with time; the others are as many as there are projects and people
GROWING = (
    "backups",
    "database_operations",
    "deployments",
    "events",
    "jobs",
    "pipelines",
    "releases",
    "runs",
    "steps",
)
Statements = list[tuple[str, Any]]


@pytest.fixture
def instance(world: World) -> Instance:
    return backed_up(world, world.environment(world.project(), "staging"))


def asked(world: World, work: Callable[[], object]) -> Statements:
    """Each SELECT that the work made, with its parameters."""
    found: Statements = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    engine = world.services.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return found


def slow(world: World, statements: Statements) -> list[str]:
    """Those that read a whole table that grows, as SQLite would do it."""
    if world.services.database.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's own words")
    tables = "|".join(GROWING)
    found = []
    with world.services.database.reading() as tx:
        for statement, parameters in statements:
            plan = [row.detail for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            if any(re.fullmatch(rf"SCAN ({tables})", step) for step in plan):
                found.append(f"{plan}: {statement}")
    return found


def test_the_clock_of_backups_uses_indexes(world: World, instance: Instance) -> None:
    statements = asked(world, lambda: backup_clock.tick(world.services))
    assert any("FROM backups" in statement for statement, _ in statements)
    assert slow(world, statements) == []


def test_pages_and_commands_of_databases_use_indexes(world: World, instance: Instance) -> None:
    def look() -> None:
        standing.standing(world.services, instance)
        with world.services.database.reading() as tx:
            backups.page(tx, instance)
            backups.page(tx, instance, before=7)
            backups.of_instance(tx, instance, 1)
            backups.stored(tx, instance.id)
            backups.newest(tx, instance.id, BackupStatus.VERIFIED)
            backups.open_of(tx, instance.id)
            backups.open_operations(tx)
            managed.made_in(tx, instance.environment_id, instance.kind)

    assert slow(world, asked(world, look)) == []


def test_recovery_and_the_clock_of_schedules_use_indexes(world: World, instance: Instance) -> None:
    def start() -> None:
        recovery.reconcile(world.services)
        cron_runs.reconcile(world.services)
        cron.fire(world.services, [1])
        cron_runs.start_waiting(world.services)

    assert slow(world, asked(world, start)) == []


def test_the_newest_backup_of_a_kind_is_one_look_away(world: World, instance: Instance) -> None:
    """However many failed ones there are since the last good one."""
    if world.services.database.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's own words")
    statements = asked(world, lambda: backup_clock.tick(world.services))
    with world.services.database.reading() as tx:
        plans = [
            row.detail
            for statement, parameters in statements
            if "FROM backups" in statement
            for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert plans == [
        f"SEARCH backups USING INDEX ix_backups_managed_service_id_{column}_id (managed_service_id=? AND {column}=?)"
        for column in ("reason", "status")
    ]
