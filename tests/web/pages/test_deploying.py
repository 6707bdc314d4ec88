"""Deploying from a page: what is shown is what is done."""

from __future__ import annotations

import html
import re

import httpx
import pytest
import sqlalchemy as sa
from tests.engine.world import COMPOSE, World
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.domain.deployment import Plan
from cabestan.domain.project import Project
from cabestan.engine.deploying import deployments, settings
from cabestan.engine.deploying.composing import Wanted
from cabestan.engine.deploying.planning import make_plan
from cabestan.engine.services import Services
from cabestan.store.variables import Scope
from cabestan.web.pages import deploying as page_of

WISH = {"environment": "production", "release": "1"}
_HIDDEN = re.compile(r'name="(\w+)" value="([^"]*)"')


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.released(made)
    for name, role in (("boss", Role.MAINTAINER), ("dev", Role.DEVELOPER), ("reader", Role.REPORTER)):
        world.user(name, shop=role)
    return made


def _form(page: httpx.Response) -> dict[str, str]:
    """What the button of the decision sends."""
    found = re.search(r'<section class="panel" id="decision">(.*?)</section>', page.text, re.DOTALL)
    assert found, page.text
    return dict(_HIDDEN.findall(found[1]))


@pytest.mark.parametrize(
    ("user", "button", "status"), [("boss", "Deploy now", "running"), ("dev", "Ask for it", "waiting")]
)
def test_the_plan_is_shown_and_asked_about_before_anything_is_done(
    world: World, project: Project, user: str, button: str, status: str
) -> None:
    production = world.environment(project, "production")
    with asking(world) as client:
        sign_in(client, world, user)
        page = client.get("/shop/api/deploy", params=WISH)
        for words in ("Deploy release 1 on production", "What it changes", "Steps", "Serves now", button):
            assert words in page.text
        places = [page.text.index(f'id="{part}"') for part in ("evidence", "changes", "decision")]
        assert places == sorted(places), "what is to be known stands above the button"
        assert "It succeeded on staging." in page.text
        (arrived,) = world.deployments(production)
        done = client.post("/shop/api/deploy", data=_form(page))
    superseded, made = world.deployments(production)
    assert (arrived.status, superseded.status) == ("waiting", "superseded")
    assert (done.status_code, done.headers["location"]) == (303, f"/shop/api/deployments/{made.id}")
    assert (made.status, made.by, made.approved_by) == (status, user, "")


