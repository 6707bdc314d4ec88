"""Variables and secrets of groups, projects and environments, by programs and by forms."""

from __future__ import annotations

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings
from cabestan.store.variables import Scope

AT, GROUP = "/api/v1/projects/shop/api", "/api/v1/groups/shop"
PAGE, GROUP_PAGE = "/shop/api/settings/variables", "/groups/shop/variables"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.user("boss", shop=Role.MAINTAINER)
    world.user("reporter", shop=Role.REPORTER)
    world.user("keeper", shop__api=Role.MAINTAINER)
    return made


def put(client: httpx.Client, path: str, value: str, **more: object) -> int:
    return client.put(path, json={"value": value, **more}).status_code


def test_a_group_is_set_by_its_maintainers_alone(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as boss, asking(world, **token("keeper")) as keeper:
        assert put(boss, f"{GROUP}/variables/LEVEL", "high", protected=True) == 204
        assert put(boss, f"{GROUP}/secrets/SV_STAGING_KEY", "canary") == 204
        assert put(keeper, f"{GROUP}/variables/LEVEL", "low") == 404
        assert put(boss, "/api/v1/groups/none/variables/LEVEL", "low") == 404
        assert put(boss, f"{GROUP}/variables/LEVEL", "low", environment="staging") == 422
        (variable,) = boss.get(f"{GROUP}/variables").json()["items"]
        assert {key: variable[key] for key in ("name", "value", "level", "group", "protected")} == {
            "name": "LEVEL",
            "value": "high",
            "level": "group",
            "group": "shop",
            "protected": True,
        }
        found = keeper.get(f"{AT}/environments/staging/variables").json()["items"]
        assert [(one["name"], one["kept_as"], one["level"], "value" in one) for one in found] == [
            ("KEY", "SV_STAGING_KEY", "group", False),
            ("LEVEL", "LEVEL", "group", True),
        ]
        other = keeper.get(f"{AT}/environments/staging/variables", params={"branch": "feature"}).json()["items"]
        assert [one["name"] for one in other] == ["KEY"]
        assert [one["level"] for one in keeper.get(f"{AT}/variables").json()["items"]] == ["group"]
        assert boss.delete(f"{GROUP}/variables/LEVEL").status_code == 204
        assert [one["removed"] for one in boss.get(f"{GROUP}/variables/LEVEL/history").json()["items"]] == [True, False]
    with asking(world, **token("reporter")) as reporter:
        assert put(reporter, f"{GROUP}/variables/LEVEL", "low") == 403
        assert reporter.get(f"{GROUP}/secrets").status_code == 200


def test_a_masked_value_is_for_those_who_may_change_it(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as boss, asking(world, **token("reporter")) as reporter:
        assert put(boss, f"{AT}/variables/LEVEL", "canary-masked", masked=True) == 204
        assert put(boss, f"{AT}/variables/LEVEL", "short") == 422
        paths = (f"{AT}/variables", f"{AT}/variables/LEVEL/history", f"{AT}/environments/staging/variables")
        assert [boss.get(path).json()["items"][0]["value"] for path in paths] == ["canary-masked"] * 3
        assert [reporter.get(path).json()["items"][0]["value"] for path in paths] == [None] * 3
        pages = (PAGE, f"{PAGE}/history?variable=LEVEL")
        assert ["canary" in boss.get(path).text for path in pages] == [True] * 2
        assert ["canary" in reporter.get(path).text for path in pages] == [False] * 2


def test_a_plan_shows_masked_values_to_those_who_may_change_them(world: World, project: Project) -> None:
    value = 'canary$"\\end'
    with asking(world, **token("boss")) as boss, asking(world, **token("reporter")) as reporter:
        assert put(boss, f"{AT}/variables/LEVEL", value, masked=True) == 204
        world.released(project)
        (latest, *_) = boss.get(f"{AT}/deployments").json()["items"]
        paths = (f"{AT}/environments/staging/plan", f"{AT}/environments/production/plan")
        paths += (f"/api/v1/deployments/{latest['id']}", f"/shop/api/deployments/{latest['id']}")
        assert ["canary" in boss.get(path).text for path in paths] == [True] * 4
        assert [("canary" in (text := reporter.get(path).text), "[secret]" in text) for path in paths] == (
            [(False, True)] * 4
        )


def test_a_change_is_shown_by_the_environments_until_it_is_deployed(world: World, project: Project) -> None:
    world.released(project)
    with asking(world, **token("boss")) as boss:
        assert put(boss, f"{AT}/secrets/KEY", "canary", environment="staging") == 204
        found = {one["name"]: one["changed_variables"] for one in boss.get(f"{GROUP}/environments").json()["items"]}
        assert found == {"staging": ["KEY"], "production": []}
        for path in (PAGE, "/shop/api/environments/staging"):
            text = boss.get(path).text
            assert "1 variable or secret changed since deployment 1 on staging: KEY." in text
            assert "Deploy release 1 again" in text
        made = boss.post(f"{AT}/environments/staging/deployments", json={"release": 1}).json()
        world.durable.run()
        (used,) = boss.get(f"/api/v1/deployments/{made['id']}").json()["variables"]
        assert used == {
            "name": "KEY",
            "secret": True,
            "level": "environment",
            "group": "",
            "environment": "staging",
            "kept_as": "KEY",
            "version": 1,
        }
        assert "Deploy release 1 again" not in boss.get(PAGE).text
        assert "staging, version 1" in boss.get(f"/shop/api/deployments/{made['id']}").text
    with asking(world, **token("reporter")) as reporter:
        assert "Deploy release" not in reporter.get(PAGE).text


def test_protected_branches_are_set_and_shown(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as boss:
        assert boss.get(AT).json()["protected_branches"] == ["@default"]
        changed = boss.put(f"{AT}/protected-branches", json={"branches": ["main", "release/*"]})
        assert changed.json()["protected_branches"] == ["main", "release/*"]
        assert boss.put(f"{AT}/protected-branches", json={"branches": ["a b"]}).status_code == 422


def test_forms_set_flags_levels_and_branches_without_a_script(world: World, project: Project) -> None:
    with asking(world) as client:
        field = {"csrf_token": sign_in(client, world, "boss")}
        form = field | {"variable": "LEVEL", "kind": "variable", "value": "high as can be\r\n2"}
        assert client.post(PAGE, data=form | {"protected": "yes"}).headers["location"] == PAGE
        assert client.post(PAGE, data=form | {"environment": "staging", "value": "own"}).headers["location"] == (
            "/shop/api/environments/staging"
        )
        key = field | {"variable": "SV_STAGING_KEY", "kind": "secret", "value": "canary"}
        assert client.post(GROUP_PAGE, data=key).headers["location"] == GROUP_PAGE
        branches = client.post("/shop/api/settings/protected-branches", data=field | {"branches": "main, rel/*"})
        assert branches.status_code == 303
        text = client.get(PAGE).text
        assert ">protected<" in text
        assert "main, rel/*" in text
        assert "group shop, as SV_STAGING_KEY, version 1" in text
        assert "canary" not in text
        listed = client.get(f"{AT}/variables").json()["items"]
        assert {one["environment"]: (one["value"], one["protected"]) for one in listed} == {
            "": ("high as can be\n2", True),
            "staging": ("own", False),
        }
        assert client.get(f"{PAGE}/history?variable=NONE").status_code == 404
        gone = client.post(f"{GROUP_PAGE}/unset", data=field | {"variable": "SV_STAGING_KEY", "kind": "secret"})
        assert gone.headers["location"] == GROUP_PAGE
        history = client.get(f"{GROUP_PAGE}/history?variable=SV_STAGING_KEY").text
        own = field | {"variable": "LEVEL", "kind": "variable", "environment": "staging"}
        assert client.post(f"{PAGE}/unset", data=own).headers["location"] == "/shop/api/environments/staging"
        assert [one["environment"] for one in client.get(f"{AT}/variables").json()["items"]] == [""]
        assert ("removed" in history, "canary" in history) == (True, False)


def test_a_secret_that_services_get_as_a_file_has_a_badge(world: World, project: Project) -> None:
    settings.put(world.services, Scope(project.id), "SV_STAGING_KEY", "canary", "dev", secret=True)
    text = "services: {app: {image: '${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}', secrets: [KEY]}}\n"
    world.released(project, **{"docker-compose.yml": text})
    with asking(world, **token("reporter")) as reporter:
        page = reporter.get(PAGE).text
        assert ('<span class="chip">file</span>' in page, "canary" in page) == (True, False)


def test_the_way_to_the_groups_page_is_for_those_who_may_see_it(world: World, project: Project) -> None:
    settings.put(world.services, Scope(group="shop"), "LEVEL", "high", "dev", secret=False)
    for name, sees in (("boss", True), ("keeper", False)):
        with asking(world, **token(name)) as client:
            text = client.get(PAGE).text
            assert ("group shop" in text, f'href="{GROUP_PAGE}' in text) == (True, sees)
            assert (client.get(GROUP_PAGE).status_code == 200) is sees


def test_a_pipeline_is_run_with_variables_from_a_form_and_shows_them(world: World, project: Project) -> None:
    world.push(project)
    with asking(world) as client:
        form = {"csrf_token": sign_in(client, world, "boss"), "branch": "main"}
        made = client.post("/shop/api/pipelines", data=form | {"variables": "X_A=b=c\r\n\r\nOTHER=\r\n"})
        assert client.get(f"/api/v1{made.headers['location'].removeprefix('/shop/api')}").json()["variables"] == {
            "OTHER": "",
            "X_A": "b=c",
        }
        assert "X_A=b=c" in client.get(made.headers["location"]).text
        assert client.post("/shop/api/pipelines", data=form | {"variables": "X_A"}).status_code == 422
