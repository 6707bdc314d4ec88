from __future__ import annotations

import pytest
from tests.engine.world import World

from cabestan.domain.rule import Waiver
from cabestan.engine.deploying import waivers
from cabestan.errors import Conflict, Invalid, NotFound
from cabestan.store import waivers as store


def held(world: World, key: int) -> list[str]:
    with world.services.database.reading() as tx:
        return [waiver.code for waiver in store.holding(tx, key)]


def record(world: World, key: int) -> tuple[Waiver, ...]:
    with world.services.database.reading() as tx:
        return store.record(tx, key)


def test_a_waiver_is_of_one_project_and_stays_on_record(world: World) -> None:
    project, other = world.project(), world.project("shop/other")
    waivers.waive(world.services, project, "image-root", "  an old\n image ", "admin")
    assert (held(world, project.id), held(world, other.id)) == (["image-root"], [])
    waivers.take_back(world.services, project, "image-root", "boss")
    assert held(world, project.id) == []
    waivers.waive(world.services, project, "image-root", "again", "admin")
    newest, first = record(world, project.id)
    assert (first.by, first.reason, first.removed_by, first.removed_at is None) == (
        "admin",
        "an old image",
        "boss",
        False,
    )
    assert (newest.reason, newest.removed_by, newest.removed_at) == ("again", "", None)


def test_a_rule_is_waived_once_at_a_time(world: World) -> None:
    project = world.project()
    waivers.waive(world.services, project, "no-root", "old", "admin")
    with pytest.raises(Conflict, match="is waived already"):
        waivers.waive(world.services, project, "no-root", "older", "admin")
    assert len(record(world, project.id)) == 1


def test_what_protects_others_what_is_unknown_and_what_has_no_reason_is_refused(world: World) -> None:
    project = world.project()
    for code in ("no-privileged", "no-host-path", "route", "label-reserved", "no-network-mode"):
        with pytest.raises(Invalid, match="cannot be waived"):
            waivers.waive(world.services, project, code, "please", "admin")
    with pytest.raises(NotFound, match="no rule nothing"):
        waivers.waive(world.services, project, "nothing", "please", "admin")
    with pytest.raises(Invalid, match="needs a reason"):
        waivers.waive(world.services, project, "no-root", " \n ", "admin")
    with pytest.raises(NotFound, match="is not waived"):
        waivers.take_back(world.services, project, "no-root", "admin")
    assert record(world, project.id) == ()