def test_the_page_makes_one_plan_and_the_click_another(
    world: World, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counting(services: Services, tx: sa.Connection, wanted: Wanted) -> Plan:
        made.append(wanted.environment.name)
        return make_plan(services, tx, wanted)

    for module in (page_of, deployments):
        monkeypatch.setattr(module, "make_plan", counting)
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/deploy", params=WISH)
        assert made == ["production"]
        client.post("/shop/api/deploy", data=_form(page))
    assert made == ["production"] * 2
    assert world.deployments(world.environment(project, "production"))[-1].status == "running"


def test_a_plan_that_is_another_one_by_now_is_not_deployed(world: World, project: Project) -> None:
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/deploy", params=WISH)
        settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
        headers = {"referer": str(page.url)}
        refused = client.post("/shop/api/deploy", data=_form(page), headers=headers)
        unseen = client.post("/shop/api/deploy", data={k: v for k, v in _form(page).items() if k != "fingerprint"})
    assert refused.status_code == 409
    assert "The plan has changed since you looked at it." in refused.text
    assert 'href="/shop/api/deploy?environment=production&amp;release=1">Back</a>' in refused.text
    assert unseen.status_code == 422
    assert [d.status for d in world.deployments(world.environment(project, "production"))] == ["waiting"]


def test_an_approval_is_asked_for_below_what_is_known(world: World, project: Project) -> None:
    (waiting,) = world.deployments(world.environment(project, "production"))
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get(f"/shop/api/deployments/{waiting.id}").text
        told = client.get(f"/api/v1/deployments/{waiting.id}").json()["evidence"]
        ended = client.get("/api/v1/deployments/1").json()["evidence"]
    places = [page.index(f'id="{part}"') for part in ("evidence", "changes", "decision")]
    assert places == sorted(places)
    assert [one["told"] for one in told["fared"]] == ["It succeeded on staging."]
    assert ended is None, "what has ended is not decided on"


def test_who_may_not_see_the_project_learns_nothing_of_its_commits(world: World, project: Project) -> None:
    world.user("foreign", other=Role.MAINTAINER)
    with asking(world, **token("foreign")) as client:
        plan = client.get("/api/v1/projects/shop/api/environments/production/plan")
        page = client.get("/shop/api/deploy", params=WISH)
    assert (plan.status_code, page.status_code) == (404, 404)
    with asking(world, **token("reader")) as client:
        plan = client.get("/api/v1/projects/shop/api/environments/production/plan")
    assert plan.json()["evidence"]["first"] is True


def test_a_rollback_is_shown_with_the_variables_that_come_back(world: World, project: Project) -> None:
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
    world.released(project)
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/rollback", params={"environment": "staging", "release": "1"})
        assert "Put release 1 back on staging" in page.text
        assert "brings back the variables and secrets of deployment 1" in page.text
        done = client.post("/shop/api/rollback", data=_form(page))
    assert done.status_code == 303
    newest = world.deployments(world.environment(project, "staging"))[-1]
    assert (newest.release, newest.restores_id) == (1, 1)


def test_a_rollback_is_to_the_very_deployment_that_was_chosen(world: World, project: Project) -> None:
    """Also where the same release was deployed again after it, with other variables."""
    settings.put(world.services, Scope(project.id, ""), "LEVEL", "high", "boss", secret=False)
    with asking(world) as client:
        sign_in(client, world, "boss")
        again = client.get("/shop/api/deploy", params=WISH | {"environment": "staging"})
        client.post("/shop/api/deploy", data=_form(again))
        world.durable.run()
        history = client.get("/shop/api/environments/staging").text
        (way,) = re.findall(r'href="(/shop/api/rollback[^"]*)"', history)
        assert "deployment 1 too" in client.get(html.unescape(way)).text
        done = client.post("/shop/api/rollback", data=_form(client.get(html.unescape(way))))
    assert done.status_code == 303, done.text
    assert world.deployments(world.environment(project, "staging"))[-1].restores_id == 1


def test_an_environment_without_any_release_to_deploy_offers_none(world: World) -> None:
    world.project("shop/new")
    world.user("boss", shop=Role.MAINTAINER)
    with asking(world, **token("boss")) as client:
        page = client.get("/shop/new/environments/production").text
        pipelines = client.get("/shop/new/pipelines").text
    assert "No release can be deployed here yet" in page
    assert ">Deploy</button>" not in page
    assert "Run pipeline" not in pipelines


def test_who_may_only_look_sees_the_plan_and_no_button(world: World, project: Project) -> None:
    with asking(world, **token("reader")) as client:
        page = client.get("/shop/api/deploy", params=WISH)
    assert page.status_code == 200
    assert "What it changes" in page.text
    assert 'id="decision"' not in page.text


def test_nothing_is_asked_of_a_form_before_its_sender_may_send_it(world: World, project: Project) -> None:
    world.user("foreign", other=Role.MAINTAINER)
    for name, status in (("foreign", 404), ("reader", 403), ("dev", 422)):
        with asking(world, **token(name)) as client:
            assert client.post("/shop/api/deploy", data={"release": "none"}).status_code == status


def test_the_api_deploys_what_was_looked_at_and_shows_what_a_rollback_would_do(world: World, project: Project) -> None:
    world.released(project)
    at = "/api/v1/projects/shop/api/environments"
    with asking(world, **token("boss")) as client:
        back = client.get(f"{at}/staging/plan", params={"rollback": "true"}).json()
        assert back["fingerprint"] != client.get(f"{at}/staging/plan").json()["fingerprint"]
        other = client.post(f"{at}/staging/rollback", json={"fingerprint": "another"})
        same = client.post(f"{at}/staging/rollback", json={"fingerprint": back["fingerprint"]})
        plan = client.get(f"{at}/production/plan", params={"release": 2}).json()
        wrong = client.post(f"{at}/production/deployments", json={"release": 2, "fingerprint": "another"})
        right = client.post(f"{at}/production/deployments", json={"release": 2, "fingerprint": plan["fingerprint"]})
    assert [answer.status_code for answer in (other, same, wrong, right)] == [409, 201, 409, 201]


def test_networks_that_come_stand_among_the_changes_on_the_page_and_in_the_api(world: World, project: Project) -> None:
    db = "  db: {image: '${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}', networks: [back]}\nnetworks: {front: , back: }\n"
    world.released(project, **{"docker-compose.yml": f"{COMPOSE}    networks: [front]\n{db}"})
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/deploy", params=WISH | {"release": "2"})
        plan = client.get("/api/v1/projects/shop/api/environments/production/plan", params={"release": "2"}).json()
    told = [change["text"] for change in plan["changes"] if "network" in change["kind"]]
    assert [text.partition(": ")[0] for text in told] == [
        "networks app", "networks db", "network added front", "network added back"
    ]  # fmt: skip
    assert all(f"<p>{text}</p>" in page.text for text in told)
