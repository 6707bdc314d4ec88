from __future__ import annotations

import dataclasses
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from tests.engine.world import World
from tests.web.client import asking, sign_in, token

from cabestan.domain.access import Role, User
from cabestan.store import users as store
from cabestan.store.schema import users
from cabestan.web import sessions, throttle

FORM = "/shop/api/settings/variables"
VARIABLE = {"variable": "LEVEL", "kind": "variable", "environment": "", "value": "high"}


@pytest.fixture(autouse=True)
def forgotten_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_throttled", throttle.Throttle())


def log_in(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password} | more)


def served_at(world: World, url: str) -> None:
    """What browsers address from now on."""
    settings = world.services.settings.model_copy(update={"url": url})
    world.services = dataclasses.replace(world.services, settings=settings)


def set_password(world: World, user: User, password: str) -> None:
    kept = PasswordHasher().hash(password)
    with world.services.database.writing() as tx:
        tx.execute(sa.update(users).where(users.c.id == user.id).values(password_hash=kept))


def test_a_password_or_a_token_opens_a_session(world: World) -> None:
    dev = world.user("dev")
    world.user("other")
    set_password(world, dev, "hunter2")
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


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("", {"Origin": "https://evil.example.org"}),
        ("", {"Origin": "null"}),
        ("", {"Origin": ""}),
        ("", {"Origin": "http://127.0.0.1"}),
        ("", {"Sec-Fetch-Site": "cross-site"}),
        ("https://a.example.org", {"Origin": "http://a.example.org"}),
        ("https://a.example.org", {"Origin": "https://b.example.org", "Sec-Fetch-Site": "same-site"}),
        ("https://a.example.org", {"Origin": "https://a.example.org.evil.org"}),
        ("https://a.example.org", {"Origin": "https://a.example.org", "Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_no_other_site_signs_somebody_in(world: World, url: str, headers: dict[str, str]) -> None:
    world.user("dev")
    served_at(world, url)
    with asking(world) as client:
        answer = client.post("/login", data={"name": "dev", "password": "token-of-dev"}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert "did not come from this site" in answer.text
        assert f"Sign in at {world.services.settings.public_url}/login." in answer.text


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("", {"Origin": "http://cabestan:8600", "Host": "cabestan:8600", "Sec-Fetch-Site": "same-origin"}),
        ("", {"Origin": "https://cabestan", "Host": "cabestan"}),
        ("", {"Sec-Fetch-Site": "none"}),
        ("https://A.example.org:443/", {"Origin": "https://a.example.org"}),
        ("http://a.example.org:80", {"Origin": "http://a.example.org"}),
        ("https://a.example.org:8443", {"Origin": "https://a.example.org:8443"}),
        ("https://a.example.org", {"Origin": "http://cabestan:8600", "Host": "cabestan:8600"}),
    ],
)
def test_a_login_comes_from_the_public_address_or_the_one_that_is_asked(
    world: World, url: str, headers: dict[str, str]
) -> None:
    world.user("dev")
    served_at(world, url)
    with asking(world) as client:
        answer = client.post("/login", data={"name": "dev", "password": "token-of-dev"}, headers=headers)
        assert answer.status_code == 303, answer.text


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the throttle goes by."""
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sessions, "_throttled", throttle.Throttle())
    return now


def failing(world: World, name: str, address: str, *, closed: bool = False) -> None:
    with pytest.raises(sessions.NotSignedIn, match="Too many failed tries" if closed else "do not fit together"):
        sessions.check_login(world.services, name, "wrong", address)


def signing_in(world: World, name: str, secret: str, address: str) -> None:
    assert sessions.check_login(world.services, name, secret, address).name == name


PLAIN = {"HttpOnly", "Path=/", "SameSite=lax"}


@pytest.mark.parametrize(
    ("url", "name", "attributes"),
    [
        ("", "cabestan_session", PLAIN),
        ("http://cabestan.example.org", "cabestan_session", PLAIN),
        ("https://cabestan.example.org", "__Host-cabestan_session", PLAIN | {"Secure"}),
        ("HTTPS://cabestan.example.org", "__Host-cabestan_session", PLAIN | {"Secure"}),
    ],
)
def test_over_https_the_cookie_is_of_this_host_alone(world: World, url: str, name: str, attributes: set[str]) -> None:
    world.user("dev")
    served_at(world, url)
    with asking(world) as client:
        (kept, *rest) = log_in(client, "dev", "token-of-dev").headers["set-cookie"].split("; ")
        assert kept.startswith(f"{name}=")
        assert {attribute for attribute in rest if not attribute.startswith("Max-Age=")} == attributes
        assert client.get("/api/v1/user", headers={"Cookie": kept}).json()["name"] == "dev"


def test_over_https_the_cookie_of_the_plain_name_is_not_believed_and_the_other_goes_with_the_logout(
    world: World,
) -> None:
    world.user("dev")
    served_at(world, "https://cabestan.example.org")
    with asking(world) as client:
        cookie = log_in(client, "dev", "token-of-dev").cookies["__Host-cabestan_session"]
        client.cookies.clear()
        assert client.get("/api/v1/user", headers={"Cookie": f"cabestan_session={cookie}"}).status_code == 401
        with world.services.database.reading() as tx:
            session = store.session(tx, cookie, world.clock())
        assert session
        headers = {"Cookie": f"__Host-cabestan_session={cookie}", "X-CSRF-Token": session.csrf}
        (gone, *rest) = client.post("/logout", headers=headers).headers["set-cookie"].split("; ")
        assert gone == '__Host-cabestan_session=""'
        assert set(rest) == PLAIN | {"Secure", "Max-Age=0"}
        assert client.get("/api/v1/user", headers=headers).status_code == 401


def test_many_failures_close_a_name_for_its_address_for_a_minute(world: World, clock: list[float]) -> None:
    for name in ("dev", "other"):
        set_password(world, world.user(name), "hunter2")
    for _ in range(10):
        failing(world, "dev", "192.0.2.1")
    failing(world, "dev", "192.0.2.1", closed=True)
    with pytest.raises(sessions.NotSignedIn, match="Too many failed tries"):
        sessions.check_login(world.services, "dev", "hunter2", "192.0.2.1")
    signing_in(world, "dev", "hunter2", "192.0.2.2")
    signing_in(world, "other", "hunter2", "192.0.2.1")
    clock[0] += 61
    signing_in(world, "dev", "hunter2", "192.0.2.1")


def test_no_failures_close_a_name_to_its_token(world: World, clock: list[float]) -> None:
    world.user("dev")
    for _ in range(10):
        failing(world, "dev", "192.0.2.1")
    failing(world, "dev", "192.0.2.1", closed=True)
    signing_in(world, "dev", "token-of-dev", "192.0.2.1")


def test_a_password_that_fits_forgets_the_failures_before_it(world: World, clock: list[float]) -> None:
    set_password(world, world.user("dev"), "hunter2")
    for _ in range(3):
        for _ in range(9):
            failing(world, "dev", "192.0.2.1")
        signing_in(world, "dev", "hunter2", "192.0.2.1")


def test_tries_that_come_at_once_are_no_more_than_one_by_one(
    world: World, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_password(world, world.user("dev"), "hunter2")
    hashed: list[str] = []

    def matches(_kept: str, password: str) -> bool:
        """While it lasts, another try comes."""
        hashed.append(password)
        with pytest.raises(sessions.NotSignedIn):
            sessions.check_login(world.services, "dev", "wrong", "192.0.2.1")
        return False

    monkeypatch.setattr(sessions, "_matches", matches)
    failing(world, "dev", "192.0.2.1")
    assert len(hashed) == 10


def test_a_flood_from_many_addresses_costs_so_many_hashes_and_no_more(
    world: World, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_matches", lambda _kept, password: password == "hunter2")
    set_password(world, world.user("dev"), "hunter2")
    for number in range(100):  # what costs none is not counted
        failing(world, "none", f"192.0.2.{number}")
    for number in range(60):
        failing(world, "dev", f"198.51.100.{number}")
    failing(world, "dev", "198.51.100.60", closed=True)
    signing_in(world, "dev", "token-of-dev", "192.0.2.1")
    clock[0] += 61
    signing_in(world, "dev", "hunter2", "192.0.2.1")


def test_the_address_is_the_connections_whatever_the_request_says(world: World, clock: list[float]) -> None:
    with asking(world) as client:
        for number in range(10):
            headers = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
            client.post("/login", data={"name": "dev", "password": "wrong"}, headers=headers)
        assert "Too many failed tries" in log_in(client, "dev", "wrong").text
    assert list(sessions._throttled._failures) == [("dev", "127.0.0.1")]


def test_a_name_that_nobody_can_have_is_refused_and_not_remembered(world: World) -> None:
    for name in ("n" * 33, "n" * 1_000_000):
        failing(world, name, "")
    assert sessions._throttled._failures == {}
    failing(world, "n" * 32, "")
    assert list(sessions._throttled._failures) == [("n" * 32, "")]


def test_a_token_that_is_not_good_is_told_apart_from_none(world: World) -> None:
    with asking(world) as client:
        without = client.get("/api/v1/user").json()["error"]["message"]
        wrong = client.get("/api/v1/user", headers={"Authorization": "Bearer mistyped"})
        assert (without, wrong.status_code) == ("You are not signed in.", 401)
        assert wrong.json()["error"]["message"].startswith("The token is not good here")
