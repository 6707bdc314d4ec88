"""A group's page: its projects, who is in it, and the names that all of them have."""

from dataclasses import dataclass

import sqlalchemy as sa
from fastapi import APIRouter, Response

from cabestan.domain.access import Permission, Role, User, may_in_group
from cabestan.domain.observed import Condition
from cabestan.domain.project import Project
from cabestan.domain.variable import Variable
from cabestan.errors import NotFound
from cabestan.store import users as user_store
from cabestan.store import variables as variable_store
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.answers import html
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.listing import FEW, groups, read, titles_of, visible_projects
from cabestan.web.pages.needs import needs

router = APIRouter()


@dataclass(frozen=True)
class Belonging:
    """What is of the whole group: for those alone who have a role in all of it."""

    members: tuple[user_store.Membership, ...]
    admins: tuple[str, ...]
    variables: tuple[Variable, ...]


@router.get("/groups/{group}")
def group_page(visitor: SignedIn, services: Wired, group: str) -> Response:
    """Whoever sees a project of the group sees that there is the group, and these projects."""
    with services.database.reading() as tx:
        rows = read(tx, _projects(tx, visitor.user, group))
        few = len(rows) <= FEW
        (found,) = groups(rows, few=True)
        titles = titles_of(tx, [found]) if few else {}
        belonging = _belonging(tx, group) if may_in_group(visitor.user, Permission.READ, group) else None
    cells = [cell for row in rows for cell in row.cells]
    frame = plain_frame(visitor, group, f"project:{group}/*", href=f"/groups/{group}")
    down = sum(cell.state.word == Condition.DOWN for cell in cells)
    return html(
        "group.html",
        frame.headed(f"{down} down") if down else frame,
        group=found,
        detailed=few,
        titles=titles,
        needs=needs(cells, (row.newest for row in rows if row.newest)),
        belonging=belonging,
        my_role=_role(visitor.user, group),
        may_configure=may_in_group(visitor.user, Permission.CONFIGURE, group),
        now=services.now(),
    )


def _projects(tx: sa.Connection, user: User, group: str) -> tuple[Project, ...]:
    """Those that the user may see. Raises NotFound where there are none."""
    found = tuple(project for project in visible_projects(tx, user) if project.group == group)
    if not found:
        raise NotFound(f"There is no group {group}, or you may not see it.", "`cabestan project list` shows yours.")
    return found


def _belonging(tx: sa.Connection, group: str) -> Belonging:
    return Belonging(
        user_store.members_of_scopes(tx, [group]), user_store.admins(tx), variable_store.current_in_group(tx, group)
    )


def _role(user: User, group: str) -> Role | str:
    return "administrator" if user.admin else user.roles.get(group, "")
