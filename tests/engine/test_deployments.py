from __future__ import annotations

import errno

import pytest
from tests.engine.fakes import failing, healthy
from tests.engine.world import FILES, World
from tests.samples import ADMIN

from cabestan.domain.access import User
from cabestan.domain.deployment import Deployment, StepKind
from cabestan.domain.project import Project
from cabestan.domain.release import Release
from cabestan.domain.route import Probe
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine.building import intake
from cabestan.engine.deploying import deployments, settings, workflow
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.deploying.way_back import outcome
from cabestan.errors import Conflict, Forbidden, Invalid, NotFound, StepFailed
from cabestan.store import deployments as store
from cabestan.store import hosts as host_store
from cabestan.store import releases
from cabestan.store import releases as release_store
from cabestan.store.fullness import storage_full
from cabestan.store.variables import Scope

WAITING, QUEUED, RUNNING = DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING
SUCCEEDED, FAILED, CANCELED = DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED, DeploymentStatus.CANCELED
SUPERSEDED, ROLLED_BACK = DeploymentStatus.SUPERSEDED, DeploymentStatus.ROLLED_BACK


def production(world: World, project: Project, **changes: object):
    """That every release arrives at."""
    return settings.set_environment(world.services, project, "production", ADMIN, branches=("@default",), **changes)  # type: ignore[arg-type]


def ask(world: World, project: Project, user: User, number: int | None = None, where: str = "production") -> Deployment:
    environment = world.environment(project, where)
    with world.services.database.reading() as tx:
        chosen = releases.chosen(tx, environment, number)
    return deployments.deploy(world.services, environment, chosen, user)


def image_of(release: Release) -> str:
    return next(iter(release.images.values()))


def latest(world: World, project: Project, where: str = "staging") -> Deployment:
    return world.deployments(world.environment(project, where))[-1]


def approve(world: World, deployment: Deployment, user: User, comment: str = "") -> Deployment:
    return deployments.approve(world.services, deployment.id, user, world.plan(deployment).fingerprint, comment)


def test_a_release_comes_to_staging_by_itself(world: World, project: Project) -> None:
    release = world.released(project)
    staging = world.environment(project, "staging")
    (made,) = world.deployments(staging)
    assert (made.status, made.release, made.by, made.url) == (SUCCEEDED, 1, "dev", "https://staging-api-shop.localhost")
    assert staging.current_deployment_id == made.id
    (waits,) = world.deployments(world.environment(project, "production"))
    assert (waits.status, waits.release, waits.by) == (WAITING, 1, "dev")
    with world.services.database.reading() as tx:
        steps = store.steps_of(tx, made.id)
        claims = host_store.claims(tx)
    assert [(step.kind, step.status) for step in steps] == [
        (StepKind.PULL, "succeeded"),
        (StepKind.APPLY, "succeeded"),
        (StepKind.WATCH, "succeeded"),
        (StepKind.ROUTES, "succeeded"),
    ]
    assert [(claim.pattern, claim.project, claim.environment) for claim in claims] == [
        ("staging-api-shop.localhost", "shop/api", "staging")
    ]
    assert image_of(release) in world.stacks.deployed["cabestan-1-shop-api-staging"]
    assert world.platform.joined == {("cabestan-router", "cabestan-1-shop-api-staging-net")}


def test_a_release_of_a_branch_that_does_not_come_here_is_refused(world: World, project: Project, boss: User) -> None:
    world.released(project)
    world.push(project, {**FILES, "more": "1"}, branch="feature")
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    assert ask(world, project, boss).release == 1  # the newest that comes here
    world.durable.run()
    with pytest.raises(Conflict) as refused:
        ask(world, project, boss, 2)
    assert refused.value.message == "Release 2 is of the branch feature; production takes only: main."
    assert "cabestan environment set production --branch" in refused.value.remedy
    settings.set_environment(world.services, project, "production", ADMIN, branches=("@default", "feat*"))
    taken = ask(world, project, boss)
    world.durable.run()
    assert world.deployment(taken.id).status is SUCCEEDED
    settings.set_environment(world.services, project, "production", ADMIN, branches=("@default",))
    again = ask(world, project, boss, 2)  # it has served here
    world.durable.run()
    assert (again.release, world.deployment(again.id).status) == (2, SUCCEEDED)


