"""Releases that ask for databases: what is planned, what the stack gets, what becomes of the databases."""

from __future__ import annotations

from collections import deque

import pytest
from tests.engine.fakes import Killed, failing
from tests.engine.managed.samples import CONTENTS, backup_of, instance_of
from tests.engine.world import World

from cabestan.adapters.secret_files import secret_name
from cabestan.adapters.stack_runs import StackRun
from cabestan.compose.stack import Stack
from cabestan.domain.access import Role, User
from cabestan.domain.backup import OperationKind
from cabestan.domain.deployment import Deployment, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance, InstanceStatus
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.building import intake
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.managed import use, wishes
from cabestan.engine.upkeep import recovery
from cabestan.engine.variables import secrets
from cabestan.errors import Conflict, StepFailed
from cabestan.store import backups, managed, releases
from cabestan.store import deployments as deployment_store
from cabestan.store.variables import Scope

APP = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    environment:
      DB: ${POSTGRES_DB:-} ${POSTGRES_USER:-} ${POSTGRES_SSL:-}
      WORD: ${POSTGRES_PASSWORD:-}
    labels:
      traefik.port: "8000"
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
"""
WITH = f"{APP}  postgresql:\n    image: postgres:9.6\n"
MIGRATE = '  migrate:\n    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}\n    restart: "no"\n'


FILE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    secrets: [POSTGRES_PASSWORD, {source: same, target: again}]
    labels:
      traefik.port: "8000"
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
  postgresql:
    image: postgres:9.6
secrets:
  same: {environment: POSTGRES_PASSWORD}
"""


@pytest.fixture
def project(world: World, monkeypatch: pytest.MonkeyPatch) -> Project:
    image = "registry/postgresql@sha256:" + "1" * 64
    monkeypatch.setattr("cabestan.engine.managed.images.pinned", lambda *_: (image, "15"))
    return world.project()


@pytest.fixture
def boss(world: World) -> User:
    return world.user("boss", shop=Role.MAINTAINER)


def deployed(world: World, project: Project, compose: str = WITH) -> Deployment:
    """On staging, to its end."""
    world.released(project, **{"docker-compose.yml": compose})
    return world.deployments(world.environment(project, "staging"))[-1]


def staging(world: World, project: Project) -> Environment:
    return world.environment(project, "staging")


def instances(world: World, project: Project) -> tuple[Instance, ...]:
    with world.services.database.reading() as tx:
        return managed.of_project(tx, project.id)


def test_the_plan_makes_the_database_before_the_stack_and_says_so(world: World, project: Project) -> None:
    done = deployed(world, project)
    plan = world.plan(done)
    assert [step.kind for step in plan.steps] == [
        StepKind.PULL,
        StepKind.MANAGED,
        StepKind.APPLY,
        StepKind.WATCH,
        StepKind.ROUTES,
    ]
    assert plan.steps[1].text == "Start managed services: postgresql"
    made = "postgresql is made: PostgreSQL 15, empty, with a volume of its own"
    assert [c.text for c in plan.changes if c.kind == "managed service added"] == [made]
    assert plan.services == ("app",)
    (instance,) = instances(world, project)
    assert (done.status, instance.status) == (DeploymentStatus.SUCCEEDED, InstanceStatus.SERVING)


def test_the_application_gets_the_variables_and_the_stack_holds_no_password(world: World, project: Project) -> None:
    deployed(world, project)
    (instance,) = instances(world, project)
    stack = staging(world, project).stack_name("cabestan")
    document, given = world.stacks.deployed[stack], world.stacks.secrets[stack]
    assert 'DB: "shop_api shop_api false"' in document or "DB: shop_api shop_api false" in document
    assert "${CABESTAN_SECRET_POSTGRES_PASSWORD}" in document
    assert len(given["POSTGRES_PASSWORD"]) == 48
    assert given["POSTGRES_PASSWORD"] not in document + world.stacks.deployed[instance.stack]


def waiting(world: World, project: Project, compose: str) -> Deployment:
    """Of a new release, on production."""
    world.released(project, **{"docker-compose.yml": compose})
    return world.deployments(world.environment(project, "production"))[-1]


