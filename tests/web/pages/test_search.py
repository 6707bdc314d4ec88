"""The search finds what one may see, and nothing else."""

from __future__ import annotations

import re

import pytest
from tests.engine.world import World
from tests.samples import NOW
from tests.store.rows import make_deployment, make_pipeline, make_project, make_release
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.domain.status import DeploymentStatus
from cabestan.engine.deploying import settings
from cabestan.store import hosts
from cabestan.store.variables import Scope

#: what is looked for, and the address of what is found for it by those who may see shop/api
FINDS = {
    "shop/A": "/shop/api",
    "sho": "/groups/shop",
    "stagi": "/shop/api/environments/staging",
    "lentil SOUP": "/shop/api/pipelines/1",
    "beef": "/shop/api/pipelines/1",
    "#1": "/shop/api/pipelines/1",
    "1": "/shop/api/deployments/1",
    "levels_of": "/shop/api/settings/variables",
    "KEY_OF": "/shop/api/environments/staging",
    "every_project": "/groups/shop/variables",
    "boulangerie": "/shop/api/environments/staging",
    "margo": "/groups/shop",
    "guest": "/shop/api/settings/members",
}


@pytest.fixture
def shop(world: World) -> World:
    """A project in which each name, title and number is found by what is in `FINDS`."""
    with world.services.database.writing() as tx:
        made = make_project(tx)
        make_pipeline(tx, made.project, title="Serve Lentil Soup", commit="beef" * 10)
        release = make_release(tx, made.project)
        make_deployment(tx, made.staging, release, DeploymentStatus.SUCCEEDED)
        hosts.add_claims(tx, made.staging, ["www.boulangerie.example"], NOW)
    scope = Scope(made.project.id, "")
    settings.put(world.services, scope, "LEVELS_OF_SALT", "canary", "dev", secret=False)
    settings.put(world.services, Scope(made.project.id, "staging"), "KEY_OF_DOOR", "canary", "dev", secret=True)
    settings.put(world.services, Scope(group="shop"), "OF_EVERY_PROJECT", "canary", "dev", secret=False)
    settings.put(world.services, scope, "GONE_LONG_AGO", "canary", "dev", secret=False)
    settings.remove(world.services, scope, "GONE_LONG_AGO", secret=False, by="dev")
    world.user("margot", shop=Role.REPORTER)
    world.user("guest", shop__api=Role.REPORTER)
    world.user("stranger", ops=Role.MAINTAINER)
    return world


def _hrefs(page: str) -> list[str]:
    return re.findall(r'href="([^"]+)"', page.partition("<main")[2])


def test_names_titles_hosts_people_and_numbers_are_found(shop: World) -> None:
    with asking(shop, **token("margot")) as client:
        for query, at in FINDS.items():
            page = client.get("/search", params={"q": query}).text
            assert at in _hrefs(page), (query, _hrefs(page))
            assert "canary" not in page


def test_a_release_is_found_by_its_number_where_its_list_begins_with_it(shop: World) -> None:
    with asking(shop, **token("margot")) as client:
        assert "/shop/api/releases?before=2" in _hrefs(client.get("/search?q=1").text)


def test_a_stranger_finds_nothing(shop: World) -> None:
    with asking(shop, **token("stranger")) as client:
        for query in FINDS:
            page = client.get("/search", params={"q": query}).text
            assert "Nothing that you may see" in page, query
            assert _hrefs(page) == [], query


def test_with_a_role_in_one_project_the_group_keeps_its_variables_to_itself(shop: World) -> None:
    with asking(shop, **token("guest")) as client:
        assert _hrefs(client.get("/search?q=every_project").text) == []
        assert _hrefs(client.get("/search?q=levels_of").text) == ["/shop/api/settings/variables"]
        assert "/shop/api/settings/members" in _hrefs(client.get("/search?q=margot").text)


def test_what_was_removed_is_not_found_nor_what_stands_for_any_character(shop: World) -> None:
    with asking(shop, **token("margot")) as client:
        for query in ("gone_long", "%", "l_ntil", "no such thing at all"):
            assert _hrefs(client.get("/search", params={"q": query}).text) == [], query


def test_of_each_kind_the_first_are_shown_and_that_there_are_more(shop: World) -> None:
    with shop.services.database.writing() as tx:
        for number in range(30):
            make_project(tx, f"shop/more{number:02}")
    with asking(shop, **token("margot")) as client:
        page = client.get("/search?q=more").text
    assert "shop/more19" in page
    assert "shop/more20" not in page
    assert "the first 20" in page
