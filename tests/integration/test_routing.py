"""Rules of every kind through the running router, on one deployment."""

from __future__ import annotations

import base64
import os
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.routed_app import APP, COMPOSE, HASHES
from tests.integration.samples import DOCKERFILE, unbuilt

from cabestan.adapters.probing import probe
from cabestan.domain.route import Probe

pytestmark = pytest.mark.integration
ROUTED = unbuilt({"app.py": APP, "docker-compose.yml": COMPOSE}, apps=4)


class Site:
    """The deployed project on staging."""

    def __init__(self, platform: Platform, work: Work) -> None:
        self.platform, self.work, self.domain = platform, work, work.host("staging")

    def ask(
        self, path: str, host: str = "", method: str = "GET", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return self.platform.ask(host or self.domain, path, method=method, headers=headers or {})

    def told(self, path: str, host: str = "", **options: Any) -> tuple[str, str]:
        """The route that led there, and the path that arrived."""
        answer = self.ask(path, host, **options)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()["route"] or answer.json()["service"], answer.json()["path"]


@pytest.fixture(scope="module")
def site(prepared: Platform) -> Site:
    if prepared.died:
        prepared.start()
    work = prepared.make_project(ROUTED, "t/routed")
    deployed = work.deployed(120)
    assert deployed["status"] == "succeeded", deployed
    return Site(prepared, work)


def test_each_matcher_and_modifier_leads_where_it_says(site: Site) -> None:
    sub = f"abc.{site.domain}"
    expected = [
        (site.told("/"), ("site", "/")),
        (site.told("/x", sub), ("sub", "/x")),
        (site.told("/exact"), ("exact", "/exact")),
        (site.told("/also/123"), ("exact", "/also/123")),
        (site.told("/exact/more"), ("site", "/exact/more")),
        (site.told("/also/1234"), ("site", "/also/1234")),
        (site.told("/api/x?y=1"), ("strip", "/x?y=1")),
        (site.told("/one"), ("one", "/")),
        (site.told("/one/x"), ("site", "/one/x")),
        (site.told("/v12/x"), ("version", "/x")),
        (site.told("/w12"), ("whole", "/")),
        (site.told("/w12/x"), ("site", "/w12/x")),
        (site.told("/add/x"), ("add", "/in/add/x")),
        (site.told("/old"), ("old", "/new")),
        (site.told("/from/a/b"), ("from", "/to/a/b")),
        (site.told("/k", headers={"X-Kind": "a"}), ("kind", "/k")),
        (site.told("/k", headers={"X-Kind": "ab"}), ("site", "/k")),
        (site.told("/k", headers={"X-Agent": "crawler/2"}), ("agent", "/k")),
        (site.told("/m", method="PUT"), ("put", "/m")),
        (site.told("/q?kind=b&n=12&z=any"), ("query", "/q?kind=b&n=12&z=any")),
        (site.told("/q?kind=b&n=x&z="), ("site", "/q?kind=b&n=x&z=")),
        (site.told("/own/x"), ("own", "/own/x")),
    ]
    assert [one for one, _ in expected] == [other for _, other in expected]


def test_passwords_are_asked_for_whatever_their_hash(site: Site) -> None:
    for name in HASHES:
        right = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
        wrong = {"Authorization": "Basic " + base64.b64encode(b"ann:wrong").decode()}
        assert [site.ask(f"/{name}/x", headers=headers).status_code for headers in ({}, wrong, right)] == [
            401,
            401,
            200,
        ]
        assert site.ask(f"/{name}/x", headers=right).json()["authorization"] == ""


@pytest.mark.parametrize("over_tls", [True, False])
def test_headers_are_bounded_before_any_application_sees_them(site: Site, over_tls: bool) -> None:
    for count, status in ((7, 200 if over_tls else 302), (10, 431)):
        headers = {f"X-{number}": "a" * 8000 for number in range(count)}
        answer = site.ask("/", headers=headers) if over_tls else site.platform.ask_plainly(site.domain, headers=headers)
        assert answer.status_code == status


def test_redirects_headers_and_addresses_are_as_asked(site: Site) -> None:
    gone = site.ask("/gone/x?y=1")
    assert (gone.status_code, gone.headers["Location"]) == (302, "https://new.example.org/x?y=1")
    safe = site.ask("/safe").headers
    wanted = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'self'; img-src *",
        "Strict-Transport-Security": "max-age=60",
        "X-More": "a:b",
    }
    assert {name: safe.get(name) for name in wanted} == wanted
    assert "Server-Says" not in safe
    assert "Server-Says" in site.ask("/").headers
    assert site.domain in site.ask("/").json()["host"]
    assert site.domain not in site.ask("/bare").json()["host"]
    assert site.ask("/ban").status_code == 403


def test_rules_of_traefik_2_and_3_lead_where_they_say(site: Site) -> None:
    later = f"later.{site.domain}"
    assert site.told("/a/x", later) == ("later-api", "/x")
    assert site.told("/b/12", later) == ("later-api", "/b/12")
    assert site.told("/c", f"any.{later}", headers={"X-Kind": "a"}) == ("later", "/c")
    assert site.ask("/c", f"any.{later}").status_code == 404
    assert site.told("/b/x", later)[0] == "sub"
    assert site.told("/a/x", later, method="PUT")[0] == "sub"


