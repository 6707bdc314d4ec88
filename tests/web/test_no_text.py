"""What is no text, in whichever field: refused with the field's name, and never an error of the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from tests.engine.world import COMPOSE, ENDING, World
from tests.web.client import Address, addresses, application, asking, sign_in, token

HALF = "\ud800"
_ALL = addresses(application(SimpleNamespace(services=None)))  # type: ignore[arg-type]
#: JSON cannot tell the two apart, a form and an address know no half characters but as bytes
NO_TEXT = {"json": [r"\ud800", r"a\udfffz", r"\u0000"], "percent": ["%00", "%ED%A0%80", "a%FFz"]}


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """Of one who may do everything, where there is everything."""
    world.released(world.project(), **{"docker-compose.yml": COMPOSE + ENDING})
    world.user("admin", admin=True)
    with asking(world, **token("admin")) as asked:
        yield asked


def with_json() -> list[tuple[Address, str]]:
    """Every field of every body, as the API's own document has them."""
    document = application(SimpleNamespace(services=None)).openapi()  # type: ignore[arg-type]
    return [(a, field) for a in _ALL for field in _fields(document, a)]


def _fields(document: dict[str, Any], address: Address) -> list[str]:
    body = document["paths"].get(address.route, {}).get(address.method.lower(), {}).get("requestBody", {})
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return sorted(named.get("properties", {}))


def with_forms() -> list[tuple[Address, str]]:
    return [(a, name) for a in _ALL for name in a.body.get("data", {})]


def parameters() -> list[tuple[Address, str]]:
    found = {
        f"{method} {context.path}": [param.alias for param in context.dependant.query_params]
        for context in iter_route_contexts(application(SimpleNamespace(services=None)).routes)  # type: ignore[arg-type]
        for method in (context.methods or ())
        if getattr(context, "dependant", None)
    }
    return [(a, name) for a in _ALL for name in found.get(a.name, [])]


def test_the_lists_are_not_empty() -> None:
    assert (len(with_json()) > 30, len(with_forms()) > 30, len(parameters()) > 20) == (True, True, True)


def refused(answer: httpx.Response, field: str) -> None:
    assert answer.status_code in (400, 422), answer.text
    assert field in answer.text, answer.text


def test_no_field_of_any_json_takes_it(client: httpx.Client) -> None:
    for address, field in with_json():
        for bad in NO_TEXT["json"]:
            body = json.dumps({**address.body.get("json", {}), field: "BAD"}).replace("BAD", bad)
            headers = {"Content-Type": "application/json"}
            refused(client.request(address.method, address.path, content=body, headers=headers), f"field {field} ")


def test_no_field_of_any_form_takes_it(client: httpx.Client, world: World) -> None:
    with asking(world) as browser:
        csrf = sign_in(browser, world, "admin")
        for address, field in with_forms():
            for bad in NO_TEXT["percent"]:
                good = {name: value for name, value in address.body["data"].items() if name != field}
                content = f"{urlencode(good)}&csrf_token={csrf}&{field}={bad}"
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = browser.request(address.method, address.path, content=content, headers=headers)
                refused(answer, f"field {field} ")


def test_no_parameter_of_any_address_takes_it(client: httpx.Client) -> None:
    for address, name in parameters():
        for bad in NO_TEXT["percent"]:
            at = httpx.URL(address.path.partition("?")[0] + f"?{name}={bad}")
            refused(client.request(address.method, at, **address.body), f"parameter {name} ")


def test_no_part_of_any_path_takes_it(client: httpx.Client) -> None:
    for address in _ALL:
        for part in re.findall(r"\{\w+(?::\w+)?\}", address.route):
            for bad in NO_TEXT["percent"]:
                path = re.sub(r"\{\w+(?::\w+)?\}", "1", address.route.replace(part, bad))
                refused(client.request(address.method, httpx.URL(path), **address.body), "address is not text")
