"""Each router has an answer ready for what is deployed on its target."""

from __future__ import annotations

from typing import Any

import yaml
from tests.engine.world import World

from cabestan.engine.observing.down_pages import DownPages


def given(world: World) -> list[Any]:
    """What the router was given, each time."""
    return [path for path in world.platform.called("write") if "/router/down.yml" in path]


def routers(world: World) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(world.platform.files["/router/down.yml"]).get("http", {}).get("routers", {})
    return found


def test_a_router_is_given_the_rules_of_what_is_deployed_once(world: World) -> None:
    pages = DownPages(world.services)
    pages.deliver()
    assert routers(world) == {}
    project = world.project()
    world.released(project)
    pages.deliver()
    domain = world.environment(project, "staging").full_domain("localhost")
    assert {one["rule"] for one in routers(world).values()} == {f"Host(`{domain}`)"}
    pages.deliver()
    assert len(given(world)) == 2
