"""What the pages' handlers share: the visitor in the frame, HTML answers, redirects after forms."""

from typing import Annotated, Any

from fastapi import Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import cabestan
from cabestan.domain.access import Permission, User, may
from cabestan.errors import NotFound
from cabestan.web import access
from cabestan.web.pages.render import Renderer
from cabestan.web.pages.views.frame import Frame, Visitor

Before = Annotated[int | None, Query(ge=1, le=2**62)]
Text = Annotated[str, Form(max_length=200)]
_render = Renderer(cabestan.__version__)
#: a page is fetched again each time it is looked at, and is nobody else's
_HEADERS = {"Cache-Control": "private, no-cache"}


def html(template: str, frame: Frame, status: int = 200, **views: Any) -> Response:
    return HTMLResponse(_render(template, frame, **views), status, _HEADERS)


def see(address: str) -> Response:
    """After a form: the browser goes on to a page, which it can load again without sending the form again."""
    return RedirectResponse(address, 303)


def framed(visitor: access.Visitor) -> Visitor:
    return Visitor(visitor.user.name, visitor.user.admin, visitor.csrf)


def can(user: User, permission: Permission, project: str) -> bool:
    return may(user, permission, project)


def check_place(project: str, thing: str, key: int, actual: str) -> None:
    """A thing is only found under the address of its own project."""
    if project != actual:
        raise NotFound(f"There is no {thing} {key} in {project}.", "Check the address.")
