"""Errors as pages. Who is not signed in is asked to, and comes back to the page that was wanted."""

from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from cabestan.errors import CabestanError
from cabestan.web.access import visitor_of
from cabestan.web.pages.answers import framed, html
from cabestan.web.pages.views.errors import error_page as error_view
from cabestan.web.pages.views.frame import Visitor, plain_frame


def error_page(request: Request, status: int, error: CabestanError) -> Response:
    if status == 401 and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted)}" if wanted != "/" else "/login", 303)
    view = error_view(status, error.message, error.remedy, _back(request))
    return html("error.html", plain_frame(_visitor(request, status), view.heading), status, page=view)


def _visitor(request: Request, status: int) -> Visitor | None:
    """For the frame. Where the server itself is in trouble, its database is not asked."""
    found = visitor_of(request) if status < 500 else None
    return framed(found) if found else None


def _back(request: Request) -> str:
    """Where a form came from, on this site."""
    referer = urlsplit(request.headers.get("referer", ""))
    same = referer.netloc == request.url.netloc and referer.path.startswith("/")
    if not same or (referer.path == request.url.path and request.method == "GET"):
        return ""
    return f"{referer.path}?{referer.query}" if referer.query else referer.path
