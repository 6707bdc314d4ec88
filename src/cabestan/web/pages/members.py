"""Members of a project."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Role, User, role_in
from cabestan.store import outbox
from cabestan.store import users as user_store
from cabestan.web.pages.answers import Configuring, Reading, Text

router = APIRouter()
_AT = "/{group}/{name}/settings/members"


@dataclass(frozen=True)
class Member:
    """`source` says where the role comes from."""

    name: str
    role: str
    source: str


@router.get(_AT)
def members(at: Reading) -> Response:
    with at.services.database.reading() as tx:
        users = user_store.all_users(tx)
    found = members_of(users, at.project.name)
    can_be_given = others(users, found) if at.rights.configure else ()  # names that nobody else needs to know
    return at.html("members.html", "Members", members=found, others=can_be_given, roles=Role)


@router.post(_AT)
def set_member(at: Configuring, user: Text, role: Annotated[Role | Literal[""], Form()] = "") -> Response:
    """Gives a role, or takes it away where none is named."""
    with at.services.database.writing() as tx:
        user_store.set_role(tx, user_store.get(tx, user.strip()).id, at.project.name, role or None)
        outbox.tell(tx, at.project.id, at.services.now())
    return at.see("settings/members")


def members_of(users: Iterable[User], project: str) -> tuple[Member, ...]:
    return tuple(member for user in users if (member := _member(user, project)))


def others(users: Iterable[User], members: Iterable[Member]) -> tuple[str, ...]:
    """Who has no role of the project's own yet."""
    known = {member.name for member in members if member.source == "project"}
    return tuple(user.name for user in users if user.name not in known)


def _member(user: User, project: str) -> Member | None:
    if user.admin:
        return Member(user.name, "administrator", "installation")
    role = role_in(user, project)
    if role is None:
        return None
    return Member(user.name, role, "project" if user.roles.get(project) is role else "group")
