"""The application with everything but Docker behind it, as programs and browsers ask it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_origin

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from tests.engine.world import World
from tests.web.serving import serving

from cabestan.store import users
from cabestan.web.app import create_app
from cabestan.web.front.bounds import Bounds

#: for clients that ask over HTTP only: by default each reads all authorities of the world
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def application(world: World, bounds: Bounds | None = None) -> FastAPI:
    return create_app(world.services, on_start=lambda: None, on_stop=lambda: None, bounds=bounds)


@contextmanager
def asking(world: World, bounds: Bounds | None = None, **headers: str) -> Iterator[httpx.Client]:
    """Asks a real server, and follows no redirects."""
    with (
        serving(application(world, bounds), bounds) as address,
        httpx.Client(base_url=address, headers=headers, timeout=20, verify=NO_TLS) as client,
    ):
        yield client


def token(name: str) -> dict[str, str]:
    """What sends the token of a user that `World.user` made."""
    return {"Authorization": f"Bearer token-of-{name}"}


def sign_in(client: httpx.Client, world: World, name: str) -> str:
    """With a session cookie from now on; gives what forms must bring back."""
    answer = client.post("/login", data={"name": name, "password": f"token-of-{name}"})
    assert answer.status_code == 303, answer.text
    cookie = answer.cookies["cabestan_session"]
    with world.services.database.reading() as tx:
        session = users.session(tx, cookie, world.clock())
    assert session
    return session.csrf


@dataclass(frozen=True)
class Address:
    """One method of one route. `body` is a good one, as keywords for the client."""

    method: str
    route: str
    path: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


#: what stands in the world that the addresses are asked in
VALUES = {
    "group": "shop",
    "name": "api",
    "environment": "staging",
    "variable": "LEVEL",
    "secret": "KEY",
    "user": "dev",
    "volume": "data",
}

#: what some pages are asked with, by the end of their routes
QUERIES = {
    "search": "?q=x",
    "variables/history": "?variable=LEVEL",
    "{name}/deploy": "?environment=staging&release=1",
    "{name}/rollback": "?environment=staging&release=1",
    "{name}/volumes": "?environment=staging",
    "volumes/{volume}": "?environment=staging",
}


def addresses(app: FastAPI) -> list[Address]:
    """Every method of every route, also of routers that are included and of what is mounted."""
    return [
        Address(method, context.path or "", _filled(context.path or ""), _body(context))
        for context in iter_route_contexts(app.routes)
        for method in sorted((context.methods or {"GET"}) - {"HEAD"})
    ]


def _filled(route: str) -> str:
    if ".git/" in route:
        return "/shop/api.git/info/refs?service=git-upload-pack"
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: VALUES.get(match[1], "1"), route)
    return path + next((query for ending, query in QUERIES.items() if route.endswith(ending)), "")


def _body(context: Any) -> dict[str, Any]:
    params = getattr(getattr(context, "dependant", None), "body_params", [])
    annotations = {param.name: param.field_info.annotation for param in params}
    only = next(iter(annotations.values())) if len(annotations) == 1 else None
    if only and not _is_form(params[0]):
        return {"json": _json(only)}
    if only and isinstance(only, type) and issubclass(only, BaseModel):
        required = {name: field for name, field in only.model_fields.items() if field.is_required()}
        return {"data": {name: _text(field.annotation) for name, field in required.items()}}
    return {"data": {name: _text(annotation) for name, annotation in annotations.items()}} if annotations else {}


def _is_form(param: Any) -> bool:
    return type(param.field_info).__name__ == "Form"


def _json(annotation: Any) -> dict[str, Any]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    fields = annotation.model_fields.items()
    return {name: _value(name, field.annotation) for name, field in fields if field.is_required()}


def _value(name: str, annotation: Any) -> Any:
    if annotation is int:
        return 1
    if get_origin(annotation) is list:
        return ["x"]
    if get_origin(annotation) is dict:
        return {"x": 1}
    return None if name == "role" else "x"


def _text(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return str(next(iter(annotation)).value)
    options = getattr(annotation, "__args__", None)
    return _text(options[0]) if options and isinstance(options[0], type) else str((options or ("1",))[0])
