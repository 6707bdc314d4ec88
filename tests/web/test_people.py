"""Users, tokens with scopes and ends, passwords."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, sign_in, token
from tests.web.test_api import keys

from cabestan.domain.access import Role
from cabestan.engine.deploying import settings

AT = "/api/v1/user/tokens"
LONG = "a few words that are long"


@pytest.fixture(autouse=True)
def _people(world: World) -> None:
    world.user("admin", admin=True)
    world.user("boss", shop=Role.MAINTAINER)
    world.project()


def made(client: httpx.Client, **wanted: object) -> httpx.Response:
    return client.post(AT, json={"name": "laptop", **wanted})


def test_a_token_is_made_shown_once_used_and_deleted(world: World) -> None:
    with asking(world, **token("boss")) as client:
        answer = made(client, scope="deploy", days=30)
        assert (answer.status_code, set(answer.json())) == (201, keys("token") | {"token"})
        found = next(one for one in client.get(AT).json()["items"] if one["name"] == "laptop")
        assert (found["scope"], "token" in found) == ("deploy", False)
        assert made(client).status_code == 409
        own = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert client.get("/api/v1/user", headers=own).json()["scope"] == "deploy"
        refused = client.delete(f"{AT}/{found['id']}?confirm=other")
        assert (refused.status_code, "nothing was deleted" in refused.text) == (422, True)
        assert client.delete(f"{AT}/{found['id']}?confirm=laptop").status_code == 204
        assert client.get("/api/v1/user", headers=own).status_code == 401


def test_a_token_ends_by_itself(world: World) -> None:
    with asking(world, **token("boss")) as client:
        own = {"Authorization": f"Bearer {made(client, days=30).json()['token']}"}
        assert client.get("/api/v1/user", headers=own).status_code == 200
        world.clock.now += timedelta(days=31)
        assert client.get("/api/v1/user", headers=own).status_code == 401
        assert "laptop" not in [one["name"] for one in client.get(AT).json()["items"]]
        for wanted in ({"days": 0}, {"days": 99999}, {"name": " "}, {"scope": "everything"}):
            assert made(client, **wanted).status_code == 422, wanted


def test_a_lesser_token_makes_no_greater_one_and_no_password(world: World) -> None:
    with asking(world, **token("boss")) as client:
        for scope in ("read", "deploy"):
            word = made(client, name=scope, scope=scope).json()["token"]
            own = {"Authorization": f"Bearer {word}"}
            for method, path, body in (
                ("POST", AT, {"name": "more"}),
                ("PUT", "/api/v1/user/password", {"password": LONG}),
                ("PUT", "/api/v1/projects/shop/api/members/boss", {"role": "reporter"}),
                ("POST", "/api/v1/projects", {"name": "shop/new"}),
                ("DELETE", "/api/v1/projects/shop/api?confirm=shop/api", None),
            ):
                answer = client.request(method, path, json=body, headers=own)
                assert answer.status_code == 403, (scope, path)
                assert "This token" in answer.json()["error"]["message"]


def test_signing_in_with_a_lesser_token_gives_a_lesser_session(world: World) -> None:
    with asking(world, **token("boss")) as client:
        word = made(client, scope="read").json()["token"]
    with asking(world) as browser:
        browser.post("/login", data={"name": "boss", "password": word})
        page = browser.get("/shop/api")
        assert page.status_code == 200
        csrf = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        refused = browser.post("/shop/api/pipelines", data={"csrf_token": csrf, "branch": "main"})
        assert (refused.status_code, "its scope is “read”" in refused.text) == (403, True)
        assert browser.post("/logout", data={"csrf_token": csrf}).status_code == 303


def test_git_knows_scopes_too(world: World) -> None:
    with asking(world, **token("boss")) as client:
        read, deploy = (made(client, name=scope, scope=scope).json()["token"] for scope in ("read", "deploy"))
        at = "/shop/api.git/info/refs?service=git-"
        asked = [(word, service) for word in (read, deploy) for service in ("upload-pack", "receive-pack")]
    with asking(world) as client:
        assert [client.get(at + s, auth=("x", word)).status_code for word, s in asked] == [200, 403, 200, 200]


def test_a_user_is_deleted_with_all_tokens_and_roles(world: World) -> None:
    with asking(world, **token("admin")) as client:
        assert client.delete("/api/v1/users/boss?confirm=bos").status_code == 422
        assert client.delete("/api/v1/users/boss?confirm=boss").status_code == 204
        assert client.get("/api/v1/user", headers=token("boss")).status_code == 401
        assert client.delete("/api/v1/users/boss?confirm=boss").status_code == 404
        assert [one["name"] for one in client.get("/api/v1/users").json()["items"]] == ["admin"]


def test_neither_oneself_nor_the_last_administrator_is_deleted(world: World) -> None:
    with asking(world, **token("admin")) as client:
        assert "yourself" in client.delete("/api/v1/users/admin?confirm=admin").json()["error"]["message"]
    other = world.user("other", admin=True)
    with asking(world, **token("other")) as client:
        assert client.delete("/api/v1/users/admin?confirm=admin").status_code == 204
    assert other.admin


def test_the_only_approver_of_an_environment_is_not_deleted(world: World) -> None:
    """Else all maintainers would approve there, or whoever gets the name later."""
    project = world.project("shop/web")
    admin = world.user("root", admin=True)
    settings.set_environment(world.services, project, "production", admin, approvers=("boss",))
    with asking(world, **token("admin")) as client:
        refused = client.delete("/api/v1/users/boss?confirm=boss")
        assert (refused.status_code, "only approver of production in shop/web" in refused.text) == (409, True)
        settings.set_environment(world.services, project, "production", admin, approvers=("boss", "admin"))
        assert client.delete("/api/v1/users/boss?confirm=boss").status_code == 204
    assert world.environment(project, "production").approvers == ("admin",)


def test_a_password_is_set_and_signs_in_and_others_are_signed_out(world: World) -> None:
    with asking(world) as browser, asking(world, **token("boss")) as client:
        sign_in(browser, world, "boss")
        assert client.put("/api/v1/user/password", json={"password": "short"}).status_code == 422
        assert client.put("/api/v1/user/password", json={"password": LONG}).status_code == 204
        assert browser.get("/shop/api").status_code == 303
        assert browser.post("/login", data={"name": "boss", "password": LONG}).status_code == 303
        assert browser.get("/shop/api").status_code == 200
        again = {"password": LONG + " more", "current": "wrong"}
        assert client.put("/api/v1/user/password", json=again).status_code == 401
        assert client.put("/api/v1/user/password", json=again | {"current": LONG}).status_code == 204


def test_a_role_in_a_group_is_one_in_all_of_its_projects(world: World) -> None:
    world.user("ada")
    world.user("dev", shop=Role.DEVELOPER)
    at = "/api/v1/groups/shop/members"
    with asking(world, **token("boss")) as client:
        assert client.put(f"{at}/ada", json={"role": "reporter"}).status_code == 204
        assert {one["user"]: one["role"] for one in client.get(at).json()["items"]}["ada"] == "reporter"
        of_project = client.get("/api/v1/projects/shop/api/members").json()["items"]
        assert {"user": "ada", "role": "reporter", "scope": "shop"} in of_project
        assert client.put("/api/v1/groups/other/members/ada", json={"role": "reporter"}).status_code == 404
    with asking(world, **token("ada")) as client:
        assert client.get("/api/v1/projects/shop/api").status_code == 200
        assert client.put(f"{at}/ada", json={"role": "maintainer"}).status_code == 403
    with asking(world, **token("dev")) as client:
        assert client.put(f"{at}/dev", json={"role": "maintainer"}).status_code == 403


def test_an_administrator_makes_a_group_before_its_projects(world: World) -> None:
    world.user("ada")
    with asking(world, **token("admin")) as client:
        assert client.put("/api/v1/groups/new-one/members/ada", json={"role": "maintainer"}).status_code == 204
        assert client.put("/api/v1/groups/No Name/members/ada", json={"role": "maintainer"}).status_code == 422
        assert client.put("/api/v1/groups/library/members/ada", json={"role": "maintainer"}).status_code == 422
    with asking(world, **token("ada")) as client:
        assert client.post("/api/v1/projects", json={"name": "new-one/first"}).status_code == 201
        assert client.post("/api/v1/projects", json={"name": "shop/second"}).status_code == 403


def test_the_page_of_a_groups_members_gives_and_takes_roles(world: World) -> None:
    world.user("ada")
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        assert 'href="/groups/shop/members"' in client.get("/shop/api/settings/members").text
        form = {"csrf_token": csrf, "user": "ada", "role": "developer"}
        assert client.post("/groups/shop/members", data=form).status_code == 303
        assert "member-ada" in client.get("/groups/shop/members").text
        assert client.post("/groups/shop/members", data=form | {"role": ""}).status_code == 303
        assert "member-ada" not in client.get("/groups/shop/members").text


def test_administrators_set_passwords_and_tokens_of_others(world: World) -> None:
    with asking(world, **token("admin")) as client:
        assert client.put("/api/v1/users/boss/password", json={"password": LONG}).status_code == 204
        made_for = client.post("/api/v1/users/boss/tokens", json={"name": "ci", "scope": "read"})
        assert made_for.status_code == 201
        items = client.get("/api/v1/users/boss/tokens").json()["items"]
        assert [one["name"] for one in items][-1] == "ci"
        assert client.delete(f"/api/v1/users/boss/tokens/{items[-1]['id']}?confirm=ci").status_code == 204
