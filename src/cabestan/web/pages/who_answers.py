"""Routes of the whole installation and of one project: who answers what, and whose the host names are."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cabestan.domain.access import Permission, User, may
from cabestan.engine.names import hosts as host_engine
from cabestan.engine.names import routes as engine
from cabestan.engine.services import Services
from cabestan.errors import Invalid
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.api.hosts import may_see
from cabestan.web.pages.answers import framed, html
from cabestan.web.pages.views import routes as views
from cabestan.web.pages.views.frame import plain_frame, project_frame

router = APIRouter()
Url = Annotated[str, Query(max_length=4000)]
Method = Annotated[str, Query(max_length=30, pattern="^[A-Za-z]+$")]


@router.get("/routes")
def routes(visitor: SignedIn, services: Wired, url: Url = "", method: Method = "GET") -> Response:
    """All that one may see."""
    page = _page(services, visitor.user, None, url, method)
    frame = plain_frame(framed(visitor), "Routes", "project:*", href="/routes")
    return html("routes.html", frame, page=page, project="")


@router.get("/{group}/{name}/routes")
def of_project(
    visitor: SignedIn, services: Wired, group: str, name: str, url: Url = "", method: Method = "GET"
) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    page = _page(services, visitor.user, project.name, url, method)
    frame = project_frame(framed(visitor), project.name, "Routes")
    return html("routes.html", frame, page=page, project=project.name)


def _page(services: Services, user: User, project: str | None, url: str, method: str) -> views.RoutesPage:
    with services.database.reading() as tx:
        every = engine.served(tx)
    mine = [one for one in every if project in (None, one.project) and may(user, Permission.READ, one.project)]
    owned = host_engine.ownership(services)
    seen = host_engine.Ownership(
        tuple(one for one in owned.claims if project in (None, one.project) and may_see(user, one.project)),
        tuple(one for one in owned.rules if _concerns(one.rule.owner, project) and may_see(user, one.rule.owner)),
    )
    rows = tuple(views.route_row(one) for one in mine)
    return views.RoutesPage(rows, views.host_rows(seen, services.now()), _asked(every, user, url, method))


def _concerns(owner: str, project: str | None) -> bool:
    return project is None or owner in (project, project.partition("/")[0])


def _asked(every: tuple[engine.ServedRoute, ...], user: User, url: str, method: str) -> views.Question:
    if not url.strip():
        return views.Question("", method)
    try:
        verdict = engine.match(every, url, method)
    except Invalid as error:
        return views.Question(url, method, trouble=str(error))
    return views.question(url, method, engine.seen_by(verdict, lambda name: may(user, Permission.READ, name)))
