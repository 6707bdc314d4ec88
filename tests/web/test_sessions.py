from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from tests.engine.world import World
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role
from cabestan.store.schema import users
from cabestan.web import sessions

FORM = "/shop/api/settings/variables"
VARIABLE = {"variable": "LEVEL", "kind": "variable", "environment": "", "value": "high"}


@pytest.fixture(autouse=True)
def forgotten_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_throttled", sessions.Throttle())


def log_in(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password} | more)


def test_a_password_or_a_token_opens_a_session(world: World) -> None:
    dev = world.user("dev")
    world.user("other")
    with world.services.database.writing() as tx:
        tx.execute(sa.update(users).where(users.c.id == dev.id).values(password_hash=PasswordHasher().hash("hunter2")))
    with asking(world) as client:
        for password in ("hunter2", "token-of-dev"):
            answer = log_in(client, "dev", password)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
            assert client.get("/api/v1/user").json()["name"] == "dev"
            client.cookies.clear()
        for name, password in [
            ("dev", "wrong"),
            ("dev", ""),
            ("other", "hunter2"),
            ("other", "token-of-dev"),
            ("none", "x"),
        ]:
            answer = log_in(client, name, password)
            assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


def test_a_mistyped_password_costs_neither_the_name_nor_the_page_that_was_wanted(world: World) -> None:
    world.user("dev")
    with asking(world) as client:
        text = log_in(client, 'd"ev', "wrong", next="/shop/api?page=2").text
    assert 'name="next" value="/shop/api?page=2"' in text
    assert 'value="d&#34;ev" required>' in text
    assert 'autocomplete="current-password" required autofocus>' in text


@pytest.mark.parametrize(
    ("wanted", "location"),
    [("/shop/api", "/shop/api"), ("//evil.org", "/"), ("/\\evil.org", "/"), ("https://evil.org", "/"), ("", "/")],
)
def test_a_login_leads_back_to_this_site_alone(world: World, wanted: str, location: str) -> None:
    world.user("dev")
    with asking(world) as client:
        assert log_in(client, "dev", "token-of-dev", next=wanted).headers["location"] == location


def test_a_session_writes_with_its_own_forms_token_in_a_header_or_a_field(world: World) -> None:
    world.user("dev", shop=Role.MAINTAINER)
    world.user("other", shop=Role.MAINTAINER)
    world.project()
    with asking(world) as client:
        foreign = sign_in(client, world, "other")
        client.cookies.clear()
        csrf = sign_in(client, world, "dev")
        assert client.post(FORM, data=VARIABLE | {"csrf_token": foreign}).status_code == 403
        assert client.post(FORM, data=VARIABLE, headers={"X-CSRF-Token": foreign}).status_code == 403
        assert client.post(f"{FORM}?csrf_token={csrf}", data=VARIABLE).status_code == 403
        assert client.get("/api/v1/projects/shop/api/variables").json()["items"] == []
        assert client.post(FORM, data=VARIABLE | {"csrf_token": csrf}).status_code == 303
        api = "/api/v1/projects/shop/api/variables/OTHER"
        assert client.put(api, json={"value": "x"}, headers={"X-CSRF-Token": csrf}).status_code == 204
        # a token in the header of a program needs no such proof
        client.cookies.clear()
        assert client.put(api, json={"value": "y"}, headers=token("dev")).status_code == 204


def test_a_session_ends_with_its_time_and_with_the_logout(world: World) -> None:
    world.user("dev")
    with asking(world) as client:
        csrf = sign_in(client, world, "dev")
        cookie = client.cookies["cabestan_session"]
        assert client.post("/logout", headers={"X-CSRF-Token": csrf}).status_code == 303
        assert client.get("/api/v1/user", headers={"Cookie": f"cabestan_session={cookie}"}).status_code == 401
        sign_in(client, world, "dev")
        world.clock.now += timedelta(hours=world.services.settings.session_hours)
        assert client.get("/api/v1/user").status_code == 401


def test_many_failures_close_a_name_for_a_minute_and_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.user("dev")
    world.user("other")
    now = [1000.0]
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now[0])
    throttle = sessions.Throttle()
    monkeypatch.setattr(sessions, "_throttled", throttle)
    for _ in range(10):
        with pytest.raises(sessions.NotSignedIn, match="do not fit together"):
            sessions.check_login(world.services, "dev", "wrong")
    with pytest.raises(sessions.NotSignedIn, match="Too many failed tries"):
        sessions.check_login(world.services, "dev", "token-of-dev")
    assert sessions.check_login(world.services, "other", "token-of-other").name == "other"
    now[0] += 61
    assert sessions.check_login(world.services, "dev", "token-of-dev").name == "dev"


def test_the_failures_of_many_names_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now[0])
    throttle = sessions.Throttle()
    for number in range(1000):
        throttle.failed(f"name-{number}")
    now[0] += 61
    throttle.failed("last")
    assert list(throttle._failures) == ["last"]


def test_the_failures_of_so_many_names_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_REMEMBERED", 3)
    throttle = sessions.Throttle()
    for name in ("a", "b", "a", "c", "d", "e"):
        throttle.failed(name)
    assert list(throttle._failures) == ["c", "d", "e"]


def test_a_name_that_nobody_can_have_is_refused_and_not_remembered(world: World) -> None:
    for name in ("n" * 33, "n" * 1_000_000):
        with pytest.raises(sessions.NotSignedIn, match="do not fit together"):
            sessions.check_login(world.services, name, "wrong")
    assert sessions._throttled._failures == {}
    with pytest.raises(sessions.NotSignedIn, match="do not fit together"):
        sessions.check_login(world.services, "n" * 32, "wrong")
    assert list(sessions._throttled._failures) == ["n" * 32]


def test_a_token_that_is_not_good_is_told_apart_from_none(world: World) -> None:
    with asking(world) as client:
        without = client.get("/api/v1/user").json()["error"]["message"]
        wrong = client.get("/api/v1/user", headers={"Authorization": "Bearer mistyped"})
        assert (without, wrong.status_code) == ("You are not signed in.", 401)
        assert wrong.json()["error"]["message"].startswith("The token is not good here")