def test_a_web_socket_reaches_its_service_though_the_wider_rule_has_the_higher_number(site: Site) -> None:
    """As in the French document."""
    assert site.told("/ws/x") == ("ws", "/ws/x")
    assert site.told("/wsx")[0] == "site"
    with site.platform.connect(site.domain) as connection:
        request = (
            f"GET /ws/chat HTTP/1.1\r\nHost: {site.domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        connection.sendall(request.encode())
        with connection.makefile("rb") as answers:
            head = b"".join(iter(answers.readline, b"\r\n")).decode()
            assert head.startswith("HTTP/1.1 101 ")
            assert "Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".lower() in head.lower()
            mask = os.urandom(4)
            masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(b"hello"))
            connection.sendall(bytes([0x81, 0x80 | len(masked)]) + mask + masked)
            kind, size = answers.read(2)
            assert (kind, answers.read(size)) == (0x81, b"ws /ws/chat hello")


def test_events_arrive_one_by_one(site: Site) -> None:
    """The second event is sent only after the first one was read."""
    with site.platform.connect(site.domain) as connection:
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: {site.domain}\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answers:
            lines = iter(answers.readline, b"")
            first = next(line for line in lines if line.startswith(b"data: "))
            go_on = threading.Thread(target=site.ask, args=("/go-on",))
            go_on.start()
            second = next(line for line in lines if line.startswith(b"data: "))
            go_on.join()
    assert (first, second) == (b"data: one\n", b"data: two\n")


def test_the_platform_knows_which_route_answers(site: Site) -> None:
    for path, method, wanted in (
        ("/", "GET", "web-site"),
        ("/ws/x", "GET", "ws"),
        ("/api/x", "GET", "web-strip"),
        ("/x", "PUT", "web-put"),
        ("/also/99", "GET", "web-exact"),
        ("/q?kind=b&n=1&z=", "GET", "web-query"),
    ):
        found = site.platform.get("/routes/match", url=f"http://{site.domain}{path}", method=method)
        assert found["answers"]["name"] == wanted
    listed = site.platform.get("/routes", project=site.work.name)["items"]
    assert len(listed) == 25
    owned = [host for host in site.platform.get("/hosts")["items"] if host["owner"] == site.work.name]
    assert {host["pattern"] for host in owned} == {
        site.domain,
        f"*.{site.domain}",
        f"later.{site.domain}",
        f"*.later.{site.domain}",
    }


def test_another_project_gets_none_of_these_names(site: Site) -> None:
    """In no syntax; and nothing of it is deployed."""
    rules = {
        "traefik.frontend.rule": "HostRegexp:{any:.*}.${CI_ENVIRONMENT_DOMAIN},x." + site.domain,
        "traefik.http.routers.r.rule": rf"HostRegexp(`^.+\.{site.domain.replace('.', chr(92) + '.')}$$`)",
    }
    for number, (label, rule) in enumerate(rules.items()):
        compose = ROUTED["docker-compose.yml"].partition("services:")[1] + (
            "\n  web:\n    image: cabestan/python:3.11\n    user: '1001'\n    expose: [8000]\n"
            f"    environment: {{NAME: thief}}\n    labels:\n      {label}: '{rule}'\n"
        )
        thief = site.platform.make_project(ROUTED | {"docker-compose.yml": compose}, f"u/thief{number}")
        ended = thief.deployed(120)
        assert ended["status"] == "failed"
        assert "belongs to the project t/routed" in ended["reason"]
    assert eventually(lambda: site.told("/"), 5, "the site answers") == ("site", "/")


PORTLESS = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    environment: {NAME: app}
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
  store:
    image: cabestan/registry:3
    labels:
      traefik.frontend.rule: Host:store.${CI_ENVIRONMENT_DOMAIN}
"""


def test_a_route_without_a_port_takes_the_one_that_its_image_declares(site: Site) -> None:
    """An image of the project's own, with its lowest port, and one of the catalogue."""
    exposing = DOCKERFILE.replace("STOPSIGNAL", "EXPOSE 8100 8000/tcp 53/udp\nSTOPSIGNAL")
    work = site.platform.make_project(ROUTED | {"Dockerfile": exposing, "docker-compose.yml": PORTLESS}, "t/portless")
    deployed = work.deployed(120)
    assert deployed["status"] == "succeeded", deployed
    assert site.platform.ask(work.host("staging"), "/").json()["service"] == "app"
    assert site.platform.ask(f"store.{work.host('staging')}", "/v2/").json() == {}


def test_an_image_that_declares_no_port_is_refused_before_anything_is_deployed(site: Site) -> None:
    without = unbuilt({"app.py": APP, "docker-compose.yml": PORTLESS.partition("  store:")[0]})
    pushed = site.platform.make_project(without, "t/noport").push()
    assert pushed.pipeline, pushed.output
    ended = site.platform.wait_for_pipeline(pushed.pipeline, 120)
    assert ended["status"] == "failed"
    assert ended["reason"].startswith("docker-compose.yml:11:30 ")
    assert "exposes no port, and its image" in ended["reason"]


def test_an_answer_tells_by_which_route_it_came_so_that_a_wider_one_does_not_answer_for_another(site: Site) -> None:
    marks = {path: site.ask(path).headers["cabestan-route"] for path in ("/", "/exact", "/ban", "/gone/x", "/apr1/x")}
    assert len(set(marks.values())) == len(marks)
    assert site.ask("/exact/more").headers["cabestan-route"] == marks["/"]
    wanted = Probe(site.domain, "/exact", marks=(marks["/exact"],))
    assert probe(site.platform.host, site.platform.tls_port, wanted) == ""
    unknown = replace(wanted, path="/exact/more")
    assert "is answered by another route than its own (200)" in probe(
        site.platform.host, site.platform.tls_port, unknown
    )
