from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.web.front.bounds import Bounds


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    world.user("dev", shop=Role.MAINTAINER)
    world.project()
    with asking(world, **token("dev")) as asked:
        yield asked


BODY_BYTES = Bounds().body_bytes
AT = "/api/v1/projects/shop/api/variables/LEVEL"


def chunks(size: int) -> Iterator[bytes]:
    """Sent without telling how much will come."""
    for _ in range(size // 65536 + 1):
        yield b"x" * 65536


def test_a_body_over_the_bound_is_refused_whether_or_not_it_tells_its_size(client: httpx.Client) -> None:
    expected = {
        "error": {
            "code": "too_large",
            "message": "The request is too large.",
            "remedy": f"At most {BODY_BYTES} bytes are taken.",
            "details": [],
        }
    }
    for content in (b"x" * (BODY_BYTES + 1), chunks(BODY_BYTES)):
        answer = client.put(AT, content=content)
        assert (answer.status_code, answer.json()) == (413, expected)
        assert answer.headers["x-frame-options"] == "DENY"


def test_a_page_says_so_too(client: httpx.Client) -> None:
    answer = client.post("/shop/api/settings/variables", content=b"x" * (BODY_BYTES + 1))
    assert answer.status_code == 413
    assert "The request is too large." in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_body_below_it_arrives_whole(client: httpx.Client) -> None:
    assert client.put(AT, json={"value": "ü" * 32000}).status_code == 204
    (variable,) = client.get("/api/v1/projects/shop/api/variables").json()["items"]
    assert variable["value"] == "ü" * 32000
    parts = (part for part in (b'{"value": ', b'"in parts"}'))
    answer = client.put(AT, content=parts, headers={"Content-Type": "application/json"})
    assert answer.status_code == 204


@pytest.mark.parametrize("path", ["/api/v1/projects/shop/api/environments/x.git/git-upload-pack", "/a/b.git/info/refs"])
def test_only_gits_own_addresses_are_left_alone(client: httpx.Client, path: str) -> None:
    assert client.put(path, content=b"x" * (BODY_BYTES + 1)).status_code == 413


def test_a_stranger_may_send_little(world: World) -> None:
    """What is held of bodies would else be anybody's."""
    with asking(world) as stranger:
        answer = stranger.post("/login", data={"name": "x", "password": "x" * 70_000})
        assert (answer.status_code, "At most 65536 bytes" in answer.text) == (413, True)
        assert stranger.post("/api/v1/projects", content=chunks(70_000)).status_code == 413
        assert stranger.post("/login", data={"name": "x", "password": "x" * 60_000}).status_code == 401


def test_all_bodies_together_have_a_bound(world: World) -> None:
    world.user("dev", admin=True)
    with asking(world, replace(Bounds(), held_bytes=100_000), **token("dev")) as client:
        answer = client.post("/api/v1/projects", content=b" " * 200_000)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
        for _ in range(10):  # what was held is let go of, however it ended
            assert client.post("/api/v1/projects", content=b" " * 60_000).status_code == 422


@pytest.mark.parametrize("pieces", [300, 30_000])
def test_a_body_in_many_pieces_is_one(client: httpx.Client, pieces: int) -> None:
    content = b'{"value": "' + b"x" * pieces + b'"}'
    assert client.put(AT, content=(content[at : at + 1] for at in range(len(content)))).status_code in (204, 415, 422)


def test_fields_and_parameters_are_counted(client: httpx.Client) -> None:
    answer = client.post("/shop/api/settings/variables", data={f"f{number}": "x" for number in range(201)})
    assert (answer.status_code, "too many fields" in answer.text) == (422, True)
    answer = client.get("/api/v1/projects?" + "&".join(f"p{number}" for number in range(101)))
    assert (answer.status_code, "too many parameters" in answer.text) == (422, True)


def test_json_that_is_nested_too_deeply_is_refused(client: httpx.Client) -> None:
    answer = client.put(AT, content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, "nested too deeply" in answer.text) == (422, True)


def test_forms_of_several_parts_are_refused(client: httpx.Client) -> None:
    """They name their own encoding, such as one that makes half characters."""
    answer = client.post("/shop/api/settings/variables", files={"name": "x"})
    assert (answer.status_code, "application/x-www-form-urlencoded" in answer.text) == (422, True)


@pytest.mark.parametrize("name", ["Host", "Referer", "Origin", "Cookie", "Last-Event-ID", "Authorization"])
def test_headers_that_are_nonsense_are_no_error_of_the_server(client: httpx.Client, name: str) -> None:
    for value in (b"http://[", b"\xff", b"[", b"a b", b"Basic /w==", b"Bearer \xff", b"=\xff;" * 50):
        for method, path in (("GET", "/"), ("POST", "/login"), ("POST", "/logout"), ("GET", "/api/v1/projects")):
            assert client.request(method, path, headers={name: value}).status_code < 500, (value, path)
