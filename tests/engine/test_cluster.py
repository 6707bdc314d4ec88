"""What is deployed to a target is done on its cluster, and on no other."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from tests.engine.fakes import FakeDatabases, FakePlatform, FakeRuns, FakeStacks
from tests.engine.world import COMPOSE, ENDING, World, fake_cluster

from cabestan.adapters.traefik import ACME_FILE
from cabestan.domain.access import User
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.domain.status import DeploymentStatus
from cabestan.domain.target import LOCAL
from cabestan.engine.deploying import deployments
from cabestan.engine.names import certificate_watch, certificates
from cabestan.engine.running import service_runs
from cabestan.engine.upkeep import housekeeping, keeping, platform, recovery
from cabestan.errors import NotFound
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store

_FAR = "10.0.0.9:5000"


class Fakes(NamedTuple):
    stacks: FakeStacks
    runs: FakeRuns
    databases: FakeDatabases
    platform: FakePlatform


@pytest.fixture
def far(world: World) -> Fakes:
    """A second cluster, whose target is called `far`."""
    home, fakes = world.services.home, Fakes(FakeStacks(), FakeRuns(), FakeDatabases(), FakePlatform())
    target = replace(home.target, name="far", registry=_FAR)
    clusters = {LOCAL: home, "far": fake_cluster(target, world.services.settings, *fakes)}
    object.__setattr__(world.services, "clusters", clusters)
    return fakes


@pytest.fixture
def project(world: World, far: Fakes) -> Project:
    """Its production is on the second cluster."""
    made = world.project()
    with world.services.database.writing() as tx:
        environment_store.update(tx, world.environment(made, "production").id, target="far")
    return made


@pytest.fixture
def boss(world: World) -> User:
    return world.user("boss", admin=True)


def on_production(world: World, project: Project, boss: User, compose: str = COMPOSE) -> Environment:
    release = world.released(project, **{"docker-compose.yml": compose})
    production = world.environment(project, "production")
    made = deployments.deploy(world.services, production, release, boss)
    world.durable.run()
    assert world.deployment(made.id).status is DeploymentStatus.SUCCEEDED, world.deployment(made.id).reason
    return world.environment(project, "production")


def stack_of(world: World, environment: Environment) -> str:
    return environment.stack_name(world.services.settings.instance)


def test_a_release_is_put_on_the_cluster_of_each_environment(
    world: World, far: Fakes, project: Project, boss: User
) -> None:
    production = on_production(world, project, boss)
    staging = world.environment(project, "staging")
    assert set(world.stacks.deployed) == {stack_of(world, staging)}
    assert set(far.stacks.deployed) == {stack_of(world, production)}
    joined = {network for _, network in far.platform.called("join")}
    assert joined == {f"{stack_of(world, production)}-net"}


def test_what_runs_once_runs_where_its_environment_is(world: World, far: Fakes, project: Project, boss: User) -> None:
    on_production(world, project, boss, COMPOSE + ENDING)
    assert [run.service["labels"]["cabestan.environment"] for run in world.runs.started] == ["staging"]
    assert [run.service["labels"]["cabestan.environment"] for run in far.runs.started] == ["production"]


def test_a_database_is_made_where_its_environment_is(world: World, far: Fakes, project: Project, boss: User) -> None:
    production = on_production(world, project, boss, COMPOSE + "  redis:\n    image: redis\n")
    with world.services.database.reading() as tx:
        (instance,) = managed_store.in_environment(tx, production.id)
    assert instance.target == "far"
    assert instance.stack in far.stacks.deployed
    assert instance.stack not in world.stacks.deployed


def test_all_routers_get_the_certificates(world: World, far: Fakes) -> None:
    certificates.deliver(world.services)
    assert far.platform.called("write") == world.platform.called("write") != []


def test_each_cluster_is_tidied(world: World, far: Fakes, project: Project, boss: User) -> None:
    production = on_production(world, project, boss, COMPOSE + ENDING)
    net = f"{stack_of(world, production)}-net"
    far.stacks.networks[f"{net}-old"] = production.id
    housekeeping.drop_networks(world.services)
    assert set(far.stacks.networks) == {net}
    far.runs.start(far.runs.started[0], lambda: None)
    service_runs.remove_left_over(world.services)
    assert not far.runs.there


def test_each_router_is_kept_in_its_networks(world: World, far: Fakes, project: Project, boss: User) -> None:
    net = f"{stack_of(world, on_production(world, project, boss))}-net"
    router = world.services.home.router
    for rejoin in (lambda: recovery.rejoin_router(world.services), lambda: keeping.look(world.services)):
        far.platform.leave(router, net)
        rejoin()
        assert far.platform.joined == {(router, net)}
        assert (router, net) not in world.platform.joined


def test_each_router_gets_its_own_acme_account_back(world: World, far: Fakes) -> None:
    services = world.services
    settings = services.settings.model_copy(update={"acme_email": "ops@example.org"})
    object.__setattr__(services, "settings", settings)
    world.platform.files[ACME_FILE], far.platform.files[ACME_FILE] = b"home's", b"far's"
    certificate_watch.keep_accounts(services)
    for target, account in ((LOCAL, b"home's"), ("far", b"far's")):
        made = platform.wanted_router(settings, services.vault, services.clusters[target])
        assert made.files[ACME_FILE] == account


def test_a_router_that_is_down_is_told_with_its_target(world: World, far: Fakes) -> None:
    router = world.services.home.router
    far.platform.down[router] = ""
    assert keeping.look(world.services) == {f"{router} on far"}


def test_a_target_that_is_no_more_is_named(world: World, project: Project, boss: User) -> None:
    release = world.released(project)
    object.__setattr__(world.services, "clusters", {LOCAL: world.services.home})
    made = deployments.deploy(world.services, world.environment(project, "production"), release, boss)
    world.durable.run()
    ended = world.deployment(made.id)
    assert ended.status is DeploymentStatus.FAILED
    assert "There is no target far." in ended.reason
    with pytest.raises(NotFound, match="Use local"):
        world.services.cluster_of(world.environment(project, "production"))
