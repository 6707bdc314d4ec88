"""The pages of routes: what is served, who answers an address, whose the host names are."""

from __future__ import annotations

import httpx
import pytest
from tests.engine.world import COMPOSE, World
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.engine.names import host_changes

FIRST = "'Host:a.org;PathPrefix:/api,/v1;Method:GET'"


@pytest.fixture
def page(world: World) -> World:
    api, web = world.project("shop/api"), world.project("other/web")
    boss = world.user("boss", admin=True)
    world.user("reporter", shop=Role.REPORTER)
    for project, rule in ((api, FIRST), (web, "HostRegexp:{x:[a-z]+}.b.org")):
        world.released(project, **{"docker-compose.yml": COMPOSE.replace("Host:${CI_ENVIRONMENT_DOMAIN}", rule)})
    host_changes.assign(world.services, "*.shop.org", "shop", boss)
    host_changes.assign(world.services, "*.other.org", "other", boss)
    return world


def read(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_one_sees_the_routes_and_names_of_ones_own_projects(page: World) -> None:
    with asking(page, **token("reporter")) as client:
        for path in ("/routes", "/shop/api/routes"):
            text = read(client, path)
            assert "Host(`a.org`) &amp;&amp; (PathPrefix(`/api`) || PathPrefix(`/v1`)) &amp;&amp; Method(`GET`)" in text
            assert 'in the file: <code class="title">Host:a.org;PathPrefix:/api,/v1;Method:GET</code>' in text
            assert "*.shop.org" in text
            assert "b.org" not in text
            assert "other" not in text.replace("Those of all", "")
        assert client.get("/other/web/routes").status_code == 404
    with asking(page, **token("boss")) as client:
        text = read(client, "/routes")
        assert "*.b.org" in text
        assert "*.other.org" in text
        assert "a.org" not in read(client, "/other/web/routes").replace("data-", "")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("url=https://a.org/api/x", "<strong>app</strong> of <a"),
        ("url=a.org/x", "The host is routed by shop/api, but this path, query or method is not."),
        ("url=a.org/api&method=POST", "The host is routed by shop/api"),
        ("url=x.b.org", "No route that you may see answers."),
        ("url=ftp://x", "is not an address"),
    ],
)
def test_a_question_is_answered(page: World, query: str, said: str) -> None:
    with asking(page, **token("reporter")) as client:
        assert said in read(client, f"/routes?{query}")
        assert said in read(client, f"/shop/api/routes?{query}")


def test_names_are_given_away_by_administrators_and_up_by_maintainers(page: World) -> None:
    with asking(page, **token("boss")) as client:
        made = client.put("/api/v1/hosts/*.new.org", json={"owner": "shop/api"})
        assert (made.status_code, made.json()["pattern"], made.json()["owner"]) == (200, "*.new.org", "shop/api")
        assert client.delete("/api/v1/hosts/*.new.org").status_code == 204
        assert client.delete("/api/v1/hosts/*.new.org").status_code == 404
        refused = client.delete("/api/v1/projects/shop/api/hosts/a.org")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
        assert client.put("/api/v1/hosts/a.org", json={"owner": "other"}).status_code == 409
