"""Environments, projects and volumes are taken away with everything that they have, and a last backup of their data."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.engine.fakes import Killed, packed
from tests.engine.managed.samples import backed_up
from tests.engine.world import COMPOSE, ENDING, World

from cabestan.domain.deletion import Deletion, DeletionStatus
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deleting import last_backups, shown, wishes
from cabestan.engine.deploying import deployments, settings
from cabestan.errors import Conflict, Invalid, NotFound, StepFailed
from cabestan.store import deletions, projects, users
from cabestan.store import deployments as deployment_store
from cabestan.store.schema import metadata
from cabestan.store.variables import Scope

#: what is told of changes goes after a day; what was deleted stays on record, with its last backups
_STAYS = {"outbox", "deletions", "last_backups", "used_ids", "facts", "alembic_version"}


@pytest.fixture
def project(world: World) -> Project:
    """Deployed to staging, with variables, a database and a volume there."""
    made = world.project()
    for environment in ("", "staging"):
        settings.put(world.services, Scope(made.id, environment), "LEVEL", "high", "dev", secret=False)
    world.released(made, **{"docker-compose.yml": COMPOSE + ENDING})
    staging = world.environment(made, "staging")
    backed_up(world, staging)
    stack = staging.stack_name(world.services.settings.instance)
    world.volumes.there[stack] = {f"{stack}_data": "data", f"{stack}_empty": "empty"}
    world.volumes.contents[f"{stack}_empty"] = packed("volume/")
    return made


def rows(world: World) -> dict[str, int]:
    """How many there are in each table."""
    with world.services.database.reading() as tx:
        count = {name: sa.select(sa.func.count()).select_from(table) for name, table in metadata.tables.items()}
        return {name: tx.execute(query).scalar_one() for name, query in count.items() if name not in _STAYS}


def files(world: World) -> frozenset[str]:
    """Below the data folder, but for the database itself."""
    data = world.services.settings.data
    return frozenset(str(path.relative_to(data)) for path in data.rglob("*") if "sqlite" not in path.name)


def delete(world: World, environment: Environment, **options: bool) -> Deletion:
    begun = wishes.delete_environment(world.services, environment, "ada", environment.name, **options)
    world.durable.run()
    return read(world, begun)


def delete_project(world: World, project: Project) -> Deletion:
    begun = wishes.delete_project(world.services, project, "ada", project.name)
    world.durable.run()
    return read(world, begun)


def read(world: World, deletion: Deletion) -> Deletion:
    with world.services.database.reading() as tx:
        return deletions.get(tx, deletion.id)


def test_a_wrong_name_deletes_nothing(world: World, project: Project) -> None:
    staging, before = world.environment(project, "staging"), rows(world)
    for typed in ("", "production", "shop/api"):
        with pytest.raises(Invalid, match="nothing was deleted"):
            wishes.delete_environment(world.services, staging, "ada", typed)
        with pytest.raises(Invalid, match="so nothing was deleted"):
            wishes.delete_project(world.services, project, "ada", typed.replace("/", "-"))
    world.durable.run()
    assert rows(world) == before


def test_an_environment_goes_and_leaves_the_rest_as_it_was(world: World, project: Project) -> None:
    bare = world.project("shop/bare")
    before = rows(world)
    staging = world.environment(project, "staging")
    assert delete(world, staging).status is DeletionStatus.SUCCEEDED
    stack = staging.stack_name(world.services.settings.instance)
    assert stack not in world.stacks.deployed
    assert not any(stack in name for name in world.stacks.networks)
    assert not any(stack in network for _, network in world.platform.joined)
    assert world.volumes.there[stack] == {}
    after = rows(world)
    assert after["environments"] == before["environments"] - 1
    assert after["settings"] == before["settings"] - 1
    assert (after["releases"], after["pipelines"]) == (before["releases"], before["pipelines"])
    gone = ("observations", "host_claims", "schedules", "managed_services", "backups", "database_operations")
    assert {name: after[name] for name in gone} == dict.fromkeys(gone, 0)
    assert world.environment(bare, "staging").name == "staging"


def test_the_last_backups_are_kept_and_said_where(world: World, project: Project) -> None:
    """The former ones go; what has nothing in it is not backed up."""
    deletion = delete(world, world.environment(project, "staging"))
    with world.services.database.reading() as tx:
        kept = deletions.kept(tx, deletion.id)
    assert [(one.kind, one.name) for one in kept] == [("postgresql", "staging/postgresql"), ("volume", "data")]
    folder = world.services.settings.data / "backups"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == {name for one in kept for name in (one.file, f"{one.file}.json")}
    assert all(one.kept_until - one.created_at > timedelta(days=89) for one in kept)
    world.clock.now += timedelta(days=91)
    last_backups.forget_old(world.services)
    assert list(folder.iterdir()) == []


def test_a_project_leaves_nothing_behind(world: World) -> None:
    world.project("shop/other")
    before, there = rows(world), files(world)
    made = world.project()
    world.user("dev", shop__api="developer")  # type: ignore[arg-type]
    world.released(made, **{"docker-compose.yml": COMPOSE + ENDING})
    assert rows(world)["jobs"] > before["jobs"]
    assert delete_project(world, made).status is DeletionStatus.SUCCEEDED
    with world.services.database.writing() as tx:
        tx.execute(sa.delete(users.users).where(users.users.c.name == "dev"))
    own_authority = {"certificates": rows(world)["certificates"]}  # made at the first deployment, for all
    assert rows(world) | own_authority == before | own_authority
    assert files(world) - there <= {"backups", "locks"}
    assert world.stacks.deployed == {}
    assert [*world.builders.called("forget")[0]] == [made.id]
    assert world.platform.called("run_inside")[0][-1] == "shop/api"


@pytest.mark.parametrize("step", ["wait", "stop", "save", "take-away", "forget", "images", "forget-project", "record"])
def test_a_kill_at_any_step_is_gone_on_after(world: World, project: Project, step: str) -> None:
    begun = wishes.delete_project(world.services, project, "ada", "shop/api")
    world.durable.kill_at = f"deletion.{step}:done, not recorded"
    with pytest.raises(Killed):
        world.durable.run()
    world.durable.recover()
    world.durable.run()
    assert read(world, begun).status is DeletionStatus.SUCCEEDED
    with world.services.database.reading() as tx:
        assert projects.find(tx, "shop/api") is None
        assert len(deletions.kept(tx, begun.id)) == 2


def test_numbers_are_never_given_again(world: World, project: Project) -> None:
    """Workflows and containers are known by them."""
    with world.services.database.reading() as tx:
        latest = deployment_store.page(tx, project_id=project.id)[0].id
    delete_project(world, project)
    again = world.project()
    assert again.id > project.id
    world.released(again)
    with world.services.database.reading() as tx:
        made = deployment_store.page(tx, project_id=again.id)
    assert min(deployment.id for deployment in made) > latest
    assert world.deployment(latest + 1).status is DeploymentStatus.SUCCEEDED


def test_what_waits_ends_and_nothing_new_begins(world: World, project: Project) -> None:
    production = world.environment(project, "production")
    (waiting,) = world.deployments(production)
    assert waiting.status is DeploymentStatus.WAITING
    begun = wishes.delete_environment(world.services, production, "ada", "production")
    assert world.deployment(waiting.id).reason == "production is being deleted by ada."
    user = world.user("admin", admin=True)
    with world.services.database.reading() as tx:
        release = deployments.release_store.get(tx, project.id, 1)
    with pytest.raises(Conflict, match="The environment production of shop/api is being deleted, as ada wished"):
        deployments.deploy(world.services, production, release, user)
    with pytest.raises(Conflict, match="is being deleted"):
        wishes.delete_project(world.services, project, "ada", "shop/api")
    world.durable.run()
    assert read(world, begun).status is DeletionStatus.SUCCEEDED


def test_a_database_that_cannot_be_backed_up_keeps_the_environment(world: World, project: Project) -> None:
    staging = world.environment(project, "staging")
    world.databases.fail("dump", StepFailed("It is broken."))
    failed = delete(world, staging)
    assert failed.status is DeletionStatus.FAILED
    assert "staging/postgresql was not deleted: It is broken." in failed.detail
    assert "--without-backup" in failed.detail
    assert world.environment(project, "staging").current_deployment_id is None
    assert world.volumes.called("remove") == []
    assert delete(world, staging, saving=False).status is DeletionStatus.SUCCEEDED
    assert len(world.databases.called("dump")) == 2  # the first backup, and the one that failed


def test_a_volume_goes_alone_when_nothing_has_it(world: World, project: Project) -> None:
    staging = world.environment(project, "staging")
    with pytest.raises(NotFound, match="has no volume other"):
        wishes.delete_volume(world.services, staging, "other", "ada", "other")
    begun = wishes.delete_volume(world.services, staging, "data", "ada", "data")
    world.durable.run()
    assert read(world, begun).status is DeletionStatus.SUCCEEDED
    stack = staging.stack_name(world.services.settings.instance)
    assert world.volumes.there[stack] == {f"{stack}_empty": "empty"}
    assert stack in world.stacks.deployed


def test_what_goes_is_counted_beforehand(world: World, project: Project, tmp_path: Path) -> None:
    told = {line.noun: line for line in shown.of_environment(world.services, world.environment(project, "staging"))}
    assert told["volume"].names == ("data", "empty")
    assert told["volume"].kept == "a last backup is kept for 90 days"
    assert told["database"].names == ("postgresql",)
    assert told["variable and secret"].words == "1 variable and secret"
    whole = {line.noun: line.words for line in shown.of_project(world.services, project)}
    assert (whole["environment"], whole["branch or tag"]) == ("2 environments", "1 branch or tag")