def test_a_developers_wish_waits_where_it_must_and_a_maintainers_is_done_at_once(
    world: World, project: Project, dev: User, boss: User
) -> None:
    world.released(project)
    first = ask(world, project, dev)
    assert first.status is WAITING
    second = ask(world, project, boss)
    assert (second.status, second.by, second.approved_by) == (QUEUED, "boss", "")  # nobody was asked to approve it
    assert world.deployment(first.id).status is SUPERSEDED
    world.durable.run()
    assert world.deployment(second.id).status is SUCCEEDED


def test_a_wish_is_bound_to_the_plan_that_was_seen(world: World, project: Project, boss: User) -> None:
    world.released(project)
    where = world.environment(project, "production")
    before = [deployment.id for deployment in world.deployments(where)]
    with world.services.database.reading() as tx:
        release = release_store.get(tx, project.id, 1)
        seen = make_plan(world.services, tx, Wanted(release, where)).fingerprint
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
    with pytest.raises(Conflict, match="has changed since you looked at it"):
        deployments.deploy(world.services, where, release, boss, seen=seen)
    assert [deployment.id for deployment in world.deployments(where)] == before
    with world.services.database.reading() as tx:
        now = make_plan(world.services, tx, Wanted(release, where)).fingerprint
    assert deployments.deploy(world.services, where, release, boss, seen=now).status is QUEUED


def test_the_newest_release_takes_the_place_of_one_that_waits(world: World, project: Project) -> None:
    production(world, project)
    world.released(project)
    (first,) = world.deployments(world.environment(project, "production"))
    world.released(project)
    former, newer = world.deployments(world.environment(project, "production"))
    assert former.id == first.id
    assert (former.status, newer.status, newer.release) == (SUPERSEDED, WAITING, 2)
    assert former.reason == f"Superseded by deployment {newer.id} of release 2."


def test_an_approval_starts_exactly_what_was_seen(world: World, project: Project, dev: User, boss: User) -> None:
    world.released(project)
    made = ask(world, project, dev)
    with pytest.raises(Forbidden, match="You may not approve deployments on production"):
        approve(world, made, dev)
    with pytest.raises(Conflict, match="has changed since you looked at it"):
        deployments.approve(world.services, made.id, boss, "another", "")
    assert world.deployment(made.id).status is WAITING
    assert approve(world, made, boss, "looks good").status is QUEUED
    world.durable.run()
    ended = world.deployment(made.id)
    assert (ended.status, ended.approved_by) == (SUCCEEDED, "boss")
    with world.services.database.reading() as tx:
        (word,) = store.approvals_of(tx, made.id)
    assert (word.by, word.approved, word.comment, word.void) == ("boss", True, "looks good", "")
    with pytest.raises(Conflict, match="does not wait for approval, its status is succeeded"):
        approve(world, made, boss)


@pytest.mark.parametrize("secret", [False, True])
def test_a_changed_setting_voids_an_approval_and_says_so(
    world: World, project: Project, dev: User, boss: User, secret: bool
) -> None:
    world.released(project)
    ask(world, project, boss)  # has its turn, so that the other one stays queued
    made = ask(world, project, dev)
    approve(world, made, boss)
    assert world.deployment(made.id).status is QUEUED
    if secret:
        settings.put(world.services, Scope(project.id, "production"), "KEY", "new", "boss", secret=True)
    else:
        settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
    again = world.deployment(made.id)
    words = "The plan has changed since it was approved, so it waits for another approval."
    assert (again.status, again.reason, again.approved_by) == (WAITING, words, "")
    with world.services.database.reading() as tx:
        assert [word.void for word in store.approvals_of(tx, made.id)] == [words]
    world.durable.run()
    assert world.deployment(made.id).status is WAITING
    approve(world, again, boss)
    world.durable.run()
    assert world.deployment(made.id).status is SUCCEEDED


def test_what_is_approved_behind_another_one_waits_again_for_what_it_would_now_change(
    world: World, project: Project, dev: User, boss: User
) -> None:
    """The approval was for a change from what served then."""
    world.released(project)
    ask(world, project, boss)
    world.stacks.states.append(healthy("x", ()))  # while this is looked at, another one arrives
    second: list[Deployment] = []

    def meanwhile(*_: object, **__: object) -> None:
        if not second:
            second.append(ask(world, project, boss))

    world.stacks.ensure_network = meanwhile  # type: ignore[method-assign]
    world.durable.run()
    assert world.deployment(second[0].id).status is WAITING
    assert world.deployment(second[0].id).reason == (
        "The plan has changed since boss deployed it, so it waits for an approval."
    )


