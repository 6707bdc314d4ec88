"""Deleting over the API and by page: who may, what is shown, and what a name that was typed wrongly does."""

from __future__ import annotations

import pytest
from tests.engine.world import COMPOSE, World
from tests.web.client import asking, sign_in, token
from tests.web.test_api import keys

from cabestan.domain.access import Role
from cabestan.domain.project import Project
from cabestan.engine.deploying import settings

AT = "/api/v1/projects/shop/api"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.released(made, **{"docker-compose.yml": COMPOSE})
    stack = world.environment(made, "staging").stack_name("cabestan")
    world.volumes.there[stack] = {f"{stack}_data": "data"}
    world.user("admin", admin=True)
    world.user("boss", shop=Role.MAINTAINER)
    world.user("dev", shop=Role.DEVELOPER)
    world.user("foreign", other=Role.MAINTAINER)
    return made


def test_a_maintainer_deletes_an_environment_and_reads_where_its_backups_are(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as client:
        going = client.get(f"{AT}/deletion-preview?environment=staging").json()["items"]
        assert {"text": "1 volume", "count": 1, "names": ["data"]}.items() <= going[1].items()
        begun = client.delete(f"{AT}/environments/staging?confirm=staging")
        assert (begun.status_code, set(begun.json())) == (202, keys("deletion"))
        world.durable.run()
        ended = client.get(f"/api/v1/deletions/{begun.json()['id']}").json()
        assert (ended["status"], ended["by"]) == ("succeeded", "boss")
        (kept,) = ended["backups"]
        assert set(kept) == keys("last backup")
        assert kept["file"].startswith(f"{world.services.settings.data}/backups/shop-api/staging-")
        assert client.get(f"{AT}/environments/staging").status_code == 404


def test_a_name_that_is_not_its_own_deletes_nothing(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as client:
        for path, kind in ((AT, "project"), (f"{AT}/environments/staging", "environment")):
            for typed in ("", "?confirm=other"):
                refused = client.delete(path + typed)
                assert refused.status_code == 422
                assert f"name of {'the' if not typed else 'this'} {kind}" in refused.json()["error"]["message"] or (
                    f"The name of the {kind} is missing" in refused.json()["error"]["message"]
                )
        assert client.get("/api/v1/deletions").json()["items"] == []


def test_others_than_maintainers_delete_nothing(world: World, project: Project) -> None:
    paths = (
        f"{AT}?confirm=shop/api",
        f"{AT}/environments/staging?confirm=staging",
        f"{AT}/volumes/data?environment=staging&confirm=data",
    )
    for name, status in (("dev", 403), ("foreign", 404)):
        with asking(world, **token(name)) as client:
            assert [client.delete(path).status_code for path in paths] == [status] * 3, name


def test_approvers_alone_delete_what_they_approve_for(world: World, project: Project) -> None:
    admin = world.user("root", admin=True)
    settings.set_environment(world.services, project, "production", admin, approvers=("admin",))
    with asking(world, **token("boss")) as client:
        for path in (f"{AT}/environments/production?confirm=production", f"{AT}?confirm=shop/api"):
            refused = client.delete(path)
            assert (refused.status_code, "has approvers" in refused.text) == (403, True)
    with asking(world, **token("admin")) as client:
        assert client.delete(f"{AT}/environments/production?confirm=production").status_code == 202


def test_a_project_that_is_being_deleted_takes_no_changes(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as client:
        assert client.delete(f"{AT}?confirm=shop/api").status_code == 202
        refused = client.post(f"{AT}/pipelines", json={})
        assert refused.status_code == 409
        assert "The project shop/api is being deleted, as boss wished." in refused.json()["error"]["message"]
        push = client.get("/shop/api.git/info/refs?service=git-receive-pack", auth=("x", "token-of-boss"))
        assert push.status_code == 409
        world.durable.run()
        assert client.get(AT).status_code == 404
        assert client.get("/api/v1/deletions/1").json()["status"] == "succeeded"
    with asking(world, **token("foreign")) as client:
        assert client.get("/api/v1/deletions/1").status_code == 404


def test_a_volume_that_nothing_has_is_offered_for_deletion_by_page(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        at = "/shop/api/delete?environment=staging&amp;volume=data"
        assert at in client.get("/shop/api/environments/staging").text
        form = {"csrf_token": csrf, "environment": "staging", "volume": "data", "confirm": "data"}
        assert "Type data" in client.get(at.replace("&amp;", "&")).text
        assert client.post("/shop/api/delete", data=form).status_code == 303
        world.durable.run()
        assert "volume-data" not in client.get("/shop/api/environments/staging").text
    with asking(world, **token("dev")) as client:
        assert "Delete the volume" not in client.get("/shop/api/environments/staging").text


def test_the_page_shows_what_goes_and_asks_for_the_name(world: World, project: Project) -> None:
    with asking(world) as client:
        csrf = sign_in(client, world, "boss")
        page = client.get("/shop/api/delete?environment=staging").text
        assert "Type staging" in page
        assert "a last backup is kept for 90 days" in page
        form = {"csrf_token": csrf, "environment": "staging", "confirm": "stagin"}
        assert client.post("/shop/api/delete", data=form).status_code == 422
        sent = client.post("/shop/api/delete", data=form | {"confirm": "staging"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/deletions/1")
        assert "This page tells when it is done" in client.get("/deletions/1").text
        world.durable.run()
        page = client.get("/deletions/1").text
        assert "It is gone." in page
        assert "data-of-deletion-1.tar.gz" in page
        assert "/deletions/1" in client.get("/deletions").text
        assert client.get("/shop/api/environments/staging").status_code == 404
        assert client.get("/shop/api/delete?environment=staging").status_code == 404
        assert client.get("/shop/api/delete?environment=production&volume=none").status_code == 404
