"""Restart, stop, start and scale by API and by the buttons of an environment's page."""

from __future__ import annotations

import pytest
from tests.engine.test_actions import STACK, TWO, replicas
from tests.engine.world import World
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.domain.project import Project

STAGING = "/api/v1/projects/shop/api/environments/staging"
PRODUCTION = "/api/v1/projects/shop/api/environments/production"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.released(made, **TWO)
    roles = (("boss", Role.MAINTAINER), ("dev", Role.DEVELOPER), ("reader", Role.REPORTER))
    for name, role in roles:
        world.user(name, shop=role)
    world.user("foreign", other=Role.MAINTAINER)
    return made


def test_each_is_a_deployment_of_its_kind(world: World, project: Project) -> None:
    with asking(world, **token("dev")) as client:
        for address, body, kind, what in (
            ("restart", {}, "restart", "Restart of everything"),
            ("stop", {"services": ["app", "app"]}, "stop", "Stop of app"),
            ("start", {"services": ["app"]}, "start", "Start of app"),
            ("scale", {"replicas": {"app": 3, "worker": None}}, "scale", "Scaling of app to 3 replicas, worker to its"),
        ):
            answer = client.post(f"{STAGING}/{address}", json=body)
            assert answer.status_code == 201, answer.text
            world.durable.run()
            made = client.get(f"/api/v1/deployments/{answer.json()['id']}").json()
            assert (made["kind"], made["status"], made["by"]) == (kind, "succeeded", "dev")
            assert made["what"].startswith(what)
        listed = client.get("/api/v1/projects/shop/api/deployments?environment=staging").json()["items"]
        shown = client.get(STAGING).json()
    assert [one["kind"] for one in listed] == ["scale", "start", "stop", "restart", "deploy"]
    assert shown["kept"] == {"everything": False, "stopped": [], "replicas": {"app": 3}}
    assert replicas(world) == {"app": 3, "worker": 2}


@pytest.mark.parametrize(
    ("user", "where", "status"),
    [("foreign", STAGING, 404), ("reader", STAGING, 403), ("dev", PRODUCTION, 403), ("boss", PRODUCTION, 409)],
)
def test_rights_are_those_of_deploying_at_once(
    world: World, project: Project, user: str, where: str, status: int
) -> None:
    """On production nothing is deployed yet, which is said to who may do it."""
    with asking(world, **token(user)) as client:
        for address, body in (("restart", {}), ("stop", {}), ("start", {}), ("scale", {"replicas": {"app": 3}})):
            answer = client.post(f"{where}/{address}", json=body)
            assert answer.status_code == status, (address, answer.text)


@pytest.mark.parametrize("body", [{"replicas": {"app": "many"}}, {"replicas": {"app": 1.5}}, {}, {"replicas": {}}])
def test_what_is_no_number_is_refused(world: World, project: Project, body: dict[str, object]) -> None:
    with asking(world, **token("dev")) as client:
        assert client.post(f"{STAGING}/scale", json=body).status_code == 422


def test_the_page_offers_what_the_visitor_may_do(world: World, project: Project) -> None:
    address = "/shop/api/environments/staging"
    with asking(world) as client:
        sign_in(client, world, "reader")
        assert 'action="/shop/api/act"' not in client.get(address).text
    with asking(world) as client:
        csrf = sign_in(client, world, "dev")
        page = client.get(address).text
        for words in ("Restart all", "Stop all", 'data-confirm="Stop app of staging?"', 'aria-label="Replicas of app"'):
            assert words in page
        wish = {"csrf_token": csrf, "environment": "staging", "service": "app"}
        stopped = client.post("/shop/api/act", data=wish | {"kind": "stop"})
        assert (stopped.status_code, stopped.headers["location"]) == (303, "/shop/api/deployments/3")
        world.durable.run()
        page = client.get(address).text
        assert "Service app is kept stopped" in page
        assert "Start all" in page
        assert "<h1>Stop of app on staging</h1>" in client.get("/shop/api/deployments/3").text
        client.post("/shop/api/act", data=wish | {"kind": "scale", "replicas": "2"})
        world.durable.run()
        assert replicas(world)["app"] == 2
        client.post("/shop/api/act", data=wish | {"kind": "scale", "replicas": ""})
        world.durable.run()
        assert replicas(world)["app"] == 1
        for wrong in ({"kind": "scale", "replicas": "many"}, {"kind": "deploy"}):
            assert client.post("/shop/api/act", data=wish | wrong).status_code == 422
    assert world.stacks.called("scale") == [[STACK, "app", 0], [STACK, "app", 2], [STACK, "app", 1]]
