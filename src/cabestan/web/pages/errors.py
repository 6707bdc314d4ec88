"""Errors as pages. Who is not signed in is asked to, and comes back to the page that was wanted."""

from contextlib import suppress
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from cabestan.domain.access import Permission, may
from cabestan.errors import CabestanError
from cabestan.web.access import Visitor, visitor_of
from cabestan.web.pages.answers import html
from cabestan.web.pages.frame import plain_frame

_HEADINGS = {
    400: "That cannot be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not here",
    409: "Not in this state",
    413: "Too large",
    422: "Not valid",
    503: "Not available now",
}


def error_page(request: Request, status: int, error: CabestanError) -> Response:
    if status == 401 and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted)}" if wanted != "/" else "/login", 303)
    heading = _HEADINGS.get(status, "Something went wrong")
    visitor = visitor_of(request) if status < 500 else None  # a server in trouble does not ask its database
    frame = plain_frame(visitor, heading)
    about = {"error": error, "project": _project(request, visitor), "back": _back(request)}
    return html("error.html", frame, status, code=status, heading=heading, **about)


def _project(request: Request, visitor: Visitor | None) -> str:
    """The one whose page was asked for, where the visitor may see it; empty where there is none such."""
    name = "/".join(request.url.path.split("/")[1:3])
    return name if visitor and "/" in name and may(visitor.user, Permission.READ, name) else ""


def _back(request: Request) -> str:
    """Where a form came from, on this site."""
    with suppress(ValueError):  # whoever asks may write into that header what they like
        referer = urlsplit(request.headers.get("referer", ""))
        same = referer.netloc == request.url.netloc and referer.path.startswith("/")
        if not same or (referer.path == request.url.path and request.method == "GET"):
            return ""
        return f"{referer.path}?{referer.query}" if referer.query else referer.path
    return ""
