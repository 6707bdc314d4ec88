"""Ports of images that are not built yet: what their Dockerfiles tell, a check and a preview know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.checks.samples import COMPOSE, FILES, found, place, subject, told

from cabestan.checks.check import plan
from cabestan.checks.compose_file import preview, read
from cabestan.checks.ports import ports_of
from cabestan.compose.findings import NOTHING_WAIVED
from cabestan.pipeline.base_images import BaseImages

LABELS = "    labels:\n      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}\n"
ROUTED = COMPOSE + LABELS
CATALOGUE = BaseImages(
    ("cabestan/nginx:1.22", "cabestan/python:3.11"),
    ("bearstech",),
    {"cabestan/nginx:1.22": "FROM scratch\nEXPOSE 8000\n", "cabestan/python:3.11": "FROM scratch\n"},
)


def routed(dockerfile: str, **more: str) -> dict[str, str]:
    return {"Dockerfile": dockerfile, "docker-compose.yml": ROUTED} | more


def previewed(files: Mapping[str, str], **known: Any) -> str:
    """The port to which the route of `web` leads in a preview."""
    of = subject(files, **known)
    planned = plan(of)
    seen = read(of, place(of), NOTHING_WAIVED, None, ports_of(of, planned.blueprint, planned.texts))
    assert seen.compose
    (route,) = preview(seen.compose, seen.place, of.project).routes
    labels = preview(seen.compose, seen.place, of.project).document["services"]["web"]["deploy"]["labels"]
    (port,) = (value for label, value in labels.items() if label.endswith("loadbalancer.server.port"))
    assert port == (str(route.port) if route.port else "port-of-the-image")
    return str(port)


@pytest.mark.parametrize(
    ("dockerfile", "port"),
    [
        ("FROM somebody/base:1\nEXPOSE 9000\nUSER 1001\n", "9000"),
        ("FROM cabestan/nginx\nUSER 1001\n", "8000"),
        ("FROM bearstech/nginx\nEXPOSE 9000\nUSER 1001\n", "8000"),
        ("FROM somebody/base:1\nUSER 1001\n", "port-of-the-image"),
        ("ARG PORT=1\nFROM scratch\nEXPOSE $PORT\nUSER 1001\n", "port-of-the-image"),
    ],
)
def test_a_dockerfile_tells_the_port_of_its_route(dockerfile: str, port: str) -> None:
    assert told(found(routed(dockerfile), base_images=CATALOGUE)) == []
    assert previewed(routed(dockerfile), base_images=CATALOGUE) == port


def test_where_the_platforms_images_are_not_known_those_of_this_version_tell() -> None:
    files = routed("FROM cabestan/nginx\nUSER 1001\n")
    assert previewed(files, shipped=lambda: CATALOGUE) == "8000"
    assert previewed(files) == "port-of-the-image"


def test_an_image_of_the_same_repository_is_looked_into() -> None:
    files = {
        "Dockerfile.base": "# shop/api/base\nFROM scratch\nEXPOSE 7000\n",
        "Dockerfile.app": "FROM shop/api/base\nUSER 1001\n",
        "docker-compose.yml": ROUTED.replace("}:", "}/app:"),
    }
    assert previewed(files) == "7000"


def test_a_catalogue_image_in_the_compose_file_tells_its_own() -> None:
    files = {"docker-compose.yml": f"services:\n  web:\n    image: bearstech/nginx\n{LABELS}"}
    assert previewed(files, base_images=CATALOGUE) == "8000"
    assert told(found(files, base_images=CATALOGUE)) == []


def test_it_is_warned_of_an_image_that_will_declare_none_and_the_preview_goes_on() -> None:
    files = routed("FROM scratch\nUSER 1001\n")
    (warning,) = (one for one in found(files) if one.code == "route-port")
    assert (warning.severity, warning.line) == ("warning", 5)
    assert warning.message.endswith("declares none.")
    assert previewed(files) == "port-of-the-image"


@pytest.mark.parametrize("own", ["    expose: [9000]\n", "      traefik.port: '9000'\n"])
def test_what_the_service_says_itself_comes_first(own: str) -> None:
    compose = COMPOSE + own + LABELS if "expose" in own else ROUTED + own
    files = FILES | {"Dockerfile": "FROM scratch\nEXPOSE 80\nUSER 1001\n", "docker-compose.yml": compose}
    assert previewed(files) == "9000"
    assert told(found(files | {"Dockerfile": "FROM scratch\nUSER 1001\n"})) == []
