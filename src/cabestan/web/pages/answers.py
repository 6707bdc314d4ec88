"""What the pages' handlers share: a project as a visitor sees it, HTML answers, redirects after forms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

import sqlalchemy as sa
from fastapi import Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import cabestan
from cabestan.domain.access import Permission, User, may
from cabestan.domain.project import Project
from cabestan.engine.services import Services
from cabestan.errors import NotFound
from cabestan.web.access import SignedIn, Visitor, Wired, project_for
from cabestan.web.pages.frame import Crumb, Frame, project_frame
from cabestan.web.pages.templating import Renderer

Before = Annotated[int | None, Query(ge=1, le=2**62)]
Text = Annotated[str, Form(max_length=200)]
Asked = Annotated[str, Query(max_length=200)]
_render = Renderer(cabestan.__version__)
#: a page is fetched again each time it is looked at, and is nobody else's
_HEADERS = {"Cache-Control": "private, no-cache"}


class OfProject(Protocol):
    @property
    def project(self) -> str: ...


_Found = TypeVar("_Found", bound=OfProject)


@dataclass(frozen=True)
class Rights:
    """What templates offer a visitor in a project."""

    run: bool
    deploy: bool
    configure: bool

    @classmethod
    def of(cls, user: User, project: str) -> "Rights":
        permissions = (Permission.RUN, Permission.DEPLOY, Permission.CONFIGURE)
        return cls(*(may(user, permission, project) for permission in permissions))


@dataclass(frozen=True)
class Inside:
    """A project, for somebody who may do there what the page is for."""

    services: Services
    visitor: Visitor
    project: Project

    @property
    def user(self) -> User:
        return self.visitor.user

    @property
    def rights(self) -> Rights:
        return Rights.of(self.user, self.project.name)

    def find(self, get: Callable[[sa.Connection, int], _Found], thing: str, key: int) -> _Found:
        """By its number; only under the address of its own project. Raises NotFound."""
        with self.services.database.reading() as tx:
            found = get(tx, key)
        if found.project != self.project.name:
            raise NotFound(f"There is no {thing} {key} in {self.project.name}.", "Check the address.")
        return found

    def html(
        self, template: str, tab: str, *below: Crumb, topics: Iterable[str] = (), head: str = "", **values: Any
    ) -> Response:
        """The page below a tab, with its breadcrumbs; `topics` are listened to besides the project's own.

        `head` is a word that the browser's tab begins with.
        """
        frame = project_frame(self.visitor, self.project.name, tab, *below).with_topics(*topics)
        frame = frame.headed(head) if head else frame
        now = self.services.now()
        return html(template, frame, project=self.project.name, may=self.rights, now=now, **values)

    def see(self, path: str) -> Response:
        """After a form, below the project's own address."""
        return see(f"/{self.project.name}/{path}")


def _inside(permission: Permission) -> Any:
    """In a handler's signature, in the place of group and name. Raises NotFound and Forbidden."""

    def inside(visitor: SignedIn, services: Wired, group: str, name: str) -> Inside:
        return Inside(services, visitor, project_for(services, visitor.user, f"{group}/{name}", permission))

    return Depends(inside)


Reading = Annotated[Inside, _inside(Permission.READ)]
Running = Annotated[Inside, _inside(Permission.RUN)]
Deploying = Annotated[Inside, _inside(Permission.DEPLOY)]
Configuring = Annotated[Inside, _inside(Permission.CONFIGURE)]


def html(template: str, frame: Frame, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_render(template, frame, **values), status, _HEADERS)


def see(address: str) -> Response:
    """After a form: the browser goes on to a page, which it can load again without sending the form again."""
    return RedirectResponse(address, 303)
