from __future__ import annotations

import pytest
from tests.engine.fakes import FakeDurable, Killed
from tests.engine.world import COMPOSE, FILES, World
from tests.samples import set_status

from cabestan.domain.outbox import Subject
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.status import RunStatus
from cabestan.engine.building import intake, pipelines
from cabestan.engine.upkeep import recovery
from cabestan.errors import Conflict, EngineUnavailable, RegistryUnavailable
from cabestan.testing import STEPS

CREATED, RUNNING, SUCCEEDED = RunStatus.CREATED, RunStatus.RUNNING, RunStatus.SUCCEEDED
FAILED, CANCELED, SKIPPED = RunStatus.FAILED, RunStatus.CANCELED, RunStatus.SKIPPED
CHAIN = {"Dockerfile": "FROM cabestan/python:3.11\n", "Dockerfile.web": "FROM shop/api\n"}


def begun(world: World, files: dict[str, str] | None = None) -> Pipeline:
    project = world.project()
    world.push(project, files)
    (made,) = intake.take_pushes(world.services, project, "dev")
    return made


def statuses(world: World, pipeline: Pipeline) -> dict[str, RunStatus]:
    return {job.name: job.status for job in world.jobs_of(pipeline)}


def test_a_good_pipeline_ends_with_a_release_and_leaves_nothing_behind(world: World) -> None:
    made = begun(world, FILES)
    world.jobs.output["build"] = b"hello\r\n"
    world.durable.run()
    ended = world.pipeline(made.id)
    assert (ended.status, ended.reason) == (SUCCEEDED, "")
    _, job = world.jobs_of(made)
    assert (job.status, job.attempt) == (SUCCEEDED, 1)
    assert "hello" in world.log(job)
    assert world.jobs.there == {}


def test_jobs_run_in_the_order_of_their_needs(world: World) -> None:
    made = begun(world, CHAIN | {"compose.yml": COMPOSE})
    world.durable.run()
    assert [name for name, _ in world.jobs.called("start")] == ["build", "build web"]
    assert statuses(world, made) == {"lint": SUCCEEDED, "build": SUCCEEDED, "build web": SUCCEEDED}


def test_a_failed_job_fails_the_pipeline_and_skips_what_needs_it(world: World) -> None:
    made = begun(world, CHAIN)
    world.jobs.exits[("build", 1)] = Exit(2)
    world.durable.run()
    assert statuses(world, made) == {"lint": SUCCEEDED, "build": FAILED, "build web": SKIPPED}
    ended = world.pipeline(made.id)
    assert (ended.status, ended.reason) == (FAILED, "build: Exit code 2.")
    assert "Exit code 2." in world.log(world.jobs_of(made)[1])


def test_a_container_that_is_taken_away_is_started_again_a_few_times(world: World) -> None:
    made = begun(world, FILES)
    world.jobs.exits |= {("build", 1): Exit(137), ("build", 2): Exit(143)}
    world.durable.run()
    _, job = world.jobs_of(made)
    assert (job.status, job.attempt) == (SUCCEEDED, 3)
    assert world.jobs.called("start") == [["build", 1], ["build", 2], ["build", 3]]
    assert world.log(job).count("The job is run again.") == 2


def test_an_engine_that_comes_back_is_waited_for_and_one_that_does_not_fails_the_job(world: World) -> None:
    gone = EngineUnavailable("The Docker Engine does not answer.", "Start it.")
    world.jobs.fail("start", gone, times=2)
    world.jobs.fail("container", gone, times=2)
    made = begun(world, FILES)
    world.durable.run()
    assert world.pipeline(made.id).status is SUCCEEDED
    world.jobs.fail("start", gone, times=5)
    again = intake.start_pipeline(world.services, _project(world), "main", "dev")
    world.durable.run()
    failed = world.pipeline(again.id)
    assert failed.status is FAILED
    assert "does not answer" in failed.reason


def _project(world: World):
    from cabestan.store import projects

    with world.services.database.reading() as tx:
        return projects.get(tx, "shop/api")


def test_moving_on_may_be_done_any_number_of_times(world: World) -> None:
    made = begun(world, CHAIN)
    for _ in range(3):
        pipelines.begin(world.services, made.id)
        pipelines.advance(world.services, made.id)
    world.durable.run()
    before = (world.pipeline(made.id), world.jobs_of(made), list(world.durable.started))
    for _ in range(3):
        pipelines.begin(world.services, made.id)
        pipelines.advance(world.services, made.id)
    assert (world.pipeline(made.id), world.jobs_of(made), list(world.durable.started)) == before
    assert len(before[2]) == len(set(before[2])) == 5  # the plan, the checks, two jobs, the release


def test_what_cannot_be_planned_fails_with_the_reason_and_can_be_tried_again(world: World) -> None:
    made = begun(world, {"Dockerfile.a": "FROM shop/api/b\n", "Dockerfile.b": "FROM shop/api/a\n"})
    world.durable.run()
    failed = world.pipeline(made.id)
    assert failed.status is FAILED
    assert "build on each other in a circle" in failed.reason
    assert statuses(world, made) == {"lint": FAILED}
    pipelines.retry(world.services, made.id)
    assert world.pipeline(made.id).status is RUNNING
    recovery.reconcile(world.services)  # killed right after the retry
    world.durable.run()
    assert world.pipeline(made.id).status is FAILED
    assert world.pipeline(made.id).attempt == 2


def test_a_retry_runs_what_did_not_succeed_and_only_that(world: World) -> None:
    made = begun(world, CHAIN)
    world.jobs.exits[("build web", 1)] = Exit(1)
    world.durable.run()
    assert world.pipeline(made.id).status is FAILED
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert world.pipeline(made.id).status is SUCCEEDED
    assert world.jobs.called("start") == [["build", 1], ["build web", 1], ["build web", 2]]
    with pytest.raises(Conflict, match="is succeeded"):
        pipelines.retry(world.services, made.id)


