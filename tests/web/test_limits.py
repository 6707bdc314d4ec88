from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.web.limits import BODY_BYTES


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    world.user("dev", shop=Role.MAINTAINER)
    world.project()
    with asking(world, **token("dev")) as asked:
        yield asked


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