def test_where_no_approval_is_needed_none_becomes_void(world: World, project: Project, boss: User) -> None:
    world.released(project)
    ask(world, project, boss, where="staging")
    made = ask(world, project, boss, where="staging")
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
    world.durable.run()
    assert world.deployment(made.id).status is SUCCEEDED
    assert "high" in world.stacks.deployed["cabestan-1-shop-api-staging"]


def test_a_rejection_ends_it_with_the_comment(world: World, project: Project, dev: User, boss: User) -> None:
    world.released(project)
    made = ask(world, project, dev)
    with pytest.raises(Forbidden):
        deployments.reject(world.services, made.id, dev, "")
    rejected = deployments.reject(world.services, made.id, boss, "not on Friday")
    assert (rejected.status, rejected.reason) == (CANCELED, "Rejected by boss: not on Friday")
    with pytest.raises(Conflict):
        deployments.reject(world.services, made.id, boss, "")


def test_named_approvers_alone_approve(world: World, project: Project, dev: User, boss: User) -> None:
    production(world, project, approvers=("dev",))
    world.released(project)
    (made,) = world.deployments(world.environment(project, "production"))
    with pytest.raises(Forbidden, match="Ask dev"):
        approve(world, made, boss)
    approve(world, made, dev)
    world.durable.run()
    assert world.deployment(made.id).status is SUCCEEDED


def test_a_canceled_one_that_waits_ends_at_once(world: World, project: Project, dev: User) -> None:
    world.released(project)
    made = ask(world, project, dev)
    assert deployments.cancel(world.services, made.id, "dev").reason == "Canceled by dev."
    with pytest.raises(Conflict, match="has ended already"):
        deployments.cancel(world.services, made.id, "dev")


@pytest.mark.parametrize("step", ["pull", "ensure_network", "state"])
def test_a_canceled_one_that_runs_puts_back_what_served(world: World, project: Project, boss: User, step: str) -> None:
    world.released(project)
    before = world.stacks.deployed["cabestan-1-shop-api-staging"]
    original = getattr(world.stacks, step)

    def canceling(*given: object, **named: object) -> object:
        setattr(world.stacks, step, original)
        deployments.cancel(world.services, world.deployments(staging)[-1].id, "boss")
        return original(*given, **named)

    staging = world.environment(project, "staging")
    setattr(world.stacks, step, canceling)
    world.released(project)
    made = world.deployments(world.environment(project, "staging"))[-1]
    assert (made.status, made.reason) == (CANCELED, "Canceled.")
    assert world.stacks.deployed["cabestan-1-shop-api-staging"] == before
    assert world.environment(project, "staging").current_deployment_id == made.previous_id


def test_one_that_is_canceled_while_its_routes_are_asked_is_canceled(world: World, project: Project) -> None:
    world.released(project)

    class Canceling(dict[str, str]):
        def get(self, host: str, default: str = "") -> str:  # type: ignore[override]
            deployments.cancel(world.services, latest(world, project).id, "boss")
            return "no answer"

    object.__setattr__(world.services.home, "probe", lambda wanted: Canceling().get(wanted.host))
    world.released(project)
    made = latest(world, project)
    assert (made.status, made.reason) == (CANCELED, "Canceled.")


def test_a_service_that_fails_puts_the_whole_previous_release_back(world: World, project: Project) -> None:
    first = world.released(project)
    world.stacks.states.append(failing("s", "app", "No such image"))
    world.stacks.words = "boom"
    world.released(project)
    staging = world.environment(project, "staging")
    good, bad = world.deployments(staging)
    assert (bad.status, bad.reason) == (
        ROLLED_BACK,
        "app does not come up: No such image.\n    boom\n`cabestan logs -e staging app` shows what it said before.",
    )
    assert (staging.current_deployment_id, bad.previous_id) == (good.id, good.id)
    assert image_of(first) in world.stacks.deployed["cabestan-1-shop-api-staging"]
    with world.services.database.reading() as tx:
        assert [step.kind for step in store.steps_of(tx, bad.id)][-1] is StepKind.PUT_BACK


