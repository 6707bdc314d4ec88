"""What people may set of an environment that has approvers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.world import World
from tests.samples import ADMIN

from cabestan.domain.access import Role, User
from cabestan.domain.environment import Environment, Trigger
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.errors import Forbidden
from cabestan.store import users

OF_APPROVAL = [
    ({"trigger": Trigger.AUTOMATIC}, "whether releases come at once"),
    ({"branches": ("*",)}, "the branches that they come from"),
    ({"approvers": ("boss",)}, "who approves"),
    ({"approvers": ()}, "who approves"),
    ({"compose_files": ("other.yml",)}, "the Compose files"),
    ({"approvers": (), "trigger": Trigger.AUTOMATIC}, "whether releases come at once, who approves"),
]


@pytest.fixture
def project(world: World) -> Project:
    return world.project()


@pytest.fixture
def boss(world: World) -> User:
    return world.user("boss", shop=Role.MAINTAINER)


@pytest.fixture
def guarded(world: World, project: Project, boss: User) -> Environment:
    """Production, where rita and the developer dora approve."""
    world.user("rita", shop=Role.MAINTAINER)
    world.user("dora", shop=Role.DEVELOPER)
    return settings.set_environment(world.services, project, "production", boss, approvers=("rita", "dora"))


@pytest.mark.parametrize(("change", "told"), OF_APPROVAL)
def test_a_maintainer_who_is_no_approver_changes_nothing_of_what_is_approved(
    world: World, project: Project, guarded: Environment, boss: User, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(Forbidden) as refused:
        settings.set_environment(world.services, project, "production", boss, domain="a.example.org", **change)
    assert str(refused.value) == (
        f"production of shop/api has approvers, so you may not change {told}. Ask rita or an administrator."
    )
    assert world.environment(project, "production") == guarded


@pytest.mark.parametrize("change", [change for change, _ in OF_APPROVAL])
def test_its_approvers_and_administrators_change_it(
    world: World, project: Project, guarded: Environment, change: dict[str, Any]
) -> None:
    with world.services.database.reading() as tx:
        rita = users.get(tx, "rita")
    for who in (rita, ADMIN):
        changed = settings.set_environment(world.services, project, "production", who, **change)
        assert changed == guarded.evolve(**change)
        settings.set_environment(
            world.services,
            project,
            "production",
            ADMIN,
            approvers=guarded.approvers,
            trigger=guarded.trigger,
            branches=guarded.branches,
            compose_files=(),
        )


def test_the_rest_and_what_stays_as_it_is_may_be_sent(
    world: World, project: Project, guarded: Environment, boss: User
) -> None:
    same = {"trigger": Trigger.MANUAL, "branches": ("@default",), "approvers": ("rita", "dora"), "compose_files": ()}
    changed = settings.set_environment(world.services, project, "production", boss, watch_seconds=7, **same)  # type: ignore[arg-type]
    assert changed == guarded.evolve(watch_seconds=7)


def test_where_nobody_is_named_maintainers_set_it(world: World, project: Project, boss: User) -> None:
    changed = settings.set_environment(world.services, project, "production", boss, trigger=Trigger.AUTOMATIC)
    assert changed.trigger is Trigger.AUTOMATIC


def test_a_name_given_twice_is_kept_once(world: World, project: Project, boss: User) -> None:
    given = {"approvers": ("boss", "boss"), "branches": ("main", "main")}
    changed = settings.set_environment(world.services, project, "production", boss, **given)  # type: ignore[arg-type]
    assert (changed.approvers, changed.branches) == (("boss",), ("main",))
