"""What the API and the page let people set of an environment that has approvers."""

from __future__ import annotations

import re

import pytest
from tests.engine.world import World
from tests.samples import ADMIN
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.domain.observed import Condition, LastExit, Seen, SeenService
from cabestan.domain.project import Project
from cabestan.domain.uptime import Outage, Tally, hour_of
from cabestan.engine.deploying import settings
from cabestan.store import observations, uptime

PAGE = "/shop/api/environments/production"
AT = f"/api/v1/projects{PAGE}"
#: as the page sends it
FORM = {"trigger": "manual", "watch_seconds": "7", "branches": "(default branch)", "approvers": "rita"}


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    for name in ("boss", "rita"):
        world.user(name, shop=Role.MAINTAINER)
    settings.set_environment(world.services, made, "production", ADMIN, approvers=("rita",))
    return made


def test_the_api_refuses_it_from_others_than_its_approvers(world: World, project: Project) -> None:
    with asking(world, **token("boss")) as boss:
        refused = boss.put(AT, json={"approvers": ["boss"]})
        assert (refused.status_code, refused.json()["error"]["remedy"]) == (403, "Ask rita or an administrator.")
        assert boss.put(AT, json={"watch_seconds": 7}).status_code == 200
    with asking(world, **token("rita")) as rita:
        assert rita.put(AT, json={"approvers": ["rita", "boss"]}).json()["approvers"] == ["rita", "boss"]


def test_the_page_refuses_it_and_takes_the_rest(world: World, project: Project) -> None:
    with asking(world) as client:
        form = FORM | {"csrf_token": sign_in(client, world, "boss")}
        assert client.post(PAGE, data=form).status_code == 303
        refused = client.post(PAGE, data=form | {"approvers": "boss"})
        assert refused.status_code == 403
        assert "so you may not change who approves." in refused.text
        assert "Ask rita or an administrator." in refused.text
    environment = world.environment(project, "production")
    assert (environment.approvers, environment.watch_seconds) == (("rita",), 7)


@pytest.mark.parametrize(("name", "fixed"), [("boss", True), ("rita", False)])
def test_the_page_offers_only_what_is_taken(world: World, project: Project, name: str, fixed: bool) -> None:
    with asking(world) as client:
        sign_in(client, world, name)
        text = client.get(PAGE).text
    assert set(re.findall(r'name="(\w+)"[^>]* readonly', text)) == (
        {"branches", "approvers", "compose_files"} if fixed else set()
    )
    assert ('name="trigger" disabled' in text) is fixed
    assert ('<input type="hidden" name="trigger" value="manual">' in text) is fixed
    assert ("is changed by rita or an administrator" in text) is fixed


def test_what_is_wrong_is_told_first_by_page_and_api(world: World, project: Project) -> None:
    world.released(project)
    staging, now = world.environment(project, "staging"), world.clock()
    last = LastExit(now, 137, "it used more memory than it may", "eating <b>all</b>", "t1")
    services = (SeenService("app", Condition.DOWN, 1, 0, 2, last, True), SeenService("b", Condition.SERVING, 1, 1))
    with world.services.database.writing() as tx:
        observations.put(tx, staging.id, Seen(Condition.DOWN, now, services))
    with asking(world, **token("boss")) as boss:
        told = boss.get("/api/v1/projects/shop/api/environments").json()["items"][0]
    assert (told["state"], [one["state"] for one in told["services"]]) == ("down", ["down", "serving"])
    assert told["services"][0]["last_exit"] == {
        "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "code": 137,
        "why": "it used more memory than it may",
        "words": "eating <b>all</b>",
    }
    with asking(world) as client:
        sign_in(client, world, "boss")
        text = client.get("/shop/api/environments/staging").text
        first = client.get("/").text
        second = client.get("/shop/api").text
    assert "<title>down · staging · Environments · shop/api · Cabestan</title>" in text
    assert text.index("0 of 1 run, restarted 2") < text.index("eating &lt;b&gt;all") < text.index("Services</h2>")
    assert "/shop/api/environments/staging/logs?service=app&amp;at=20" in text
    assert first.index("Needs somebody") < first.index("0 of 1 run, restarted 2")
    assert "<title>1 down · What runs where · Cabestan</title>" in first
    assert '<a href="/shop/api/pipelines/1">pipeline 1</a>' in first
    assert "<title>down · shop/api · Cabestan</title>" in second


def test_a_name_that_is_nearly_one_is_answered_with_it_and_with_nothing_unseen(world: World, project: Project) -> None:
    world.project("shop/apis")
    world.user("rob", shop=Role.MAINTAINER)
    world.user("eve")
    at = "/api/v1/projects/shop/{}/environments/{}"
    with asking(world, **token("boss")) as boss:
        told = boss.get(at.format("api", "stagin")).json()["error"]["remedy"]
        assert told == "Did you mean staging? `cabestan environment list -p shop/api` shows them."
        assert boss.get(at.format("ap", "staging")).json()["error"]["remedy"].startswith("Did you mean shop/api")
    with asking(world, **token("eve")) as eve:
        assert eve.get(at.format("ap", "staging")).json()["error"]["remedy"] == "`cabestan project list` shows yours."


def test_availability_is_told_alike_by_page_and_api(world: World, project: Project) -> None:
    world.released(project)
    staging, now = world.environment(project, "staging"), world.clock()
    route = f"{staging.full_domain('localhost')}/"
    outage = Outage(0, staging.id, staging.current_deployment_id or 0, route, "app", f"{route} answers <502>", now)
    hour = Tally(hour_of(now), 1, 59, 1, (0,) * 5 + (59,))
    with world.services.database.writing() as tx:
        uptime.add(tx, {(staging.id, route): [hour]})
        uptime.begin(tx, outage, 9)
    with asking(world, **token("boss")) as boss:
        told = boss.get("/api/v1/projects/shop/api/environments/staging").json()
    (one,) = told["availability"]
    assert (one["route"], one["service"], one["down"]) == (route, "app", True)
    numbers = {"availability": 98.33, "asked": 60, "down_minutes": 1, "median": 8, "p95": 10}
    assert one["day"].items() >= numbers.items()
    assert one["month"].items() >= numbers.items()
    assert (len(one["day"]["parts"]), len(one["month"]["parts"])) == (24, 30)
    assert one["day"]["parts"][-1].items() >= {"good": 59, "failed": 1}.items()
    assert (told["outages"][0]["reason"], told["outages"][0]["ended_at"]) == (f"{route} answers <502>", None)
    with asking(world) as client:
        sign_in(client, world, "boss")
        page = client.get("/shop/api/environments/staging").text
    assert page.count("98.33 %") == 4, "of day and month, each as text and beside its drawing"
    assert page.count("1 minute down") == 2
    assert 'role="img" aria-label="The last 24 hours: 98.33 % of 60 minutes. 07:00 UTC: 1 of 60 minutes down."' in page
    assert "answers &lt;502&gt;" in page


def test_the_page_says_how_routes_are_asked(world: World, project: Project) -> None:
    with asking(world) as client:
        form = FORM | {"csrf_token": sign_in(client, world, "boss")}
        told = {"uptime": "false", "uptime_path": " /health ", "uptime_status": "204"}
        assert client.post(PAGE, data=form | told).status_code == 303
        found = world.environment(project, "production")
        assert (found.uptime, found.uptime_path, found.uptime_status) == (False, "/health", 204)
        assert "Routes are not asked" in client.get(PAGE).text
