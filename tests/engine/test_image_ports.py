"""A route whose service names no port: its image tells it when the release is made."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.engine.test_linting import project_of
from tests.engine.test_pipelines import begun
from tests.engine.world import COMPOSE, World

from cabestan.compose.stack import routes_in
from cabestan.domain.image import ImageConfiguration
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.planning import make_plan
from cabestan.errors import Invalid
from cabestan.store import releases
from cabestan.store.schema import releases as table

PORTLESS = COMPOSE.replace("    expose: [8000]\n", "").replace('      traefik.port: "8000"\n', "")
FILES = {"Dockerfile": "FROM somebody/base\n", "docker-compose.yml": PORTLESS}


def ports(world: World, made: Pipeline) -> list[int]:
    """Of the routes that staging has."""
    (deployment,) = world.deployments(world.environment(project_of(world, made), "staging"))
    assert deployment.status is DeploymentStatus.SUCCEEDED, deployment.reason
    return [route.port for route in routes_in(world.plan(deployment).stack)]


def test_the_lowest_port_of_the_built_image_is_the_routes(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("1001", (), (443, 8000))
    made = begun(world, FILES)
    world.durable.run()
    assert ports(world, made) == [443]


def test_a_port_of_the_service_comes_before_it(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("1001", (), (443,))
    made = begun(world, FILES | {"docker-compose.yml": COMPOSE})
    world.durable.run()
    assert ports(world, made) == [8000]


def test_an_image_without_ports_is_refused_with_the_line_before_anything_is_deployed(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("1001")
    made = begun(world, FILES)
    world.durable.run()
    ended = world.pipeline(made.id)
    assert ended.status is RunStatus.FAILED
    assert ended.reason.startswith("docker-compose.yml:9:30 ")
    assert "The service exposes no port, and its image 127.0.0.1:5600/shop/api:" in ended.reason
    assert "declares none. Add traefik.port: 'PORT'." in ended.reason
    assert world.deployments(world.environment(project_of(world, made), "staging")) == ()


def test_an_image_of_somebody_else_tells_its_ports_when_it_is_pinned(world: World) -> None:
    world.stacks.images["127.0.0.1:5600/library/nginx"] = ImageConfiguration("1001", (), (80, 443))
    made = begun(
        world, FILES | {"docker-compose.yml": PORTLESS.replace("${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}", "nginx")}
    )
    world.durable.run()
    assert ports(world, made) == [80]


def test_one_that_is_named_by_its_digest_does_so_too(world: World) -> None:
    image = f"example.org/nginx@sha256:{'1' * 64}"
    world.stacks.images["example.org/nginx"] = ImageConfiguration("1001", (), (81,))
    made = begun(
        world, FILES | {"docker-compose.yml": PORTLESS.replace("${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}", image)}
    )
    world.durable.run()
    assert ports(world, made) == [81]


def test_a_release_of_before_knows_of_no_ports_and_is_refused_as_ever(world: World) -> None:
    world.registry.images["shop/api"] = ImageConfiguration("1001", (), (8000,))
    made = begun(world, FILES)
    world.durable.run()
    environment = world.environment(project_of(world, made), "staging")
    with world.services.database.writing() as tx:
        tx.execute(sa.update(table).values(ports={}))
        release = releases.of_pipeline(tx, made.id)
        assert release
        assert release.ports == {}
        with pytest.raises(Invalid, match="The service exposes no port"):
            make_plan(world.services, tx, Wanted(release, environment))