def test_a_release_that_could_not_be_made_can_be_tried_again(world: World) -> None:
    made = begun(world, FILES)
    world.registry.fail("tag", RegistryUnavailable("The registry does not answer.", "Start it."))
    world.durable.run()
    assert (world.pipeline(made.id).status, statuses(world, made)) == (FAILED, {"lint": SUCCEEDED, "build": SUCCEEDED})
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert world.pipeline(made.id).status is SUCCEEDED
    assert world.jobs.called("start") == [["build", 1]]


def test_a_canceled_pipeline_ends_and_can_be_tried_again(world: World) -> None:
    made = begun(world, CHAIN)
    world.jobs.while_running = lambda run: pipelines.cancel(world.services, made.id)
    world.durable.run()
    assert statuses(world, made) == {"lint": SUCCEEDED, "build": CANCELED, "build web": CANCELED}
    assert world.pipeline(made.id).status is CANCELED
    with pytest.raises(Conflict, match="has ended already"):
        pipelines.cancel(world.services, made.id)
    world.jobs.while_running = lambda run: None
    pipelines.retry(world.services, made.id)
    world.durable.run()
    assert world.pipeline(made.id).status is SUCCEEDED


def test_one_that_is_canceled_before_it_began_stays_canceled(world: World) -> None:
    made = begun(world, FILES)
    pipelines.cancel(world.services, made.id)
    world.durable.run()
    assert (world.pipeline(made.id).status, world.jobs_of(made)) == (CANCELED, ())


def test_one_that_is_canceled_while_it_is_planned_stays_canceled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begun(world, FILES)
    plan_jobs = pipelines.plan_jobs

    def canceled_meanwhile(*given):
        pipelines.cancel(world.services, made.id)
        return plan_jobs(*given)

    monkeypatch.setattr(pipelines, "plan_jobs", canceled_meanwhile)
    world.durable.run()
    assert (world.pipeline(made.id).status, world.jobs_of(made)) == (CANCELED, ())


def test_a_commit_with_nothing_to_build_or_deploy_is_skipped_with_a_note(world: World) -> None:
    made = begun(world, {"README": "hello"})
    world.durable.run()
    ended = world.pipeline(made.id)
    assert (ended.status, len(ended.notes)) == (SKIPPED, 1)


def test_what_breaks_unforeseen_fails_and_does_not_run_for_ever(world: World) -> None:
    world.jobs.fail("container", RuntimeError("nobody thought of this"))
    made = begun(world, FILES)
    world.durable.run()
    ended = world.pipeline(made.id)
    assert ended.status is FAILED
    assert "nobody thought of this" in ended.reason


def test_a_job_has_a_token_of_its_own_while_it_runs(world: World) -> None:
    from cabestan.domain.access import JobIdentity
    from cabestan.store import users

    seen = []

    def look(run) -> None:
        with world.services.database.reading() as tx:
            seen.append(users.identity_of_token(tx, world.jobs.tokens[run.name], world.clock()))

    world.jobs.while_running = look
    made = begun(world, FILES)
    world.durable.run()
    _, job = world.jobs_of(made)
    assert seen == [JobIdentity(job.id, "shop/api")]
    with world.services.database.writing() as tx:
        set_status(tx, Subject.JOB, job.id, "running")
        (token,) = world.jobs.tokens.values()
        assert users.identity_of_token(tx, token, world.clock()) is None


def test_the_token_never_shows_in_the_log(world: World) -> None:
    made = begun(world, FILES)

    def tell(run) -> None:
        world.jobs.output["build"] = f"the token is {world.jobs.tokens[run.name]}\r\n".encode()

    world.jobs.while_running = tell
    world.durable.run()
    _, job = world.jobs_of(made)
    (token,) = world.jobs.tokens.values()
    assert "the token is " in world.log(job)
    assert token not in world.log(job)


#: those that such a push does not come to
_ELSEWHERE = (
    *("release.fail", "deployment.put-back", "deployment.start", "deployment.run", "deployment.managed"),
    *("cron.run", "cron.end", "deployment.restart", "deployment.scale", "deployment.stop"),
    *(step for step in STEPS if step.startswith(("database.", "deletion."))),
)
PLACES = [
    f"{step}:{edge}" for step in STEPS if step not in _ELSEWHERE for edge in ("before", "done, not recorded", "after")
]


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_at_any_place_changes_nothing_of_the_outcome(world: World, place: str) -> None:
    durable: FakeDurable = world.durable
    durable.kill_at = place
    made = begun(world, FILES)
    with pytest.raises(Killed):
        durable.run()
    durable.recover()
    recovery.reconcile(world.services)
    durable.run()
    assert world.pipeline(made.id).status is SUCCEEDED
    staging = world.environment(_project(world), "staging")
    assert [(d.status.value, d.id) for d in world.deployments(staging)] == [
        ("succeeded", staging.current_deployment_id)
    ]
    assert world.jobs.there == {}


def test_a_tree_of_a_million_files_fails_in_words(world: World) -> None:
    """However it came into the repository: a push of it is refused."""
    project = world.project()
    bomb = world.checkout.tree_bomb()
    world.checkout.push(world.services.repositories.path(project.id), f"{bomb}:refs/heads/main")
    (made,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    failed = world.pipeline(made.id)
    assert failed.status is RunStatus.FAILED
    assert failed.reason.startswith(f"Commit {bomb[:12]} has more than 50000 files and folders (commit_files)")
