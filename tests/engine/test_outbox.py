"""What is told of changes: written with them, handed on in order, at least once, whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.engine.world import World
from tests.samples import set_status

from cabestan.domain.outbox import Event, Subject
from cabestan.domain.project import Project
from cabestan.engine import outbox
from cabestan.engine.alerts import raise_alert
from cabestan.engine.deploying import settings
from cabestan.engine.outbox import Consumer, Delivery, pages
from cabestan.store import alerts
from cabestan.store import outbox as store
from cabestan.store.variables import Scope


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


def told(world: World, after: int = 0) -> tuple[Event, ...]:
    with world.services.database.reading() as tx:
        return store.after(tx, after, 1000)


def newest(world: World) -> int:
    with world.services.database.reading() as tx:
        return store.newest(tx)


def change(world: World, project: Project, subject: Subject, key: int, status: str) -> None:
    """The same as a transition tells."""
    with world.services.database.writing() as tx:
        store.tell(tx, project.id, world.clock(), subject=subject, key=key, status=status)


def test_each_status_on_the_way_to_staging_is_told_once_and_in_order(world: World, project: Project) -> None:
    world.released(project)
    statuses: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for event in told(world):
        if event.subject:
            statuses[event.lane].append((event.former, event.status))
    assert dict(statuses) == {
        "pipeline:1": [("", "created"), ("created", "running"), ("running", "succeeded")],
        "job:1": [("created", "running"), ("running", "succeeded")],
        "job:2": [("created", "running"), ("running", "succeeded")],
        "release:1": [("", "created")],
        "deployment:1": [("", "queued"), ("queued", "running"), ("running", "succeeded")],
        "environment:1": [("", "1")],
        "deployment:2": [("", "waiting")],
    }


def test_topics_are_what_open_pages_know_a_change_by(world: World, project: Project) -> None:
    world.released(project)
    topics = {event.topics for event in told(world) if event.project == "shop/api"}
    assert {("pipeline:1",), ("job:2", "pipeline:1"), ("deployment:1",), ()} <= topics


def test_what_is_not_committed_is_not_told(world: World, project: Project) -> None:
    world.released(project)
    before = told(world)
    with suppress(ZeroDivisionError), world.services.database.writing() as tx:
        set_status(tx, Subject.PIPELINE, 1, "failed")
        raise ZeroDivisionError
    assert (told(world), world.pipeline(1).status) == (before, "succeeded")


def test_a_setting_is_told_too(world: World, project: Project) -> None:
    before = newest(world)
    settings.put(world.services, Scope(project.id), "COLOUR", "blue", "dev", secret=False)
    assert [(event.project, event.subject, event.topics) for event in told(world, before)] == [("shop/api", None, ())]


def test_open_pages_hear_of_what_comes_from_now_on(world: World, project: Project) -> None:
    open_pages = pages(world.services)
    open_pages.start()

    async def heard() -> list[str]:
        listening = world.services.changes.listen()
        next_one = asyncio.ensure_future(anext(listening))
        await asyncio.sleep(0)
        await asyncio.to_thread(change, world, project, Subject.RUN, 7, "failed")
        found = await asyncio.wait_for(next_one, 5)
        assert found
        return [found.project, found.topic]

    try:
        assert asyncio.run(heard()) == ["shop/api", "project:shop/api"]
    finally:
        open_pages.stop()


class Taking:
    """A consumer that refuses what it is told to."""

    def __init__(self, refuses: Callable[[Event], bool] = lambda _event: False) -> None:
        self.refuses = refuses
        self.taken: list[tuple[str, str]] = []

    def take(self, event: Event) -> None:
        if self.refuses(event):
            raise ConnectionError("nobody is there")
        self.taken.append((event.lane, event.status))


@pytest.fixture
def taking(world: World, project: Project) -> Taking:
    return Taking()


def delivery(world: World, taking: Taking, name: str = "forge") -> Delivery:
    """As after a start, but for its thread."""
    made = Delivery(world.services, Consumer(name, taking.take))
    made.prepare()
    return made


def test_a_consumer_is_handed_what_comes_and_goes_on_there_after_a_restart(
    world: World, project: Project, taking: Taking
) -> None:
    first = delivery(world, taking)
    change(world, project, Subject.PIPELINE, 1, "running")
    first.look()
    change(world, project, Subject.PIPELINE, 1, "failed")
    delivery(world, taking).look()
    delivery(world, taking).look()
    assert taking.taken == [("pipeline:1", "running"), ("pipeline:1", "failed")]


def test_what_it_does_not_take_comes_again_in_its_lane_and_others_go_on(
    world: World, project: Project, taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_AGAIN", 60)
    handing = delivery(world, taking)
    taking.refuses = lambda event: event.key == 1
    for key, status in ((1, "running"), (2, "running"), (1, "failed"), (2, "succeeded")):
        change(world, project, Subject.PIPELINE, key, status)
    handing.look()
    assert taking.taken == [("pipeline:2", "running"), ("pipeline:2", "succeeded")]
    taking.refuses, taking.taken = lambda _event: False, []
    handing.look()
    assert taking.taken == [], "too early"
    world.clock.now += timedelta(minutes=2)
    change(world, project, Subject.PIPELINE, 1, "retried")
    delivery(world, taking).look()
    assert taking.taken == [("pipeline:1", status) for status in ("running", "failed", "retried")]


def test_the_pauses_grow_and_after_hours_it_is_given_up_visibly(world: World, project: Project, taking: Taking) -> None:
    handing = delivery(world, taking)
    taking.refuses = lambda event: event.status == "failed"
    change(world, project, Subject.PIPELINE, 1, "failed")
    change(world, project, Subject.PIPELINE, 1, "running")
    begun, tries = world.clock.now, 0
    handing.look()
    while not taking.taken:
        with world.services.database.reading() as tx:
            (_, attempts, again_at), *_ = store.retries(tx, "forge")
        assert attempts == tries + 1
        tries, world.clock.now = attempts, again_at
        handing.look()
    assert timedelta(hours=8) < world.clock.now - begun < timedelta(hours=12)
    assert taking.taken[0] == ("pipeline:1", "running")
    with world.services.database.reading() as tx:
        (alert,) = alerts.all_open(tx, outbox.ALERT)
        assert store.retries(tx, "forge") == ()
    assert alert.message == ("forge was not told that pipeline:1 is failed: ConnectionError: nobody is there")


def test_a_slow_consumer_holds_up_nobody(world: World, project: Project, taking: Taking) -> None:
    held, begun, taken = threading.Event(), threading.Event(), threading.Event()

    def wait(_event: Event) -> None:
        begun.set()
        held.wait(20)

    slow = Delivery(world.services, Consumer("slow", wait))
    quick = Delivery(world.services, Consumer("quick", lambda event: taken.set() if event.status == "2" else None))
    slow.start()
    quick.start()
    try:
        change(world, project, Subject.PIPELINE, 1, "1")
        assert begun.wait(10)
        change(world, project, Subject.PIPELINE, 1, "2")
        assert taken.wait(10)
    finally:
        held.set()
        slow.stop()
        quick.stop()


def test_what_everybody_was_handed_goes_after_a_day(world: World, project: Project, taking: Taking) -> None:
    handing = delivery(world, taking)
    taking.refuses = lambda event: event.key == 1
    for key in (1, 2):
        change(world, project, Subject.PIPELINE, key, "running")
    handing.look()
    world.clock.now += timedelta(days=2)
    change(world, project, Subject.PIPELINE, 3, "running")
    outbox.drop_old(world.services)
    assert [event.lane for event in told(world)] == ["pipeline:1", "pipeline:3"]


def test_that_one_was_not_told_is_an_alert_for_a_week(world: World) -> None:
    raise_alert(world.services, outbox.ALERT, "mail pipeline:1", "mail was not told.", "")
    for days, left in ((6, 1), (2, 0)):
        world.clock.now += timedelta(days=days)
        outbox.drop_old(world.services)
        with world.services.database.reading() as tx:
            assert len(alerts.all_open(tx, outbox.ALERT)) == left


def test_what_comes_after_all_was_dropped_is_told_too(world: World, project: Project, taking: Taking) -> None:
    """SQLite would give the highest number that was free again."""
    handing = delivery(world, taking)
    change(world, project, Subject.PIPELINE, 1, "running")
    handing.look()
    world.clock.now += timedelta(days=2)
    outbox.drop_old(world.services)
    assert told(world) == ()
    change(world, project, Subject.PIPELINE, 1, "failed")
    handing.look()
    assert taking.taken == [("pipeline:1", "running"), ("pipeline:1", "failed")]
