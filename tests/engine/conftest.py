"""A project and its people."""

import pytest
from tests.engine.world import World

from cabestan.domain.access import Role, User
from cabestan.domain.project import Project


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


@pytest.fixture
def dev(world: World, project: Project) -> User:
    return world.user("dev", shop=Role.DEVELOPER)


@pytest.fixture
def boss(world: World, project: Project) -> User:
    return world.user("boss", shop=Role.MAINTAINER)
