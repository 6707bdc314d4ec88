"""Services that run once in each deployment: before the others, once, and in the way when they fail."""

from __future__ import annotations

from collections import deque

import pytest
from tests.engine.fakes import FakeDurable, Killed
from tests.engine.world import COMPOSE, World

from cabestan.adapters.stack_runs import StackRun
from cabestan.domain.deployment import StepKind
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.domain.run import Run
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.upkeep import recovery
from cabestan.store import deployments as store
from cabestan.store import runs
from cabestan.store.variables import Scope

_IMAGE = "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"
TEXT = f"""\
{COMPOSE}\
  seed:
    image: {_IMAGE}
    restart: "no"
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
  migrate:
    image: {_IMAGE}
    restart: "no"
    depends_on: [db]
    environment: {{KEY: "${{KEY:-}}"}}
  db:
    image: {_IMAGE}
"""
STACK = "cabestan-1-shop-api-staging"
SUCCEEDED, FAILED, CANCELED = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED, DeploymentStatus.CANCELED


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


def deploy(world: World, project: Project, text: str = TEXT) -> None:
    world.released(project, **{"docker-compose.yml": text})


def runs_of(world: World, deployment: int) -> list[Run]:
    with world.services.database.reading() as tx:
        return list(runs.of_deployment(tx, deployment))


def steps_of(world: World, deployment: int) -> list[tuple[StepKind, str]]:
    with world.services.database.reading() as tx:
        return [(step.kind, step.status) for step in store.steps_of(tx, deployment)]


def statuses(world: World, project: Project) -> list[tuple[DeploymentStatus, str]]:
    return [(d.status, d.reason) for d in world.deployments(world.environment(project, "staging"))]


def test_they_run_in_order_before_the_stack_and_after_what_they_need(world: World, project: Project) -> None:
    seen: list[tuple[str, list[list[str]]]] = []

    def look(run: StackRun) -> None:
        seen.append((run.service["labels"]["cabestan.service"], world.stacks.called("deploy")))

    world.runs.while_running = look
    deploy(world, project)
    assert dict(seen) == {"migrate": [[STACK, "more"]], "seed": [[STACK, "more"]]}
    assert world.stacks.called("deploy") == [[STACK, "more"], [STACK]]
    assert steps_of(world, 1) == [
        (StepKind.PULL, "succeeded"),
        (StepKind.START, "succeeded"),
        (StepKind.RUN, "succeeded"),
        (StepKind.RUN, "succeeded"),
        (StepKind.APPLY, "succeeded"),
        (StepKind.WATCH, "succeeded"),
        (StepKind.ROUTES, "succeeded"),
    ]
    assert [(run.service, run.status.value, run.kind.value) for run in runs_of(world, 1)] == [
        ("migrate", "succeeded", "one-shot"),
        ("seed", "succeeded", "one-shot"),
    ]
    assert world.runs.there == {}


def test_volumes_are_made_before_what_uses_them_first(world: World, project: Project) -> None:
    mounts = TEXT.replace("  migrate:\n", "  migrate:\n    volumes: [./data:/data]\n")
    deploy(world, project, mounts.replace("  db:\n", "  db:\n    volumes: [./db:/db]\n"))
    data, db = f"{STACK}_data", f"{STACK}_db"
    assert [call for call in world.stacks.calls if call[0] in ("deploy", "ensure_volumes")] == [
        ("ensure_volumes", STACK, db, data),
        ("deploy", STACK, "more"),
        ("ensure_volumes", STACK, data),
        ("ensure_volumes", STACK),
        ("ensure_volumes", STACK, db, data),
        ("deploy", STACK),
    ]
    assert "nocopy: true" in world.stacks.deployed[STACK]


def test_what_the_previous_release_runs_is_not_started_first(world: World, project: Project) -> None:
    deploy(world, project)
    deploy(world, project)
    second = world.deployments(world.environment(project, "staging"))[-1]
    assert [kind for kind, _ in steps_of(world, second.id)] == [
        StepKind.PULL,
        StepKind.RUN,
        StepKind.RUN,
        StepKind.APPLY,
        StepKind.WATCH,
        StepKind.ROUTES,
    ]
    assert len(runs_of(world, second.id)) == 2


def test_they_get_the_secrets_of_the_deployment_and_their_log_does_not_show_them(
    world: World, project: Project
) -> None:
    settings.put(world.services, Scope(project.id, ""), "KEY", "cabestan-run-1-1", "dev", secret=True)
    deploy(world, project)
    assert [run.secrets for run in world.runs.started] == [{"KEY": "cabestan-run-1-1"}] * 2
    log = b"".join(world.services.logs.reader("run-1").chunks(0)).decode()
    assert "cabestan-run-1-1" not in log
    assert "says so" in log


