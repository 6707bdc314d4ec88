"""Routes: which address leads where."""

from typing import Annotated

from fastapi import APIRouter, Query

from cabestan.domain.access import Permission, User, may
from cabestan.engine.names import routes as engine
from cabestan.engine.names.routes import ServedRoute
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.api import shapes

router = APIRouter()
Url = Annotated[str, Query(max_length=4000)]
Method = Annotated[str, Query(max_length=30, pattern="^[A-Za-z]+$")]


@router.get("/routes")
def routes(visitor: SignedIn, services: Wired, project: str = "") -> shapes.Json:
    """All that are served now and may be seen, or those of one project."""
    key = project_for(services, visitor.user, project, Permission.READ).id if project else None
    with services.database.reading() as tx:
        found = engine.served(tx, key)
    return shapes.whole((one for one in found if _may_see(visitor.user, one.project)), _shape)


@router.get("/routes/match")
def match(visitor: SignedIn, services: Wired, url: Url = "localhost", method: Method = "GET") -> shapes.Json:
    """Which route answers a request for an address."""
    with services.database.reading() as tx:
        verdict = engine.match(engine.served(tx), url, method)
    seen = engine.seen_by(verdict, lambda project: _may_see(visitor.user, project))
    return {
        "host": seen.host,
        "answers": _shape(seen.answers) if seen.answers else None,
        "others": [_shape(one) for one in seen.others],
        "holders": list(seen.holders),
    }


def _may_see(user: User, project: str) -> bool:
    return may(user, Permission.READ, project)


def _shape(value: ServedRoute) -> shapes.Json:
    found = value.route
    return {
        **shapes.fields(value, "project", "environment"),
        **shapes.fields(found, "service", "name"),
        "hosts": list(found.claims),
        **shapes.fields(found, "rule", "source", "port", "scheme", "priority", "entrypoints"),
        "middlewares": [
            {"kind": step.kind, "options": {name: _option(name, text) for name, text in step.options}}
            for step in found.middlewares
        ],
    }


def _option(name: str, text: str) -> str:
    """Of users the names alone."""
    return ",".join(user.partition(":")[0] for user in text.split(",")) if name == "users" else text