def approve(world: World, deployment: Deployment, boss: User, seen: str) -> DeploymentStatus:
    deployments.approve(world.services, deployment.id, boss, seen, "")
    world.durable.run()
    with world.services.database.reading() as tx:
        return deployment_store.get(tx, deployment.id).status


def test_an_approval_binds_to_what_happens_to_databases_too(world: World, project: Project, boss: User) -> None:
    """The stack is the same whether a database is used again or made anew, but the plan is not."""
    for compose in (WITH, APP):
        former = waiting(world, project, compose)
        assert approve(world, former, boss, world.plan(former).fingerprint) is DeploymentStatus.SUCCEEDED
    again = waiting(world, project, WITH)
    before = world.plan(again)
    (production,) = [i for i in instances(world, project) if i.environment == "production"]
    with world.services.database.writing() as tx:
        managed.update(tx, production.id, status=InstanceStatus.DELETED)
    with pytest.raises(Conflict, match="has changed since you looked at it"):
        approve(world, again, boss, before.fingerprint)
    after = world.plan(again)
    assert (before.stack == after.stack, before.fingerprint == after.fingerprint) == (True, False)
    assert [c.kind for c in after.changes if c not in before.changes] == ["managed service added"]


def test_switching_managed_services_off_voids_an_approval(world: World, project: Project, boss: User) -> None:
    """Approved, and queued behind another one that runs."""
    first = waiting(world, project, WITH.replace("postgres:9.6", "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"))
    production = world.environment(project, "production")
    with world.services.database.reading() as tx:
        release = releases.by_id(tx, first.release_id)
    deployments.deploy(world.services, production, release, boss)
    queued = deployments.deploy(world.services, production, release, world.user("dev", shop=Role.DEVELOPER))
    before = world.plan(queued)
    deployments.approve(world.services, queued.id, boss, before.fingerprint, "")
    settings.set_managed(world.services, production, managed="no")
    with world.services.database.reading() as tx:
        again = deployment_store.get(tx, queued.id)
        assert [word.void for word in deployment_store.approvals_of(tx, queued.id)] == [again.reason]
    assert (again.status, again.approved_by) == (DeploymentStatus.WAITING, "")
    assert again.reason == "The plan has changed since it was approved, so it waits for another approval."


def test_later_deployments_and_rollbacks_use_the_same_one(world: World, project: Project, boss: User) -> None:
    deployed(world, project)
    (first,) = instances(world, project)
    deployed(world, project)
    deployed(world, project, APP)
    (unused,) = instances(world, project)
    assert unused == first.evolve(status=InstanceStatus.UNUSED)
    deployments.roll_back(world.services, staging(world, project), 1, boss)
    world.durable.run()
    assert world.deployments(staging(world, project))[-1].status is DeploymentStatus.SUCCEEDED
    assert instances(world, project) == (first,)
    assert world.databases.called("remove_volume") == []
    assert world.databases.called("remove_service") == []


def test_the_plan_tells_that_data_stays_when_the_service_goes(world: World, project: Project) -> None:
    deployed(world, project)
    (instance,) = instances(world, project)
    plan = world.plan(deployed(world, project, APP))
    kept = f"postgresql is no longer used: it keeps its data in the volume {instance.volume}"
    assert [c.text for c in plan.changes if c.kind == "managed service unused"] == [kept]


def test_a_failed_first_deployment_leaves_database_and_network(world: World, project: Project) -> None:
    stack = staging(world, project).stack_name("cabestan")
    healthy_state = world.stacks.state
    world.stacks.state = lambda name: failing(name, "app", "no") if name == stack else healthy_state(name)  # type: ignore[method-assign]
    assert deployed(world, project).status is DeploymentStatus.FAILED
    (instance,) = instances(world, project)
    assert instance.network in world.stacks.networks
    assert instance.stack in world.stacks.deployed


def test_an_environment_may_keep_its_own_container(world: World, project: Project) -> None:
    settings.set_managed(world.services, staging(world, project), managed="no")
    assert world.plan(deployed(world, project)).services == ("app", "postgresql")
    assert instances(world, project) == ()


