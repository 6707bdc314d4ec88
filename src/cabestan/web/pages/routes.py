"""Routes of the whole installation and of one project: who answers what, and whose the host names are."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from cabestan.domain.access import Permission, User, may
from cabestan.engine.names import hosts as host_engine
from cabestan.engine.names import routes as engine
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.web.access import SignedIn, Wired
from cabestan.web.api.hosts import may_see
from cabestan.web.pages.answers import Reading, html
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
Url = Annotated[str, Query(max_length=4000)]
Method = Annotated[str, Query(max_length=30, pattern="^[A-Za-z]+$")]


@router.get("/routes")
def routes(visitor: SignedIn, services: Wired, url: Url = "", method: Method = "GET") -> Response:
    """All that one may see."""
    found = _found(services, visitor.user, "", url, method)
    frame = plain_frame(visitor, "Routes", "project:*", href="/routes")
    return html("routes.html", frame, project="", now=services.now(), **found)


@router.get("/{group}/{name}/routes")
def of_project(at: Reading, url: Url = "", method: Method = "GET") -> Response:
    return at.html("routes.html", "Routes", **_found(at.services, at.user, at.project.name, url, method))


def _found(services: Services, user: User, project: str, url: str, method: str) -> dict[str, Any]:
    """Of one project, or of all: what is served, whose the names are, and the answer to what was asked."""
    with services.database.reading() as tx:
        every = engine.served(tx)
    owned = host_engine.ownership(services)
    return {
        "rows": [one for one in every if project in ("", one.project) and may(user, Permission.READ, one.project)],
        "rules": [one for one in owned.rules if _concerns(one.rule.owner, project) and may_see(user, one.rule.owner)],
        "claims": [one for one in owned.claims if project in ("", one.project) and may_see(user, one.project)],
        "url": url if url.strip() else "",
        "method": method,
        **_answer(every, user, url, method),
    }


def _concerns(owner: str, project: str) -> bool:
    return not project or owner in (project, project.partition("/")[0])


def _answer(every: tuple[engine.ServedRoute, ...], user: User, url: str, method: str) -> dict[str, Any]:
    """`trouble` where it was no address."""
    if not url.strip():
        return {"verdict": None, "trouble": ""}
    try:
        verdict = engine.match(every, url, method)
    except Invalid as error:
        return {"verdict": None, "trouble": str(error)}
    return {"verdict": engine.seen_by(verdict, lambda name: may(user, Permission.READ, name)), "trouble": ""}
