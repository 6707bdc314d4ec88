"""Schedules with a clock of the test's own: due, late, overlapping, paused, replaced by another release."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from tests.engine.fakes import FakeDurable, Killed
from tests.engine.world import COMPOSE, World
from tests.samples import ADMIN, NOW, set_status

from cabestan.config import Settings
from cabestan.domain.outbox import Subject
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Schedule
from cabestan.domain.status import RunStatus
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.running import cron, cron_runs
from cabestan.engine.upkeep import doctor
from cabestan.engine.upkeep.doctor import Finding, Health
from cabestan.engine.upkeep.housekeeping import drop_runs
from cabestan.errors import Conflict
from cabestan.store import alerts, runs, schedules

CREATED, RUNNING = RunStatus.CREATED, RunStatus.RUNNING
_P = "sh.factory.cronjob."


def with_cron(name: str = "tidy", schedule: str = "0 * * * *", **labels: str) -> str:
    every = {"schedule": schedule, "command": "echo $$HOME", **labels}
    lines = "".join(f"      {_P}{label}: {value!r}\n" for label, value in every.items())
    return f"{COMPOSE}  {name}:\n    image: ${{CI_REGISTRY_IMAGE}}:${{CI_COMMIT_SHA}}\n    labels:\n{lines}"


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


def deploy(world: World, project: Project, text: str) -> None:
    world.released(project, **{"docker-compose.yml": text})


def the_schedule(world: World, project: Project) -> Schedule:
    with world.services.database.reading() as tx:
        (found,) = schedules.of_project(tx, project.id)
    return found


def runs_of(world: World, key: int = 1) -> list[Run]:
    """The oldest first."""
    with world.services.database.reading() as tx:
        return list(runs.of_schedule(tx, key)[::-1])


def told(world: World, key: int = 1) -> list[tuple[str, str]]:
    return [(run.status.value, run.cause.value) for run in runs_of(world, key)]


def open_alerts(world: World) -> list[tuple[str, str]]:
    with world.services.database.reading() as tx:
        return [(alert.kind, alert.subject) for alert in alerts.all_open(tx)]


def pass_time(world: World, until: datetime) -> int:
    """The clock comes to this time, and what is due then is fired and run; how many were due."""
    world.clock.now = until
    fired = cron.fire(world.services, [1, 2, 3])
    cron_runs.start_waiting(world.services)
    world.durable.run()
    return fired


def at(hour: int, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute, second=0, microsecond=0)


def test_a_schedule_comes_with_the_release_and_runs_when_due(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    made = the_schedule(world, project)
    assert (made.service, made.timetable.expression, made.timetable.seconds) == ("tidy", "0 * * * *", 3600)
    assert made.next_due == at(NOW.hour + 1)
    assert "tidy" not in world.stacks.deployed["cabestan-1-shop-api-staging"].partition("x-cabestan")[0]
    assert pass_time(world, at(NOW.hour, 59)) == 0
    assert pass_time(world, at(NOW.hour + 1)) == 1
    assert told(world) == [("succeeded", "due")]
    (run,) = runs_of(world)
    assert run.due_at == at(NOW.hour + 1)
    (started,) = world.runs.started
    assert started.service["command"] == ["bash", "-c", "echo $$HOME"]
    assert world.runs.there == {}
    assert pass_time(world, at(NOW.hour + 1, 1)) == 0


def test_after_an_absence_the_last_time_is_made_up_for_once_and_told(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    pass_time(world, at(NOW.hour + 5, 30))
    assert told(world) == [("succeeded", "catch-up")]
    assert runs_of(world)[0].due_at == at(NOW.hour + 5)
    assert open_alerts(world) == [("cron-missed", "shop/api staging tidy")]
    pass_time(world, at(NOW.hour + 6))
    assert told(world)[1:] == [("succeeded", "due")]
    assert open_alerts(world) == []


def test_a_few_seconds_late_is_on_time(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    pass_time(world, at(NOW.hour + 1) + timedelta(seconds=20))
    assert told(world) == [("succeeded", "due")]
    assert open_alerts(world) == []


def test_a_due_time_has_one_run_also_when_the_clock_is_put_back(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    pass_time(world, at(NOW.hour + 1))
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=at(NOW.hour + 1))
    pass_time(world, at(NOW.hour + 1))
    assert told(world) == [("succeeded", "due")]


def begin(world: World, moment: datetime) -> None:
    """What is due is fired and takes its turn; its workflow waits, as a long run would."""
    world.clock.now = moment
    cron.fire(world.services, [1])
    cron_runs.start_waiting(world.services)


def test_what_is_due_while_a_run_goes_on_is_skipped(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    begin(world, at(NOW.hour + 1))
    begin(world, at(NOW.hour + 2))
    world.durable.run()
    assert told(world) == [("succeeded", "due"), ("skipped", "due")]
    assert "forbids two at once" in runs_of(world)[1].reason
    assert open_alerts(world) == []


def test_two_may_run_at_once_where_the_label_allows_it(world: World, project: Project) -> None:
    deploy(world, project, with_cron(overlap="allow"))
    begin(world, at(NOW.hour + 1))
    begin(world, at(NOW.hour + 2))
    assert told(world) == [("running", "due"), ("running", "due")]
    world.durable.run()
    assert told(world) == [("succeeded", "due"), ("succeeded", "due")]


def test_a_newer_run_takes_the_place_of_the_older_where_the_label_says_so(world: World, project: Project) -> None:
    deploy(world, project, with_cron(overlap="replace"))
    begin(world, at(NOW.hour + 1))
    begin(world, at(NOW.hour + 2))
    assert told(world) == [("running", "due"), ("created", "due")]
    world.durable.run()
    assert told(world) == [("canceled", "due"), ("succeeded", "due")]
    assert runs_of(world)[0].reason == "Replaced by run 2, which was due."


def test_a_run_that_failed_is_told_until_one_succeeds(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    world.runs.exits["tidy"] = deque([Exit(3)])
    pass_time(world, at(NOW.hour + 1))
    assert told(world) == [("failed", "due")]
    assert runs_of(world)[0].reason == "Exit code 3. Its last line: cabestan-run-1-1 says so"
    assert open_alerts(world) == [("cron", "shop/api staging tidy")]
    with world.services.database.reading() as tx:
        assert alerts.all_open(tx)[0].words.splitlines()[0] == "cabestan-run-1-1 says so"
    pass_time(world, at(NOW.hour + 2))
    assert open_alerts(world) == []


def test_a_failed_attempt_is_tried_again_as_often_as_the_label_says(world: World, project: Project) -> None:
    deploy(world, project, with_cron(retries="2"))
    world.runs.exits["tidy"] = deque([Exit(1), Exit(2)])
    pass_time(world, at(NOW.hour + 1))
    (run,) = runs_of(world)
    assert (run.status, run.attempt) == ("succeeded", 3)
    assert [started.name for started in world.runs.started] == [f"cabestan-run-1-{n}" for n in (1, 2, 3)]
    assert open_alerts(world) == []


def test_a_container_that_is_taken_away_is_not_started_again_unasked(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    world.runs.exits["tidy"] = deque([Exit(137)])
    pass_time(world, at(NOW.hour + 1))
    (run,) = runs_of(world)
    assert (run.status, run.reason) == ("failed", "The container was ended from outside (exit code 137).")
    assert len(world.runs.started) == 1


def test_now_is_beside_the_times_and_forbidden_while_one_goes_on(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    cron.run_now(world.services, 1, "ann")
    with pytest.raises(Conflict, match="has not ended, and its schedule forbids two at once"):
        cron.run_now(world.services, 1, "ann")
    world.durable.run()
    (run,) = runs_of(world)
    assert (run.status, run.cause, run.by, run.due_at) == ("succeeded", "asked", "ann", None)
    assert the_schedule(world, project).next_due == at(NOW.hour + 1)


def test_a_paused_schedule_rests_and_makes_nothing_up(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    assert cron.pause(world.services, 1, "ann").paused_by == "ann"
    pass_time(world, at(NOW.hour + 3, 30))
    deploy(world, project, with_cron(timeout="5m"))
    paused = the_schedule(world, project)
    assert (paused.paused_by, paused.next_due, paused.timetable.seconds) == ("ann", None, 300)
    assert cron.resume(world.services, 1).next_due == at(NOW.hour + 4)
    pass_time(world, at(NOW.hour + 4))
    assert told(world) == [("succeeded", "due")]


def test_a_canceled_run_stops(world: World, project: Project) -> None:
    deploy(world, project, with_cron(retries="5"))
    begin(world, at(NOW.hour + 1))
    assert cron_runs.cancel(world.services, 1, "ann").status == "running"
    world.durable.run()
    assert [(run.status, run.reason) for run in runs_of(world)] == [("canceled", "Canceled by ann.")]
    with pytest.raises(Conflict, match="has ended already"):
        cron_runs.cancel(world.services, 1, "ann")


def test_schedules_follow_the_release_that_serves(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    first = the_schedule(world, project)
    world.stacks.fail("deploy", Conflict("no", ""))
    deploy(world, project, with_cron("other"))
    assert the_schedule(world, project) == first  # that deployment failed
    deploy(world, project, with_cron(schedule="30 4 * * *"))
    changed = the_schedule(world, project)
    assert (changed.id, changed.timetable.expression) == (first.id, "30 4 * * *")
    deploy(world, project, COMPOSE)
    with world.services.database.reading() as tx:
        assert schedules.of_project(tx, project.id) == ()
        assert schedules.waiting(tx) == ()
    with pytest.raises(Conflict, match="no schedule tidy any more"):
        cron.run_now(world.services, first.id, "ann")
    boss = world.user("boss", admin=True)
    deployments.roll_back(world.services, world.environment(project, "staging"), 1, boss)
    world.durable.run()
    back = the_schedule(world, project)
    assert (back.id, back.timetable.expression, back.next_due) == (first.id, "0 * * * *", at(NOW.hour + 1))


def test_a_deployment_in_between_skips_no_time(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    world.clock.now = at(NOW.hour + 1)
    deploy(world, project, with_cron(timeout="5m"))
    assert the_schedule(world, project).next_due == at(NOW.hour + 1)


def test_a_schedule_is_read_in_the_time_zone_of_its_environment(world: World, project: Project) -> None:
    deploy(world, project, with_cron(schedule="0 12 * * *"))
    assert the_schedule(world, project).next_due == at(12)
    settings.set_environment(world.services, project, "staging", ADMIN, time_zone="Europe/Paris")
    assert the_schedule(world, project).next_due == at(10)
    with pytest.raises(Exception, match="There is no time zone"):
        settings.set_environment(world.services, project, "staging", ADMIN, time_zone="Europe/Nowhere")


PLACES = [f"{step}:{edge}" for step in ("cron.run", "cron.end") for edge in ("before", "done, not recorded", "after")]


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_at_any_place_leaves_one_run_per_due_time(world: World, project: Project, place: str) -> None:
    durable: FakeDurable = world.durable
    deploy(world, project, with_cron(retries="1"))
    world.runs.exits["tidy"] = deque([Exit(1)])
    durable.kill_at = place
    with pytest.raises(Killed):
        pass_time(world, at(NOW.hour + 1))
    durable.recover()
    cron_runs.reconcile(world.services)
    durable.run()
    assert [(run.status.value, run.attempt) for run in runs_of(world)] == [("succeeded", 2)]
    assert [started.name for started in world.runs.started] == ["cabestan-run-1-1", "cabestan-run-1-2"]
    assert world.runs.there == {}


def test_a_run_that_took_its_turn_and_was_not_started_is_started_after_a_kill(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    world.clock.now = at(NOW.hour + 1)
    cron.fire(world.services, [1])
    with world.services.database.writing() as tx:
        set_status(tx, Subject.RUN, 1, "running")
    cron_runs.reconcile(world.services)
    world.durable.run()
    assert told(world) == [("succeeded", "due")]


def test_a_run_of_a_lost_workflow_has_failed(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    begin(world, at(NOW.hour + 1))
    world.durable.waiting.clear()
    world.durable.ended.append("cron-1")
    cron_runs.reconcile(world.services)
    assert [(run.status, run.reason) for run in runs_of(world)] == [
        ("failed", "Its work was lost in a restart. Run it again.")
    ]


def test_a_run_that_takes_its_turn_during_a_look_is_not_taken_for_lost(
    world: World, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(world, project, with_cron())
    world.clock.now = at(NOW.hour + 1)
    alive, looks = world.durable.alive, []

    def look() -> frozenset[str]:
        """The clock is faster: after the look a run is due and has its turn, but no workflow yet."""
        found = alive()
        looks.append(found)
        if len(looks) == 1:
            cron.fire(world.services, [1])
            with world.services.database.writing() as tx:
                set_status(tx, Subject.RUN, 1, "running")
        return found

    monkeypatch.setattr(world.durable, "alive", look)
    cron_runs.reconcile(world.services)
    assert told(world) == [("running", "due")]
    cron_runs.reconcile(world.services)
    world.durable.run()
    assert told(world) == [("succeeded", "due")]


@pytest.mark.parametrize(("overlap", "waiting"), [("allow", [2, 3]), ("replace", [])])
def test_of_those_that_wait_only_as_many_are_read_as_can_begin(
    world: World, project: Project, overlap: str, waiting: list[int]
) -> None:
    deploy(world, project, with_cron(overlap=overlap))
    schedule = the_schedule(world, project)
    with world.services.database.writing() as tx:
        for hour in range(4):
            row = runs.scheduled(schedule, due_at=at(hour), cause=Cause.DUE, by="", now=NOW)
            runs.add_one(tx, row)
        set_status(tx, Subject.RUN, 1, "running")
        assert [run.id for run in runs.running_of_schedules(tx)] == [1]
        assert [run.id for run in runs.waiting_of_schedules(tx, 2)] == waiting
        assert [run.id for run in runs.open_of_schedule(tx, schedule.id)] == [1, 2, 3, 4]


def run(key: int, schedule: int, status: RunStatus, project: int = 1) -> Run:
    place = {"project_id": project, "project": "", "environment_id": 1, "environment": "", "deployment_id": 1}
    place["target"] = "local"
    times = {"due_at": None, "created_at": NOW}
    more = {"release": 1, "service": "", "by": "", "reason": "", "attempt": 1, "attempts": 1, "seconds": 1}
    return Run(id=key, kind="cron", schedule_id=schedule, cause="due", status=status, **place, **times, **more)  # type: ignore[arg-type]


def test_the_places_for_runs_go_round_between_the_projects() -> None:
    flood = tuple(run(key, key, CREATED) for key in range(3, 20))
    others = (run(20, 20, CREATED, project=2), run(21, 21, CREATED, project=3))
    present = (run(1, 1, RUNNING), run(2, 2, RUNNING), *flood, *others)
    assert [r.id for r in cron_runs.next_runs(present, frozenset(), 3)] == [20]
    assert [r.id for r in cron_runs.next_runs(present, frozenset(), 3, {2: 7, 3: 5})] == [21]
    assert [r.id for r in cron_runs.next_runs(present, frozenset(), 8)] == [20, 21, 3, 4, 5, 6]


def test_a_project_with_many_runs_that_wait_hides_none_of_another(world: World, project: Project) -> None:
    other = world.project("shop/web")
    for one in (project, other):
        deploy(world, one, with_cron())
    with world.services.database.writing() as tx:
        (flooding,), (quiet,) = schedules.of_project(tx, project.id), schedules.of_project(tx, other.id)
        for hour in range(4):
            runs.add_one(tx, runs.scheduled(flooding, due_at=at(hour), cause=Cause.DUE, by="", now=NOW))
        runs.add_one(tx, runs.scheduled(quiet, due_at=at(1), cause=Cause.DUE, by="", now=NOW))
        assert [one.id for one in runs.waiting_of_schedules(tx, 2)] == [1, 5, 2]


def test_as_many_go_on_as_the_settings_say() -> None:
    present = (run(1, 1, RUNNING), run(2, 1, CREATED), run(3, 2, CREATED), run(4, 3, CREATED))
    assert [r.id for r in cron_runs.next_runs(present, frozenset({1}), 3)] == [3, 4]
    assert [r.id for r in cron_runs.next_runs(present, frozenset({1}), 2)] == [3]
    assert [r.id for r in cron_runs.next_runs(present, frozenset(), 3)] == [2, 3]


def test_the_newest_runs_are_kept_with_their_logs(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    for hour in (1, 2, 3):
        pass_time(world, at(NOW.hour + hour))
    object.__setattr__(world.services.settings, "kept_runs", 2)
    drop_runs(world.services)
    assert [run.id for run in runs_of(world)] == [2, 3]
    sizes = [world.services.logs.reader(f"run-{key}").size() for key in (1, 2, 3)]
    assert [size > 0 for size in sizes] == [False, True, True]


def test_the_doctor_tells_of_schedules_that_nobody_looks_after(world: World, project: Project) -> None:
    deploy(world, project, with_cron())
    url = world.services.database.url.render_as_string(hide_password=False)
    told = world.services.settings.model_copy(update={"database_url": SecretStr(url)})
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=datetime.now(UTC) + timedelta(hours=1))
    assert _of_schedules(told) == Finding("schedules", Health.OK, "1 wait for their time")
    with world.services.database.writing() as tx:
        schedules.update(tx, 1, next_due=datetime(2024, 5, 6, 8, tzinfo=UTC))
    found = _of_schedules(told)
    assert (found.health, found.text) == (Health.ERROR, "1 of 1 are overdue, since 2024-05-06 08:00 UTC")


def _of_schedules(told: Settings) -> Finding:
    return doctor._schedules(told)  # the whole examination needs an engine