def test_a_name_never_leads_to_two(world: World, project: Project) -> None:
    """The environment takes its own container after it had a managed one, and then the managed one again."""
    deployed(world, project)
    (instance,) = instances(world, project)
    assert "aliases" in world.stacks.deployed[instance.stack]
    settings.set_managed(world.services, staging(world, project), managed="no")
    deployed(world, project)
    assert "- postgresql" not in world.stacks.deployed[instance.stack]
    assert [i.attached for i in instances(world, project)] == [False]
    settings.set_managed(world.services, staging(world, project), managed="default")
    deployed(world, project)
    assert "- postgresql" in world.stacks.deployed[instance.stack]


def test_a_failure_before_the_change_over_gives_the_name_back_to_the_projects_own(
    world: World, project: Project
) -> None:
    settings.set_managed(world.services, staging(world, project), managed="no")
    deployed(world, project)
    settings.set_managed(world.services, staging(world, project), managed="yes")
    world.runs.exits["migrate"] = deque([Exit(1)])
    assert deployed(world, project, f"{WITH}{MIGRATE}").status is DeploymentStatus.ROLLED_BACK
    (instance,) = instances(world, project)
    assert not instance.attached
    assert "- postgresql" not in world.stacks.deployed[instance.stack]


def test_data_that_is_being_deployed_to_cannot_be_deleted(world: World, project: Project) -> None:
    deployed(world, project)
    deployed(world, project, APP)
    refused: list[str] = []

    def delete(_run: StackRun) -> None:
        (instance,) = instances(world, project)
        with pytest.raises(Conflict) as conflict:
            wishes.delete(world.services, instance, "boss", "staging/postgresql")
        refused.append(conflict.value.message)

    world.runs.while_running = delete
    deployed(world, project, f"{WITH}{MIGRATE}")
    assert refused[0] == "What serves on staging, or is being deployed, uses postgresql."


def test_a_name_that_is_given_up_during_an_upgrade_starts_nothing_on_the_volume(world: World, project: Project) -> None:
    deployed(world, project)
    (instance,) = instances(world, project)
    with world.services.database.writing() as tx:
        backups.begin(tx, instance.id, OperationKind.UPGRADE, "boss", world.clock())
    settings.set_managed(world.services, staging(world, project), managed="no")
    deployed(world, project)
    assert "- postgresql" not in world.stacks.deployed[instance.stack]
    assert "replicas: 0" in world.stacks.deployed[instance.stack]


def test_a_variable_of_the_same_name_is_hidden_and_the_plan_says_so(world: World, project: Project) -> None:
    settings.put(world.services, Scope(project.id, ""), "POSTGRES_PASSWORD", "of-the-project", "dev", secret=True)
    done = deployed(world, project)
    warning = "POSTGRES_PASSWORD is set in the project, but the managed service has its own, which is used."
    assert warning in world.plan(done).warnings
    stack = staging(world, project).stack_name("cabestan")
    assert world.stacks.secrets[stack]["POSTGRES_PASSWORD"] != "of-the-project"


def test_a_container_of_its_own_gets_the_projects_password_beside_an_unused_managed_service(
    world: World, project: Project
) -> None:
    deployed(world, project)
    settings.put(world.services, Scope(project.id, ""), "POSTGRES_PASSWORD", "of-the-project", "dev", secret=True)
    settings.set_managed(world.services, staging(world, project), managed="no")
    deployed(world, project)
    assert [i.status for i in instances(world, project)] == [InstanceStatus.UNUSED]
    stack = staging(world, project).stack_name("cabestan")
    assert world.stacks.secrets[stack]["POSTGRES_PASSWORD"] == "of-the-project"


def test_without_an_image_for_it_mongodb_is_refused_with_its_line(world: World, project: Project) -> None:
    world.push(project, {"docker-compose.yml": f"{APP}  mongodb:\n    image: mongo:3.2\n", "Dockerfile": "FROM x\n"})
    (pipeline,) = intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    reason = world.pipeline(pipeline.id).reason
    assert "docker-compose.yml:11:3 services.mongodb: MongoDB is not in Debian" in reason
    assert "An administrator sets mongodb_image to an image" in reason


@pytest.mark.parametrize("edge", ["before", "done, not recorded", "after"])
def test_a_kill_while_it_is_made_makes_one(world: World, project: Project, edge: str) -> None:
    world.durable.kill_at = f"deployment.managed:{edge}"
    with pytest.raises(Killed):
        deployed(world, project)
    recovery.reconcile(world.services)
    world.durable.recover()
    world.durable.run()
    assert world.deployments(staging(world, project))[-1].status is DeploymentStatus.SUCCEEDED
    assert len(instances(world, project)) == 1


