from __future__ import annotations

import pytest
from tests.engine.world import World
from tests.web.client import asking, sign_in, token
from tests.web.test_api import keys

from cabestan.domain.access import Role
from cabestan.domain.project import Project

AT = "/api/v1/projects/shop/api/waivers"
PAGE = "/shop/api/settings/waivers"


@pytest.fixture
def project(world: World) -> Project:
    world.user("boss", shop=Role.MAINTAINER)
    world.user("admin", admin=True)
    return world.project()


def test_an_administrator_waives_and_takes_back_and_everything_is_on_record(world: World, project: Project) -> None:
    with asking(world, **token("admin")) as client:
        made = client.put(f"{AT}/image-root", json={"reason": "an old image"})
        assert (made.status_code, set(made.json())) == (200, keys("waiver"))
        assert [w["code"] for w in client.get(AT).json()["items"]] == ["image-root"]
        assert client.put(f"{AT}/image-root", json={"reason": "twice"}).status_code == 409
        assert client.delete(f"{AT}/image-root").status_code == 204
        assert client.get(AT).json()["items"] == []
        (kept,) = client.get(f"{AT}?removed=true").json()["items"]
        assert (kept["by"], kept["reason"], kept["removed_by"]) == ("admin", "an old image", "admin")
        assert client.delete(f"{AT}/image-root").status_code == 404


def test_a_maintainer_sees_waivers_and_changes_none(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as client:
        assert client.get(AT).status_code == 200
        assert client.put(f"{AT}/image-root", json={"reason": "please"}).status_code == 403
        assert client.delete(f"{AT}/image-root").status_code == 403
        assert "Waive a rule" not in client.get(PAGE).text


def test_rules_that_protect_others_cannot_be_waived(world: World, project: Project) -> None:
    with asking(world, **token("admin")) as client:
        refused = client.put(f"{AT}/no-privileged", json={"reason": "please"})
        assert refused.status_code == 422
        assert "cannot be waived" in refused.json()["error"]["message"]
        assert client.put(f"{AT}/nothing", json={"reason": "please"}).status_code == 404
        assert client.put(f"{AT}/image-root", json={"reason": " "}).status_code == 422


def test_the_page_waives_shows_and_takes_back_without_a_script(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "admin")
        page = client.get(PAGE).text
        assert "None: all rules hold." in page
        assert "no-privileged" not in page
        form = {"csrf_token": csrf, "code": "image-root", "reason": "<b>old</b>"}
        assert client.post(PAGE, data=form).status_code == 303
        page = client.get(PAGE).text
        assert 'id="waiver-image-root"' in page
        assert "&lt;b&gt;old&lt;/b&gt;" in page
        assert client.post(f"{PAGE}/remove", data={"csrf_token": csrf, "code": "image-root"}).status_code == 303
        page = client.get(PAGE).text
        assert 'id="waiver-image-root"' not in page
        assert "<h2>Removed</h2>" in page
