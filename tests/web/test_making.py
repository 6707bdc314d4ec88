"""Making projects, environments, users and tokens by page, and the settings with their sections."""

from __future__ import annotations

import re

import pytest
from tests.engine.world import World
from tests.web.client import asking, sign_in

from cabestan.domain.access import Role
from cabestan.domain.environment import Trigger
from cabestan.domain.project import Project


@pytest.fixture
def project(world: World) -> Project:
    world.user("admin", admin=True)
    world.user("boss", shop=Role.MAINTAINER)
    world.user("lead", shop__api=Role.MAINTAINER)
    world.user("dev", shop=Role.DEVELOPER)
    return world.project()


def test_a_maintainer_of_a_group_makes_a_project_there_and_nowhere_else(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        assert '<option value="shop">' in client.get("/new").text
        form = {"csrf_token": csrf, "group": "shop", "project": "web", "default_branch": "main"}
        made = client.post("/new", data=form)
        assert (made.status_code, made.headers["location"]) == (303, "/shop/web")
        assert client.post("/new", data=form).status_code == 409
        assert client.post("/new", data=form | {"group": "other"}).status_code == 403
        assert client.post("/new", data=form | {"project": "No Name"}).status_code == 422


def test_others_are_told_who_makes_projects(world: World, project: Project) -> None:
    for name in ("dev", "lead"):
        with asking(world) as client:
            csrf = sign_in(client, world, name)
            page = client.get("/new").text
            assert "Administrators make projects" in page
            form = {"csrf_token": csrf, "group": "shop", "project": "web"}
            assert client.post("/new", data=form).status_code == 403


def test_an_environment_is_made_with_all_that_the_form_says(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        page = client.get("/shop/api/environments").text
        assert '<option value="boss">' in page
        form = {"csrf_token": csrf, "environment": "qa", "trigger": "manual", "branches": "main, feature/*"}
        made = client.post("/shop/api/environments", data=form | {"approvers": "boss", "domain": "qa.example.org"})
        assert made.headers["location"] == "/shop/api/environments/qa"
        again = client.post("/shop/api/environments", data=form | {"trigger": "automatic"})
        assert again.headers["location"] == "/shop/api/environments/qa"
    found = world.environment(project, "qa")
    assert (found.trigger, found.branches) == (Trigger.MANUAL, ("main", "feature/*"))
    assert (found.approvers, found.domain) == (("boss",), "qa.example.org")


def test_a_user_is_made_and_the_token_is_shown_once(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "admin")
        made = client.post("/users", data={"csrf_token": csrf, "name": "ada", "admin": "false"})
        word = re.search(r"<code tabindex=\"0\">([\w-]{40,})</code>", made.text)
        assert word
        assert client.get("/api/v1/user", headers={"Authorization": f"Bearer {word[1]}"}).json()["name"] == "ada"
        assert word[1] not in client.get("/users/ada").text
        short = client.post("/users/ada/password", data={"csrf_token": csrf, "password": "short"})
        assert short.status_code == 422
        form = {"csrf_token": csrf, "password": "a few long words"}
        assert client.post("/users/ada/password", data=form).status_code == 303
        wrong = client.post("/users/ada/delete", data={"csrf_token": csrf, "confirm": "ad"})
        assert (wrong.status_code, "nothing was deleted" in wrong.text) == (422, True)
        assert client.post("/users/ada/delete", data={"csrf_token": csrf, "confirm": "ada"}).status_code == 303
        assert "user-ada" not in client.get("/users").text


def test_everybody_makes_and_deletes_tokens_of_their_own(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "dev")
        form = {"csrf_token": csrf, "name": "robot", "scope": "read", "days": "30"}
        assert "it is not shown again" in client.post("/account/tokens", data=form).text
        row = re.search(r'id="token-(\d+)"><td class="grow name">robot', client.get("/account").text)
        assert row
        gone = {"csrf_token": csrf, "token": row[1], "confirm": "robot"}
        assert client.post("/account/tokens/delete", data=gone | {"confirm": "x"}).status_code == 422
        assert client.post("/account/tokens/delete", data=gone).status_code == 303
        assert "robot" not in client.get("/account").text


def test_a_token_of_somebody_else_is_not_deleted(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "dev")
        for key in range(1, 5):
            client.post("/account/tokens/delete", data={"csrf_token": csrf, "token": str(key), "confirm": ""})
        assert client.get("/users/boss").status_code == 403
    with asking(world, Authorization="Bearer token-of-boss") as client:
        assert client.get("/api/v1/user").status_code == 200


def test_settings_are_one_tab_with_sections(world: World, project: Project) -> None:
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/settings").text
        assert page.count('aria-label="Settings"') == 1
        assert "Delete this project" in page
        for path in ("variables", "members", "certificates", "waivers"):
            section = client.get(f"/shop/api/settings/{path}")
            assert section.status_code == 200
            assert f'href="/shop/api/settings/{path}" aria-current="page"' in section.text
            assert 'href="/shop/api/settings" aria-current="page">Settings' in section.text
        assert 'aria-label="Settings"' not in client.get("/shop/api/pipelines").text
    with asking(world) as client:
        sign_in(client, world, "dev")
        assert "Delete this project" not in client.get("/shop/api/settings").text