def test_a_failure_at_the_first_deployment_takes_away_what_was_begun(world: World, project: Project) -> None:
    world.runs.exits["migrate"] = deque([Exit(3)])
    deploy(world, project)
    ((status, reason),) = statuses(world, project)
    assert status is FAILED
    assert reason.startswith("migrate failed: Exit code 3. Its last line: cabestan-run-1-1 says so")
    assert "`cabestan deployment log 1 migrate`" in reason
    assert world.stacks.deployed == {}
    assert world.stacks.networks == {}
    assert [run.service for run in runs_of(world, 1)] == ["migrate"]


def test_a_failure_later_leaves_what_serves_untouched(world: World, project: Project) -> None:
    deploy(world, project)
    before = world.stacks.called("deploy")
    world.runs.exits["seed"] = deque([Exit(1)])
    deploy(world, project)
    assert [status for status, _ in statuses(world, project)] == [SUCCEEDED, FAILED]
    assert world.stacks.called("deploy") == before
    assert world.environment(project, "staging").current_deployment_id == 1
    second = world.deployments(world.environment(project, "staging"))[-1]
    assert steps_of(world, second.id)[-1] == (StepKind.RUN, "failed")


def test_a_container_that_is_taken_away_is_not_started_again(world: World, project: Project) -> None:
    world.runs.exits["migrate"] = deque([Exit(137)])
    deploy(world, project)
    assert [status for status, _ in statuses(world, project)] == [FAILED]
    assert [run.name for run in world.runs.started] == ["cabestan-run-1-1"]


def test_one_that_breaks_in_an_unforeseen_way_does_not_run_for_ever(world: World, project: Project) -> None:
    world.runs.fail("container", KeyError("nobody foresaw this"))
    deploy(world, project)
    assert [status for status, _ in statuses(world, project)] == [FAILED]
    assert [run.status.value for run in runs_of(world, 1)] == ["failed"]
    assert world.runs.there == {}


def test_canceling_the_deployment_stops_them(world: World, project: Project) -> None:
    asked: list[str] = []

    def cancel(run: StackRun) -> None:
        if not asked:
            asked.append(run.name)
            deployments.cancel(world.services, 1, "ann")

    world.runs.while_running = cancel
    deploy(world, project)
    assert statuses(world, project) == [(CANCELED, "Canceled.")]
    assert [run.status.value for run in runs_of(world, 1)] == ["canceled"]
    assert world.runs.there == {}


def test_putting_back_runs_nothing_and_a_rollback_runs_the_earlier_releases_own(world: World, project: Project) -> None:
    deploy(world, project)
    world.wrong_routes["staging-api-shop.localhost"] = "502"
    deploy(world, project)
    world.wrong_routes.clear()
    assert [status for status, _ in statuses(world, project)] == [SUCCEEDED, DeploymentStatus.ROLLED_BACK]
    assert len(world.runs.started) == 4
    boss = world.user("boss", admin=True)
    back = deployments.roll_back(world.services, world.environment(project, "staging"), 1, boss)
    world.durable.run()
    assert world.deployment(back.id).status is SUCCEEDED
    assert [run.service for run in runs_of(world, back.id)] == ["migrate", "seed"]


PLACES = [
    f"{step}:{edge}"
    for step in ("deployment.start", "deployment.run")
    for edge in ("before", "done, not recorded", "after")
]


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_at_any_place_runs_each_once(world: World, project: Project, place: str) -> None:
    durable: FakeDurable = world.durable
    durable.kill_at = place
    world.push(project, **{"docker-compose.yml": TEXT})
    intake.take_pushes(world.services, project, "dev")
    with pytest.raises(Killed):
        durable.run()
    durable.recover()
    recovery.reconcile(world.services)
    durable.run()
    assert [status for status, _ in statuses(world, project)] == [SUCCEEDED]
    assert [run.name for run in world.runs.started] == ["cabestan-run-1-1", "cabestan-run-2-1"]
    assert world.runs.there == {}


def test_what_a_lost_deployment_ran_has_failed_with_it(world: World, project: Project) -> None:
    durable: FakeDurable = world.durable
    durable.kill_at = "deployment.run:before"
    world.push(project, **{"docker-compose.yml": TEXT})
    intake.take_pushes(world.services, project, "dev")
    with pytest.raises(Killed):
        durable.run()
    with world.services.database.writing() as tx:
        runs.add_one_shot(
            tx,
            project_id=project.id,
            environment_id=1,
            deployment_id=1,
            service="migrate",
            by="dev",
            seconds=1,
            now=world.clock(),
        )
    durable.ended.append("deployment-1")
    recovery.reconcile(world.services)
    assert [status for status, _ in statuses(world, project)] == [FAILED]
    assert [run.status.value for run in runs_of(world, 1)] == ["failed"]