def swarm_secrets(world: World, project: Project) -> dict[str, str]:
    """What the stack that serves refers to, with the contents that Swarm was given."""
    stack = staging(world, project).stack_name("cabestan")
    document = Stack.from_yaml(world.stacks.deployed[stack])
    assert set(document.secret_files.values()) == {"POSTGRES_PASSWORD"}
    return {name: world.stacks.files[stack][name] for name in document.secret_files}


def its_password(world: World, project: Project) -> str:
    (instance,) = instances(world, project)
    with world.services.database.reading() as tx:
        return use.password(world.services, tx, instance)


def test_the_password_of_a_managed_service_can_be_a_file_from_the_first_deployment_on(
    world: World, project: Project, boss: User
) -> None:
    deployed(world, project, FILE)
    ((name, value),) = swarm_secrets(world, project).items()
    stack = staging(world, project).stack_name("cabestan")
    hashed = world.services.vault.hash(value, f"{stack} POSTGRES_PASSWORD")
    assert (value, name) == (its_password(world, project), secret_name(stack, "POSTGRES_PASSWORD", hashed))
    assert value not in world.stacks.deployed[stack]

    deployed(world, project, FILE)
    deployed(world, project, APP)
    deployments.roll_back(world.services, staging(world, project), 1, boss)
    world.durable.run()
    assert swarm_secrets(world, project) == {name: value}


def test_the_file_stays_the_same_after_a_restore_and_an_upgrade(
    world: World, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(world, project, FILE)
    before = swarm_secrets(world, project)
    (instance,) = instances(world, project)
    world.databases.contents[instance.name] = dict(CONTENTS)
    wishes.restore(world.services, instance, backup_of(world, instance), "boss", "staging/postgresql")
    world.durable.run()
    monkeypatch.setattr("cabestan.engine.managed.images.upgrade_image", lambda *_: ("registry/x@sha256:2", "16"))
    monkeypatch.setattr(world.databases, "start_scratch", lambda scratch: scratch.instance.name)
    monkeypatch.setattr(world.databases, "manifest", lambda _container, _seconds: CONTENTS)
    wishes.upgrade(world.services, instances(world, project)[0], "16", "boss", "staging/postgresql")
    world.durable.run()
    deployed(world, project, FILE)
    (after,) = instances(world, project)
    assert (after.version, after.generation, swarm_secrets(world, project)) == ("16", 3, before)


def test_what_waits_for_the_password_of_a_deleted_database_is_planned_anew(world: World, project: Project) -> None:
    deployed(world, project, FILE)
    production = world.environment(project, "production")
    (waiting,) = world.deployments(production)
    instance = instance_of(world, production)
    with world.services.database.writing() as tx:
        deployments.refresh_plan(world.services, tx, waiting)
    former = world.plan(waiting).stack
    wishes.delete(world.services, instance, "boss", "production/postgresql")
    world.durable.run()
    assert world.plan(waiting).stack != former


def test_a_database_that_is_made_anew_has_another_password(world: World, project: Project) -> None:
    deployed(world, project, FILE)
    before = swarm_secrets(world, project)
    deployed(world, project, APP)
    (instance,) = instances(world, project)
    world.databases.contents[instance.name] = dict(CONTENTS)
    wishes.delete(world.services, instance, "boss", "staging/postgresql")
    world.durable.run()
    deployed(world, project, FILE)
    after = swarm_secrets(world, project)
    assert (list(after.values()), set(after) & set(before)) == ([its_password(world, project)], set())


def test_a_plan_for_another_password_is_refused(world: World, project: Project) -> None:
    plan = world.plan(deployed(world, project, FILE))
    stack = staging(world, project).stack_name("cabestan")
    changed = pytest.raises(StepFailed, match="POSTGRES_PASSWORD has changed since this deployment was planned")
    with world.services.database.reading() as tx, changed:
        secrets.used_by(tx, world.services.vault, stack, plan, {"POSTGRES_PASSWORD": "another"})