def test_the_first_release_that_fails_leaves_nothing(world: World, project: Project) -> None:
    world.stacks.states.append(failing("s", "app", "No such image"))
    world.released(project)
    staging = world.environment(project, "staging")
    (made,) = world.deployments(staging)
    assert (made.status, staging.current_deployment_id) == (FAILED, None)
    assert (world.stacks.deployed, world.stacks.networks) == ({}, {})


def test_what_cannot_be_pulled_touches_nothing(world: World, project: Project) -> None:
    world.released(project)
    calls = len(world.stacks.called("deploy"))
    world.stacks.fail("pull", StepFailed("The image cannot be pulled: gone."))
    world.released(project)
    made = latest(world, project)
    assert (made.status, made.reason) == (FAILED, "The image cannot be pulled: gone.")
    assert len(world.stacks.called("deploy")) == calls


def test_a_route_that_does_not_answer_puts_the_previous_release_back(world: World, project: Project) -> None:
    world.released(project)
    world.wrong_routes["staging-api-shop.localhost"] = "the router has no route"
    world.released(project)
    made = latest(world, project)
    assert made.status is ROLLED_BACK
    assert made.reason.startswith("Not routed after 1 s: the router has no route.")


def test_what_dies_while_its_routes_are_asked_is_told_in_the_words_of_its_task(world: World, project: Project) -> None:
    world.released(project)

    def probe(_wanted: Probe) -> str:
        world.stacks.states.append(failing("s", "app", "task: non-zero exit (7)"))
        return "the router has no route"

    object.__setattr__(world.services.home, "probe", probe)
    world.released(project)
    assert latest(world, project).reason == "app does not come up: its container ended with exit code 7."


