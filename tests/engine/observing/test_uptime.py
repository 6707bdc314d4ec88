"""Each route is asked every minute: what comes is counted, and two wrong answers in a row are an outage, told once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.engine.fakes import healthy
from tests.engine.world import World
from tests.samples import ADMIN, NOW, set_status

from cabestan.domain.alert import Alert
from cabestan.domain.observed import Condition, Seen
from cabestan.domain.outbox import Subject
from cabestan.domain.project import Project
from cabestan.domain.route import Probe, RouteAnswer
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.target import LOCAL
from cabestan.domain.uptime import HOUR, Tally, hour_of
from cabestan.engine.deploying import settings
from cabestan.engine.observing.availability import Answering, answering, fold_uptime
from cabestan.engine.observing.observer import observe
from cabestan.engine.observing.recording import Recorder
from cabestan.engine.observing.uptime import Uptime
from cabestan.store import alerts, observations
from cabestan.store import uptime as store
from cabestan.store.schema import environments

GOOD, WRONG = RouteAnswer(200, milliseconds=12), RouteAnswer(502, milliseconds=3)


class Router:
    """Answers as it is told, by its own route."""

    def __init__(self) -> None:
        self.answers = GOOD
        self.mark = ""
        self.asked: list[Probe] = []

    def __call__(self, wanted: Probe) -> RouteAnswer:
        self.asked.append(wanted)
        mark = self.mark or (wanted.marks[0] if wanted.marks else "")
        answer = self.answers
        return RouteAnswer(answer.status, mark, answer.milliseconds, answer.trouble, answer.reached)


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
def project(world: World) -> Project:
    """Its staging is deployed."""
    made = world.project()
    world.released(made)
    return made


@pytest.fixture
def changed() -> list[str]:
    return []


@pytest.fixture
def uptime(world: World, project: Project, router: Router, changed: list[str]) -> Any:
    return Uptime(world.services, changed.append, {LOCAL: router})


def ask(world: World, uptime: Uptime, *answers: RouteAnswer, router: Router) -> None:
    """One a minute."""
    for answer in answers:
        world.clock.now += timedelta(minutes=1)
        router.answers = answer
        uptime.ask_all()


def known(world: World, project: Project) -> Answering:
    with world.services.database.reading() as tx:
        return answering(world.services, tx, world.environment(project, "staging"))


def seen(world: World, project: Project) -> Seen:
    """Swarm says that all runs."""
    world.stacks.states.append(healthy("s", ("app",)))
    observe(world.services, Recorder(world.services))
    with world.services.database.reading() as tx:
        found = observations.find(tx, world.environment(project, "staging").id)
    assert found
    return found


def raised(world: World) -> tuple[Alert, ...]:
    with world.services.database.reading() as tx:
        return alerts.all_open(tx)


def test_what_comes_is_counted_by_route(world: World, project: Project, uptime: Uptime, router: Router) -> None:
    ask(world, uptime, GOOD, WRONG, GOOD, router=router)
    (route,) = known(world, project).routes
    domain = world.environment(project, "staging").full_domain("localhost")
    assert (route.route, route.service, route.down) == (f"{domain}/", "app", False)
    assert (route.day.asked, route.day.down_minutes, route.day.availability) == (3, 1, 66.66)
    assert route.month.asked == 3
    assert 10 < (route.day.median or 0) <= 15


def test_one_wrong_answer_is_no_outage_two_are_and_a_good_one_ends_it(
    world: World, project: Project, uptime: Uptime, router: Router, changed: list[str]
) -> None:
    ask(world, uptime, WRONG, GOOD, router=router)
    assert (known(world, project).outages, changed) == ((), [])
    ask(world, uptime, WRONG, WRONG, WRONG, router=router)
    ((outage,), (route,)) = known(world, project).outages, known(world, project).routes
    stack = world.environment(project, "staging").stack_name("cabestan")
    assert (outage.reason, outage.ended_at, route.down) == (f"{outage.route} answers 502", None, True)
    assert changed == [stack]
    ask(world, uptime, GOOD, router=router)
    (over,) = known(world, project).outages
    assert over.ended_at
    assert over.ended_at - over.began_at > timedelta(minutes=2), "it began with the first wrong answer"
    assert changed == [stack, stack]


def test_what_runs_and_does_not_answer_is_down_with_one_alert_that_ends_by_itself(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    ask(world, uptime, WRONG, router=router)
    assert (seen(world, project).condition, raised(world)) == (Condition.SERVING, ())
    ask(world, uptime, WRONG, router=router)
    down = seen(world, project)
    assert (down.condition, down.services[0].running) == (Condition.DOWN, 1)
    (alert,) = raised(world)
    assert "app: 1 of 1 run, but " in alert.message
    assert "answers 502" in alert.message
    ask(world, uptime, WRONG, router=router)
    seen(world, project)
    assert raised(world) == (alert,), "it is told once"
    ask(world, uptime, GOOD, router=router)
    assert (seen(world, project).condition, raised(world)) == (Condition.SERVING, ())


def test_a_server_that_starts_again_tells_nothing_twice(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    ask(world, uptime, WRONG, WRONG, router=router)
    seen(world, project)
    (alert,) = raised(world)
    again = Uptime(world.services, routers={LOCAL: router})
    assert seen(world, project).condition is Condition.DOWN
    ask(world, again, WRONG, WRONG, router=router)
    seen(world, project)
    assert (len(known(world, project).outages), raised(world)) == (1, (alert,))
    ask(world, again, GOOD, router=router)
    assert seen(world, project).condition is Condition.SERVING


def test_that_the_router_is_away_is_downtime_and_no_alert_of_each_application(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    away = RouteAnswer(trouble="gets no answer, for the router is not there", reached=False)
    ask(world, uptime, away, away, away, router=router)
    assert (known(world, project).routes[0].day.down_minutes, known(world, project).outages) == (3, ())


@pytest.mark.parametrize("changes", [{"uptime": False}, {"uptime_path": "/health"}])
def test_what_is_not_asked_any_more_ends_its_outage(
    world: World, project: Project, uptime: Uptime, router: Router, changes: dict[str, Any]
) -> None:
    ask(world, uptime, WRONG, WRONG, router=router)
    settings.set_environment(world.services, project, "staging", ADMIN, **changes)
    router.asked.clear()
    ask(world, uptime, GOOD, router=router)
    assert [probe.path for probe in router.asked] == ([changes["uptime_path"]] if "uptime_path" in changes else [])
    assert [outage.ended_at is None for outage in known(world, project).outages] == [False]
    assert seen(world, project).condition is Condition.SERVING


def test_the_status_that_is_expected_decides(world: World, project: Project, uptime: Uptime, router: Router) -> None:
    settings.set_environment(world.services, project, "staging", ADMIN, uptime_path="/health", uptime_status=204)
    ask(world, uptime, RouteAnswer(200), RouteAnswer(200), router=router)
    (outage,) = known(world, project).outages
    assert outage.reason.endswith("/health answers 200 instead of 204")
    ask(world, uptime, RouteAnswer(204), router=router)
    assert known(world, project).routes[0].down is False


def test_what_is_stopped_is_not_asked(world: World, project: Project, uptime: Uptime, router: Router) -> None:
    with world.services.database.writing() as tx:
        stopped = Seen(Condition.STOPPED, world.clock())
        observations.put(tx, world.environment(project, "staging").id, stopped)
    ask(world, uptime, WRONG, WRONG, router=router)
    assert (router.asked, known(world, project).routes[0].day.asked) == ([], 0)


def test_what_is_on_a_target_that_is_not_there_any_more_is_not_asked(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    with world.services.database.writing() as tx:
        tx.execute(sa.update(environments).values(target="gone"))
    ask(world, uptime, WRONG, WRONG, router=router)
    assert router.asked == []


def test_what_was_stopped_between_ask_and_answer_counts_for_nothing(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    (wanted,) = uptime.wanted()
    with world.services.database.writing() as tx:
        observations.put(tx, wanted.environment.id, Seen(Condition.STOPPED, world.clock()))
    assert uptime._outages.judge(wanted, WRONG, world.clock()) is None


def test_another_deployment_begins_anew(world: World, project: Project, uptime: Uptime, router: Router) -> None:
    (former,) = uptime.wanted()
    ask(world, uptime, WRONG, WRONG, router=router)
    world.released(project)
    assert seen(world, project).condition is Condition.SERVING, "its routes were asked by its own deployment"
    assert uptime._outages.judge(former, WRONG, world.clock()) is None
    ask(world, uptime, WRONG, router=router)
    assert seen(world, project).condition is Condition.SERVING
    ask(world, uptime, WRONG, router=router)
    assert seen(world, project).condition is Condition.DOWN
    assert [outage.ended_at is None for outage in known(world, project).outages] == [True, False]


def test_while_a_deployment_runs_its_routes_may_answer_and_failures_count_without_an_alert(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    (deployment,) = world.deployments(world.environment(project, "staging"))
    with world.services.database.writing() as tx:
        set_status(tx, Subject.DEPLOYMENT, deployment.id, DeploymentStatus.RUNNING)
    router.mark = "another"
    ask(world, uptime, GOOD, router=router)
    assert known(world, project).routes[0].day.down_minutes == 0
    ask(world, uptime, WRONG, WRONG, router=router)
    seen(world, project)
    assert (known(world, project).routes[0].day.down_minutes, raised(world)) == (2, ())


def test_hours_become_days_and_old_days_go(world: World, project: Project) -> None:
    key = world.environment(project, "staging").id
    hour = hour_of(NOW)
    with world.services.database.writing() as tx:
        days = [Tally(hour - days * 24 * HOUR, 1, 60) for days in (0, 5, 40)]
        store.add(tx, {(key, "a.org/"): days})
    fold_uptime(world.services)
    with world.services.database.reading() as tx:
        found = store.of(tx, key, NOW - timedelta(days=99))["a.org/"]
    assert sorted((one.hours, one.good) for one in found) == [(1, 60), (24, 60)]


def test_whose_turn_has_come_is_asked_and_who_has_too_many_under_way_comes_later(
    world: World, project: Project, uptime: Uptime, router: Router
) -> None:
    (wanted,) = uptime.wanted()
    uptime._begin()
    uptime._minute.begun -= 60
    taken = [uptime._takes(wanted) for _ in range(4)]
    uptime._ask_due()
    assert (all(taken), router.asked, len(uptime._minute.waiting)) == (True, [], 1)
    uptime._busy.clear()
    uptime._ask_due()
    for thread in [one for one in threading.enumerate() if one.name == "uptime-ask"]:
        thread.join()
    uptime._round(False)
    uptime.keep()
    assert (len(router.asked), known(world, project).routes[0].day.asked) == (1, 1)


def test_an_application_that_hangs_delays_no_other(world: World, uptime: Uptime) -> None:
    (wanted,) = uptime.wanted()
    assert [uptime._takes(wanted) for _ in range(5)] == [True] * 4 + [False], "four of one at a time"
