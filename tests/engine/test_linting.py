"""The first job of a pipeline, from a push to its log."""

from __future__ import annotations

import pytest
from tests.engine.test_pipelines import begun, statuses
from tests.engine.world import COMPOSE, FILES, World
from tests.samples import ADMIN

from cabestan.domain.pipeline import JobKind, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.status import RunStatus
from cabestan.engine.building import intake, linting, pipelines
from cabestan.engine.deploying import settings, waivers
from cabestan.engine.turns.places import Kind
from cabestan.store import pipelines as store
from cabestan.store import projects
from cabestan.store.variables import Scope

FAILED, SKIPPED, SUCCEEDED = RunStatus.FAILED, RunStatus.SKIPPED, RunStatus.SUCCEEDED
GOOD = FILES | {"Dockerfile": "FROM cabestan/python:3.11\nUSER 1001\n"}
PRIVILEGED = GOOD | {"docker-compose.yml": f"{COMPOSE}    privileged: true\n    cap_drop: [ALL]\n"}


def project_of(world: World, pipeline: Pipeline) -> Project:
    with world.services.database.reading() as tx:
        return projects.by_id(tx, pipeline.project_id)


def test_an_error_ends_the_pipeline_before_anything_is_built(world: World) -> None:
    made = begun(world, PRIVILEGED)
    world.durable.run()
    ended = world.pipeline(made.id)
    assert statuses(world, made) == {"lint": FAILED, "build": SKIPPED}
    assert ended.status is FAILED
    assert ended.reason.startswith("lint: docker-compose.yml:12:5 services.app.privileged: privileged is not allowed.")
    assert ended.reason.endswith("1 more: see the log.")
    assert world.jobs.called("start") == []


def test_its_log_shows_every_finding_in_colour_with_the_line(world: World) -> None:
    made = begun(world, PRIVILEGED)
    world.durable.run()
    lint, _ = world.jobs_of(made)
    log = world.log(lint)
    assert lint.spec.kind is JobKind.LINT
    assert "Checking docker-compose.yml of commit" in log
    assert "for staging, production" in log
    assert "\x1b[1;31merror:\x1b[0m privileged is not allowed." in log
    assert "    privileged: true\n" in log
    assert "2 errors" in log


def test_warnings_are_shown_and_hold_nothing_up(world: World) -> None:
    made = begun(world, GOOD | {"docker-compose.yml": COMPOSE.replace("expose: [8000]", "ports: ['80:8000']")})
    world.durable.run()
    lint, _ = world.jobs_of(made)
    assert world.pipeline(made.id).status is SUCCEEDED
    assert "ports-deprecated" in world.log(lint)


def test_a_project_without_environments_for_the_branch_is_checked_as_well(world: World) -> None:
    project = world.project()
    world.push(project, PRIVILEGED, branch="topic")
    (made,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    assert statuses(world, made)["lint"] is FAILED


def test_a_file_that_cannot_be_read_fails_the_checks_with_the_reason(world: World) -> None:
    made = begun(world, GOOD | {"docker-compose.yml": "services: [\n"})
    world.durable.run()
    assert statuses(world, made) == {"lint": FAILED}
    assert "docker-compose.yml:2:1" in world.pipeline(made.id).reason


def test_a_secret_in_a_finding_is_masked_in_the_log(world: World) -> None:
    made = begun(world, GOOD | {"docker-compose.yml": f"{COMPOSE}    restart: canary-in-the-file\n"})
    scope = Scope(project_of(world, made).id)
    settings.put(world.services, scope, "KEY", "canary-in-the-file", "dev", secret=True)
    world.durable.run()
    lint, _ = world.jobs_of(made)
    assert "canary-in-the-file" not in world.log(lint)


def test_a_waived_rule_lets_the_retried_pipeline_through(world: World) -> None:
    world.user("admin", admin=True)
    made = begun(world, GOOD | {"docker-compose.yml": f"{COMPOSE}    cap_drop: [ALL]\n"})
    world.durable.run()
    assert statuses(world, made) == {"lint": FAILED, "build": SKIPPED}
    project = project_of(world, made)
    waivers.waive(world.services, project, "no-cap-drop", "an old script", "admin")
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert statuses(world, made) == {"lint": SUCCEEDED, "build": SUCCEEDED}
    lint, _ = world.jobs_of(made)
    assert "(waived by admin on 2024-05-06: an old script)" in world.log(lint)
    (deployment,) = world.deployments(world.environment(project, "staging"))
    assert "cap_drop" not in world.plan(deployment).stack
    assert any("no-cap-drop" in w or "cap_drop" in w for w in world.plan(deployment).warnings)


def test_what_could_not_be_planned_is_planned_again_by_a_retry(world: World) -> None:
    """An environment named a file that is none; then it was given another."""
    project = world.project()
    settings.set_environment(world.services, project, "staging", ADMIN, compose_files=("broken.yml",))
    world.push(project, GOOD | {"broken.yml": "services: [\n"})
    (made,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    assert statuses(world, made) == {"lint": FAILED}
    settings.set_environment(world.services, project, "staging", ADMIN, compose_files=())
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert statuses(world, made) == {"lint": SUCCEEDED, "build": SUCCEEDED}
    assert world.pipeline(made.id).status is SUCCEEDED


def test_a_cancel_while_it_checks_ends_it_as_canceled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begun(world, GOOD)
    check = linting.check

    def canceled_meanwhile(*given):
        pipelines.cancel(world.services, made.id)
        return check(*given)

    monkeypatch.setattr(linting, "check", canceled_meanwhile)
    world.durable.run()
    assert statuses(world, made) == {"lint": RunStatus.CANCELED, "build": RunStatus.CANCELED}
    assert world.pipeline(made.id).status is RunStatus.CANCELED


def test_writing_the_log_again_after_a_kill_doubles_nothing(world: World) -> None:
    made = begun(world, PRIVILEGED)
    world.durable.run()
    lint, _ = world.jobs_of(made)
    before = world.log(lint)
    outcome = linting.lint(world.services, lint.id)
    assert linting.write_log(world.services, lint.id, 1, outcome)["status"] == "failed"
    assert world.log(lint) == before


def test_checks_take_no_place_from_other_jobs(world: World) -> None:
    made = begun(world, GOOD)
    world.durable.run()
    kinds = [world.durable.turns[f"job-{job.id}-1"].kind for job in world.jobs_of(made)]
    assert kinds == [Kind.CHECK, Kind.JOB]


def test_the_checks_are_planned_once(world: World) -> None:
    made = begun(world, GOOD)
    world.durable.run()
    with world.services.database.reading() as tx:
        assert [job.name for job in store.jobs_of(tx, made.id)] == ["lint", "build"]