@pytest.mark.parametrize("error", [storage_full(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_step_that_meets_a_full_disk_goes_on_when_there_is_room(
    world: World, project: Project, error: Exception
) -> None:
    world.stacks.fail("deploy", error)
    with pytest.raises(type(error)):
        world.released(project)
    assert latest(world, project).status is RUNNING
    world.durable.recover()
    world.durable.run()
    assert latest(world, project).status is SUCCEEDED


def test_a_way_back_that_fails_too_is_told(world: World, project: Project) -> None:
    world.released(project)
    world.stacks.states.append(failing("s", "app", "No luck"))
    world.stacks.states.append(failing("s", "app", "No luck either"))
    world.released(project)
    made = latest(world, project)
    words = "app does not come up: No luck. The way back failed too: app does not come up: No luck either."
    assert (made.status, made.reason) == (FAILED, words)


def test_a_rollback_brings_back_the_variables_and_secrets_that_the_release_ran_with(
    world: World, project: Project, boss: User
) -> None:
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "old", "boss", secret=False)
    settings.put(world.services, Scope(project.id, ""), "KEY", "old secret", "boss", secret=True)
    world.released(project)
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "new", "boss", secret=False)
    settings.put(world.services, Scope(project.id, ""), "KEY", "new secret", "boss", secret=True)
    world.released(project)
    stack = "cabestan-1-shop-api-staging"
    assert world.stacks.secrets[stack] == {"KEY": "new secret"}
    staging = world.environment(project, "staging")
    made = deployments.roll_back(world.services, staging, None, boss)
    world.durable.run()
    assert (world.deployment(made.id).status, made.release, made.restores_id) == (SUCCEEDED, 1, 1)
    assert "LEVEL: old" in world.stacks.deployed[stack].replace('"', "")
    assert world.stacks.secrets[stack] == {"KEY": "old secret"}
    assert not [document for document in world.stacks.deployed.values() if "old secret" in document]
    with pytest.raises(NotFound, match="never ran a release before the present one"):
        deployments.roll_back(world.services, world.environment(project, "staging"), None, boss)
    with pytest.raises(NotFound, match="never ran release 9"):
        deployments.roll_back(world.services, staging, 9, boss)


def test_a_second_project_cannot_have_the_host_name_of_the_first(world: World, project: Project, boss: User) -> None:
    world.released(project)
    other = world.project("shop/web")
    settings.set_environment(world.services, other, "staging", ADMIN, domain="staging-api-shop.localhost")
    world.push(other)
    world.released(other)
    (made,) = world.deployments(world.environment(other, "staging"))
    assert made.status is FAILED
    assert made.reason.startswith("The host name staging-api-shop.localhost belongs to")
    assert list(world.stacks.deployed) == ["cabestan-1-shop-api-staging"]


def test_what_cannot_be_planned_is_refused_to_the_persons_face(world: World, project: Project, boss: User) -> None:
    with pytest.raises(NotFound, match="no release yet"):
        ask(world, project, boss)
    world.push(project, {"Dockerfile": "FROM x\n"})
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    with pytest.raises(Invalid, match="Release 1 has no Compose file"):
        ask(world, project, boss)
    assert world.deployments(world.environment(project, "production")) == ()


def test_two_never_run_at_the_same_time(world: World, project: Project, boss: User) -> None:
    world.released(project)
    running: list[int] = []

    def look(*_: object, **__: object) -> None:
        with world.services.database.reading() as tx:
            running.append(sum(d.status is RUNNING for d in store.all_open(tx)))
        if len(running) == 1:
            ask(world, project, boss, where="staging")
            deployments.give_turn(world.services, world.environment(project, "staging").id)

    world.stacks.ensure_network = look  # type: ignore[method-assign]
    ask(world, project, boss, where="staging")
    world.durable.run()
    assert running == [1, 1]
    assert [d.status for d in world.deployments(world.environment(project, "staging"))] == [SUCCEEDED] * 3


@pytest.mark.parametrize(
    ("failure", "undone", "expected"),
    [
        ("", "", (SUCCEEDED, "")),
        ("no luck", "", (FAILED, "no luck")),
        ("no luck", "put back", (ROLLED_BACK, "no luck")),
        ("no luck", "removed", (FAILED, "no luck")),
        ("no luck", "no way", (FAILED, "no luck. The way back failed too: no way")),
        ("Canceled.", "", (CANCELED, "Canceled.")),
        ("Canceled.", "put back", (CANCELED, "Canceled.")),
        ("Canceled.", "removed", (CANCELED, "Canceled.")),
        ("Canceled.", "no way", (FAILED, "Canceled. The way back failed too: no way")),
    ],
)
def test_the_end_of_the_steps_becomes_a_status(
    failure: str, undone: str, expected: tuple[DeploymentStatus, str]
) -> None:
    assert outcome(failure, undone) == expected


def test_no_half_of_a_secret_is_left_where_a_long_line_is_cut(world: World, project: Project) -> None:
    settings.put(world.services, Scope(project.id), "KEY", "the-canary", "boss", secret=True)
    world.stacks.states.append(failing("s", "app", "task: non-zero exit (7)"))
    world.stacks.words = f"{'x' * 495}the-canary and more"
    world.released(project)
    assert "the-" not in latest(world, project).reason


def test_what_broke_is_told_without_secrets(world: World, project: Project, boss: User) -> None:
    settings.put(world.services, Scope(project.id), "KEY", "the-canary", "boss", secret=True)
    world.released(project)
    made = ask(world, project, boss)
    workflow.fail(world.services, made.id, "KeyError: the-canary")
    ended = world.deployment(made.id)
    assert (ended.status, ended.reason) == (FAILED, "KeyError: [secret]")


def test_a_turn_is_taken_at_once_and_by_one(world: World, project: Project, boss: User) -> None:
    world.released(project)
    first = ask(world, project, boss)
    second = ask(world, project, boss)
    environment = world.environment(project, "production")
    for _ in range(3):
        deployments.give_turn(world.services, environment.id)
    assert [world.deployment(d.id).status for d in (first, second)] == [RUNNING, QUEUED]
    assert f"deployment-{first.id}" in world.durable.started
    assert f"deployment-{second.id}" not in world.durable.started


def test_a_commit_that_was_overtaken_while_it_was_built_is_not_deployed(world: World, project: Project) -> None:
    world.push(project, again="1")
    (older,) = intake.take_pushes(world.services, project, "dev")
    world.durable.waiting.clear()  # its workflow stands still
    newer = world.released(project)
    world.durable.recover()
    world.durable.run()
    ended = world.pipeline(older.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert f"Release {newer.number}, of a newer commit, is there already: this one is not deployed." in ended.notes
    commits = [d.commit for d in world.deployments(world.environment(project, "staging"))]
    assert commits == [newer.commit]
