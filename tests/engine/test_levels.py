"""What deployments and jobs are configured with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.engine.world import COMPOSE, FILES, World
from tests.samples import ADMIN

from cabestan.compose.stack import Stack
from cabestan.domain.access import User
from cabestan.domain.deployment import Deployment
from cabestan.domain.pipeline import Job, ScriptJob, Source
from cabestan.domain.predefined import Place, names_for
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake
from cabestan.engine.building.job_runs import redactor_of
from cabestan.engine.building.runners import runner_of
from cabestan.engine.deploying import composing, deployments, planning, settings
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.upkeep import housekeeping
from cabestan.engine.variables import levels, predefined
from cabestan.errors import DeadlineExceeded, Invalid, NotFound
from cabestan.store import deployments as store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases, variables
from cabestan.store.variables import Scope

SHOP = Scope(group="shop")
WITH_FILE = COMPOSE.replace("    labels:", "    secrets: [KEY]\n    labels:")


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


@pytest.fixture
def boss(world: World, project: Project) -> User:
    return world.user("boss", admin=True)


def latest(world: World, project: Project, environment: str = "staging") -> Deployment:
    return world.deployments(world.environment(project, environment))[-1]


def environment_of(world: World, deployment: Deployment) -> dict[str, str]:
    """The app's environment in the plan's stack."""
    found: dict[str, str] = Stack.from_yaml(world.plan(deployment).stack).document["services"]["app"]["environment"]
    return found


def put(world: World, scope: Scope, name: str, value: str, **more: Any) -> None:
    settings.put(world.services, scope, name, value, "dev", **{"secret": False} | more)


def test_the_nearest_of_group_project_and_environment_reaches_the_application(world: World, project: Project) -> None:
    seen = []
    for scope, value in ((SHOP, "far"), (Scope(project.id), "near"), (Scope(project.id, "staging"), "own")):
        put(world, scope, "LEVEL", value)
        world.released(project)
        seen.append(environment_of(world, latest(world, project))["LEVEL"])
    assert seen == ["far", "near", "own"]
    assert environment_of(world, latest(world, project, "production"))["LEVEL"] == "near"


def test_a_secret_for_one_environment_reaches_it_alone_from_group_and_project(world: World, project: Project) -> None:
    put(world, SHOP, "SV_STAGING_KEY", "of the group", secret=True)
    world.released(project)
    deployment = latest(world, project)
    stack = world.environment(project, "staging").stack_name("cabestan")
    assert environment_of(world, deployment)["KEY"] == "${CABESTAN_SECRET_KEY}"
    assert world.stacks.secrets[stack] == {"KEY": "of the group"}
    assert environment_of(world, latest(world, project, "production"))["KEY"] == ""
    put(world, Scope(project.id), "SV_STAGING_KEY", "of the project", secret=True)
    world.released(project)
    assert world.stacks.secrets[stack] == {"KEY": "of the project"}


def test_protected_ones_are_for_protected_branches_and_the_plan_says_what_is_withheld(
    world: World, project: Project
) -> None:
    settings.set_environment(world.services, project, "staging", ADMIN, branches=("*",))
    put(world, Scope(project.id), "LEVEL", "high", protected=True)
    put(world, Scope(project.id), "SV_STAGING_KEY", "canary", secret=True, protected=True)
    world.push(project, branch="feature")
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    deployment = latest(world, project)
    assert environment_of(world, deployment) == {"LEVEL": "none", "KEY": ""}
    assert world.plan(deployment).warnings[:2] == (
        "KEY is protected and the branch feature is not: this deployment does not get it.",
        "LEVEL is protected and the branch feature is not: this deployment does not get it.",
    )
    changed = settings.protect_branches(world.services, project, ["feat*", "@default"])
    assert changed.protected_branches == ("feat*", "@default")
    with world.services.database.reading() as tx:
        release = releases.latest(tx, project.id)
        assert release
        plan = planning.make_plan(world.services, tx, Wanted(release, world.environment(project, "staging")))
    assert ("LEVEL: high" in plan.stack, plan.secrets) == (True, ("KEY",))


def test_what_a_pipeline_is_given_travels_with_its_release(world: World, project: Project, boss: User) -> None:
    text = COMPOSE.replace("KEY: ${KEY:-}", "KEY: ${X_A:-} ${OTHER:-}")
    put(world, Scope(project.id), "X_A", "set")
    world.push(project, {"Dockerfile": "FROM cabestan/python:3.11\n", "docker-compose.yml": text})
    given = {"X_A": "given", "OTHER": "for jobs"}
    pipeline = intake.start_pipeline(world.services, project, "main", "dev", given)
    world.durable.run()
    assert world.pipeline(pipeline.id).variables == given
    with world.services.database.reading() as tx:
        release = releases.of_pipeline(tx, pipeline.id)
    assert release
    assert release.variables == {"X_A": "given"}
    assert environment_of(world, latest(world, project))["KEY"] == "given "
    production = latest(world, project, "production")
    deployments.approve(world.services, production.id, boss, world.plan(production).fingerprint, "")
    world.durable.run()
    assert environment_of(world, latest(world, project, "production"))["KEY"] == "given "
    put(world, Scope(project.id), "X_A", "canary", secret=True)
    with world.services.database.reading() as tx:
        plan = planning.make_plan(world.services, tx, Wanted(release, world.environment(project, "staging")))
    assert (
        "The pipeline was given X_A, which is secret or protected here: the value that was set stays." in plan.warnings
    )
    assert plan.secrets == ("X_A",)


@pytest.mark.parametrize("name", ["CI_A", "CABESTAN_A", "1A", "SV_STAGING_KEY", ""])
def test_a_pipeline_is_not_given_what_it_may_not_set(world: World, project: Project, name: str) -> None:
    world.push(project)
    with pytest.raises(Invalid):
        intake.start_pipeline(world.services, project, "main", "dev", {name: "x"})
    with pytest.raises(Invalid, match="101 variables"):
        intake.start_pipeline(world.services, project, "main", "dev", {f"X_{n}": "" for n in range(101)})


def test_names_and_values_that_do_not_fit_are_refused(world: World, project: Project) -> None:
    for scope, name, value, more in (
        (Scope(project.id), "SV_STAGING_KEY", "x", {}),
        (Scope(project.id, "staging"), "SV_STAGING_KEY", "x", {"secret": True}),
        (Scope(project.id), "LEVEL", "short", {"masked": True}),
        (SHOP, "KEY", "", {"secret": True}),
        (SHOP, "CI_KEY", "x", {}),
    ):
        with pytest.raises(Invalid):
            put(world, scope, name, value, **more)
    with pytest.raises(NotFound):
        put(world, Scope(project.id, "none"), "LEVEL", "x")


def test_flags_stay_until_they_are_changed(world: World, project: Project) -> None:
    scope = Scope(project.id)
    put(world, scope, "LEVEL", "long enough", masked=True, protected=True)
    put(world, scope, "LEVEL", "still long enough")
    with pytest.raises(Invalid, match="cannot be masked"):
        put(world, scope, "LEVEL", "short")
    put(world, scope, "LEVEL", "short", masked=False)
    with world.services.database.reading() as tx:
        versions = variables.history(tx, scope, "LEVEL")
    assert [(v.version, v.protected, v.masked) for v in versions] == [
        (3, True, False),
        (2, True, True),
        (1, True, True),
    ]


def test_a_committed_env_file_is_not_used_and_warns_where_it_differs(world: World, project: Project) -> None:
    put(world, Scope(project.id), "KEY", "canary", secret=True)
    put(world, Scope(project.id, "staging"), "LEVEL", "info")
    world.released(project, **{".env": "CI_COMMIT_SHA=dev\nLEVEL=debug\nKEY=dev\nUNUSED=1\n"})
    deployment = latest(world, project)
    assert environment_of(world, deployment)["LEVEL"] == "info"
    advice = "For deployments, set it as a variable or a secret of the project; .env is for development only."
    assert [warning for warning in world.plan(deployment).warnings if ".env" in warning] == [
        f".env:2:1 LEVEL: LEVEL is 'debug' in .env and 'info' in a deployment. {advice}",
        f".env:3:1 KEY: KEY in .env is not what a deployment has. {advice}",
    ]
    world.released(project, **{".env": "LEVEL=\0\x01"})
    assert latest(world, project).status is DeploymentStatus.SUCCEEDED


def test_cabestan_sets_what_the_table_says(world: World, project: Project) -> None:
    release = world.released(project)
    environment = world.environment(project, "staging")
    with world.services.database.reading() as tx:
        effective = levels.effective(tx, environment, release.branch, release)
        job = pipeline_store.jobs_of(tx, release.pipeline_id)[-1]
        pipeline = pipeline_store.get(tx, release.pipeline_id)
    found = composing.variables(world.services, Wanted(release, environment), effective)
    assert found.keys() == names_for(Place.DEPLOYMENT)
    of_job = predefined.of_job(world.services.settings, project, pipeline, job)
    assert of_job.keys() == names_for(Place.JOB)
    for name in names_for(Place.DEPLOYMENT) & names_for(Place.JOB):
        assert found[name] == of_job[name], name
    assert {name for name, value in (found | of_job).items() if not value} == {"CI_COMMIT_DESCRIPTION"}
    expected = {
        "CI_COMMIT_AUTHOR": "Somebody <somebody@example.org>",
        "CI_COMMIT_REF_PROTECTED": "true",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
        "CI_COMMIT_MESSAGE": found["CI_COMMIT_TITLE"],
        "CI_ENVIRONMENT_DOMAIN": "staging-api-shop.localhost",
        "CI_ENVIRONMENT_TIER": "staging",
        "CI_PIPELINE_SOURCE": "push",
        "GITLAB_USER_LOGIN": "dev",
        "CI_PIPELINE_ID": str(release.pipeline_id),
        "CI_PROJECT_NAMESPACE": "shop",
        "CI_PROJECT_PATH_SLUG": "shop-api",
        "CI_REGISTRY_IMAGE": "127.0.0.1:5600/shop/api",
        "CI_SERVER_FQDN": "127.0.0.1:8600",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["CI_COMMIT_TIMESTAMP"].endswith("Z")


def test_a_push_tells_where_the_branch_stood_and_a_wish_who_had_it(world: World, project: Project) -> None:
    first = world.push(project)
    intake.take_pushes(world.services, project, "dev")
    world.checkout.commit({**FILES, "more": "1"}, b"Sell more\n\nBecause.\n\nSigned.")
    world.checkout.push(world.services.repositories.path(project.id), "+HEAD:refs/heads/main")
    (pushed,) = intake.take_pushes(world.services, project, "dev")
    asked = intake.start_pipeline(world.services, project, "main", "ann", source=Source.WEB)
    world.durable.run()
    told = []
    for pipeline in (pushed, asked):
        with world.services.database.reading() as tx:
            release = releases.of_pipeline(tx, pipeline.id)
        assert release
        made = predefined.of_release(world.services.settings, release, protected=True)
        assert (made["CI_COMMIT_MESSAGE"], made["CI_COMMIT_DESCRIPTION"]) == (
            "Sell more\n\nBecause.\n\nSigned.",
            "Because.\n\nSigned.",
        )
        told.append((made["CI_COMMIT_BEFORE_SHA"], made["CI_PIPELINE_SOURCE"], made["GITLAB_USER_LOGIN"]))
    assert told == [(first, "push", "dev"), ("0" * 40, "web", "ann")]


def test_a_title_that_imitates_a_placeholder_stops_nothing(world: World, project: Project) -> None:
    release = world.released(project)
    made = predefined.of_release(
        world.services.settings,
        type(release)(**{**vars(release), "title": "\ue0caKEY\ue0cb of all"}),
        protected=True,
    )
    assert made["CI_COMMIT_TITLE"] == "KEY of all"


def _environment(world: World, job: Job) -> Mapping[str, str]:
    runner = runner_of(world.services, job)
    assert runner
    return runner.container(1).environment


def test_jobs_get_variables_and_no_secret_and_a_build_only_what_cannot_harm(world: World, project: Project) -> None:
    put(world, SHOP, "TEAM", "shop")
    put(world, Scope(project.id), "BASH_ENV", "/tmp/evil")
    put(world, Scope(project.id), "KEY", "canary-secret", secret=True)
    put(world, Scope(project.id), "MASKED", "canary-masked", masked=True)
    put(world, Scope(project.id, "staging"), "LEVEL", "own")
    world.push(project)
    pipeline = intake.start_pipeline(world.services, project, "main", "dev", {"X_A": "b", "CC": "gcc"})
    script = ScriptJob("script", "test", image="i", script="true", environment=(("TEAM", "of the job"),))
    world.durable.run()
    build = world.jobs_of(pipeline)[-1]
    own = _environment(world, build)
    assert {"X_A": "b", "CI_COMMIT_BRANCH": "main", "CI_JOB_STAGE": "build"}.items() <= own.items()
    assert own.keys() & {"BASH_ENV", "TEAM", "CC", "KEY", "MASKED", "LEVEL"} == set()
    job = type(build)(**{**vars(build), "spec": script})
    environment = _environment(world, job)
    expected = {"TEAM": "of the job", "BASH_ENV": "/tmp/evil", "MASKED": "canary-masked", "X_A": "b", "CC": "gcc"}
    assert {name: environment[name] for name in expected} == expected
    assert environment.keys() & {"KEY", "LEVEL"} == set()
    redact = redactor_of(world.services, job, 1).redact
    assert redact(b"canary-masked canary-secret") == b"[secret] [secret]"


def test_masked_variables_of_the_group_and_of_earlier_versions_are_kept_out_of_logs(
    world: World, project: Project
) -> None:
    put(world, SHOP, "MASKED", "canary-group-1", masked=True)
    put(world, SHOP, "MASKED", "canary-group-2")
    put(world, SHOP, "KEY", "canary-secret", secret=True)
    world.push(project)
    pipeline = intake.start_pipeline(world.services, project, "main", "dev")
    world.jobs.output["build"] = b"canary-group-1 canary-group-2 canary-secret\n"
    world.durable.run()
    job = world.jobs_of(pipeline)[-1]
    assert "canary" not in world.log(job)


def test_a_change_is_told_until_the_same_release_is_deployed_again(world: World, project: Project, boss: User) -> None:
    def late() -> tuple[str, ...]:
        with world.services.database.reading() as tx:
            found = levels.outdated(tx, world.environment(project, "staging"))
        return found.names if found else ()

    assert late() == ()
    release = world.released(project)
    assert late() == ()
    put(world, SHOP, "LEVEL", "high")
    put(world, Scope(project.id), "SV_STAGING_KEY", "x", secret=True)
    put(world, Scope(project.id, "production"), "OTHER", "x")
    assert late() == ("KEY", "LEVEL")
    deployments.deploy(world.services, world.environment(project, "staging"), release, boss)
    world.durable.run()
    assert late() == ()
    settings.remove(world.services, SHOP, "LEVEL", secret=False, by="dev")
    assert late() == ("LEVEL",)


def test_a_rollback_brings_the_versions_back_that_it_ran_with(world: World, project: Project, boss: User) -> None:
    put(world, Scope(project.id), "SV_STAGING_KEY", "first", secret=True)
    first = world.released(project)
    put(world, Scope(project.id), "SV_STAGING_KEY", "second", secret=True)
    world.released(project)
    staging = world.environment(project, "staging")
    stack = staging.stack_name("cabestan")
    assert world.stacks.secrets[stack] == {"KEY": "second"}
    deployments.roll_back(world.services, staging, first.number, boss)
    world.durable.run()
    assert world.stacks.secrets[stack] == {"KEY": "first"}
    with world.services.database.reading() as tx:
        used = levels.restored(tx, world.plan(latest(world, project)))
    assert [(s.name, s.kept_as, s.version) for s in used] == [("KEY", "SV_STAGING_KEY", 1)]


def test_a_secret_file_is_made_under_a_name_that_tells_its_content_and_goes_when_nothing_needs_it(
    world: World, project: Project, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_KEPT_RELEASES", 3)
    staging = world.environment(project, "staging")
    stack = staging.stack_name("cabestan")
    seen = []
    for value in ("canary-1", "canary-2", "canary-1"):
        put(world, Scope(project.id), "KEY", value, secret=True)
        world.released(project, **{"docker-compose.yml": WITH_FILE})
        document = world.plan(latest(world, project)).stack
        (name,) = [name for name in world.stacks.files[stack] if name in document]
        seen.append(name)
        assert world.stacks.files[stack][name] == value
        assert value not in document
    assert seen[0] == seen[2] != seen[1]
    assert all(name.startswith(f"{stack}_KEY_") and len(name) == len(stack) + 5 + 12 for name in seen)
    assert world.plan(latest(world, project)).secrets == ("KEY",)
    housekeeping.drop_secrets(world.services)
    assert set(world.stacks.files[stack]) == set(seen)
    for _ in range(3):
        world.released(project)
    world.stacks.fail("drop_secrets", DeadlineExceeded("It is being deployed."), times=2)
    housekeeping.drop_secrets(world.services)
    assert set(world.stacks.files[stack]) == set(seen)
    housekeeping.drop_secrets(world.services)
    assert world.stacks.files[stack] == {}
    deployments.roll_back(world.services, staging, 2, boss)
    world.durable.run()
    assert world.stacks.files[stack] == {seen[1]: "canary-2"}


def test_a_file_that_the_environment_does_not_have_is_refused(world: World, project: Project) -> None:
    world.released(project, **{"docker-compose.yml": WITH_FILE})
    failed = latest(world, project)
    assert failed.status is DeploymentStatus.FAILED
    assert "staging has no secret KEY. Set KEY there." in failed.reason


def test_the_plan_names_the_versions_of_group_secrets_that_change(world: World, project: Project) -> None:
    put(world, SHOP, "SV_STAGING_KEY", "one", secret=True)
    world.released(project)
    put(world, SHOP, "SV_STAGING_KEY", "two", secret=True)
    with world.services.database.reading() as tx:
        release = releases.latest(tx, project.id)
        assert release
        plan = planning.make_plan(world.services, tx, Wanted(release, world.environment(project, "staging")))
        before = store.plan_of(tx, latest(world, project).id)
    assert [change.text for change in plan.changes] == ["Secret KEY: version 1 becomes version 2"]
    assert before
    assert before.fingerprint != plan.fingerprint


def test_a_secret_is_handed_over_as_it_is(world: World, project: Project) -> None:
    """What writes it into the file makes no template of it."""
    put(world, Scope(project.id), "KEY", "a{{b}}", secret=True)
    world.released(project)
    assert next(iter(world.stacks.secrets.values()))["KEY"] == "a{{b}}"


def test_secrets_that_no_process_can_be_given_are_told_before_anything_runs(world: World, project: Project) -> None:
    """40 of 60 KB in one service: the plan says so, and no engine is asked."""
    names = [f"BIG_{number}" for number in range(40)]
    for name in names:
        put(world, Scope(project.id), name, "x" * 60_000, secret=True)
    compose = COMPOSE.replace("KEY: ${KEY:-}", "\n      ".join(f"{name}: ${{{name}}}" for name in names))
    world.released(project, **{"docker-compose.yml": compose})
    told = latest(world, project)
    assert (told.status, world.stacks.deployed) == (DeploymentStatus.FAILED, {})
    assert "2,400," in told.reason
    assert "BIG_10 (60,007)" in told.reason
