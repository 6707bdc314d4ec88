from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from tests.samples import NOW

from cabestan.errors import ConfigurationError
from cabestan.store import facts, projects
from cabestan.store.database import Database


def test_a_writing_transaction_is_all_or_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as tx:
            facts.put(tx, "a", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as tx:
        assert facts.get(tx, "a") is None


def test_one_writes_at_a_time_so_that_what_was_read_still_holds(database: Database) -> None:
    def count_up() -> None:
        for _ in range(10):
            with database.writing() as tx:
                facts.put(tx, "count", str(int(facts.get(tx, "count") or 0) + 1))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count_up) for _ in range(4)]:
            done.result()
    with database.reading() as tx:
        assert facts.get(tx, "count") == "40"


def test_many_that_wait_to_write_leave_connections_to_those_that_read(database: Database) -> None:
    begun = threading.Semaphore(0)

    def write(number: int) -> None:
        begun.release()
        with database.writing() as tx:
            facts.put(tx, "last", str(number))

    with database.reading() as tx:
        assert facts.get(tx, "last") is None
    with ThreadPoolExecutor(40) as pool:
        with database.writing() as tx:
            facts.put(tx, "first", "1")
            waiting = [pool.submit(write, number) for number in range(40)]
            for _ in waiting:
                begun.acquire()
            time.sleep(0.2)  # each is at its lock now
            assert database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        for done in waiting:
            done.result()


def test_a_reader_waits_for_no_writer_and_sees_only_what_is_whole(database: Database) -> None:
    written, read = threading.Event(), threading.Event()

    def write() -> None:
        with database.writing() as tx:
            facts.put(tx, "a", "1")
            written.set()
            assert read.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert written.wait(10)
        with database.reading() as tx:
            assert facts.get(tx, "a") is None
        read.set()
        writing.result()
    with database.reading() as tx:
        assert facts.get(tx, "a") == "1"


def test_what_belongs_to_nothing_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as tx:
        tx.execute(sa.text("INSERT INTO refs (project_id, ref) VALUES (99, 'x')"))


def test_times_come_back_in_utc_to_the_millisecond(database: Database) -> None:
    with database.writing() as tx:
        made = projects.create(tx, "shop/api", "main", NOW)
        assert projects.get(tx, "shop/api") == made
        assert projects.get(tx, "shop/api").created_at.isoformat() == "2024-05-06T07:08:09.123000+00:00"


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none/x.sqlite", "postgresql://dev:hunter2@127.0.0.1:1/x"):
        database = Database(url)
        with pytest.raises(ConfigurationError, match="does not answer") as refused:
            database.check()
        database.close()
        assert "hunter2" not in str(refused.value)
        assert refused.value.remedy
