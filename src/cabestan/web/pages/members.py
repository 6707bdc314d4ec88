"""Members of a project."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from cabestan.domain.access import Permission, Role, User, may_in_group, role_in
from cabestan.store import outbox
from cabestan.store import users as user_store
from cabestan.web.access import SignedIn, Wired, group_for
from cabestan.web.pages.answers import Configuring, Reading, Text, html, see
from cabestan.web.pages.frame import plain_frame

router = APIRouter()
_AT = "/{group}/{name}/settings/members"
_GROUP = "/groups/{group}/members"


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
    group = at.project.group if may_in_group(at.user, Permission.READ, at.project.group) else ""
    return at.html("members.html", "Members", members=found, others=can_be_given, roles=Role, group=group)


@router.post(_AT)
def set_member(at: Configuring, user: Text, role: Annotated[Role | Literal[""], Form()] = "") -> Response:
    """Gives a role, or takes it away where none is named."""
    with at.services.database.writing() as tx:
        user_store.set_role(tx, user_store.get(tx, user.strip()).id, at.project.name, role or None)
        outbox.tell(tx, at.project.id, at.services.now())
    return at.see("settings/members")


@router.get(_GROUP)
def group_members(visitor: SignedIn, services: Wired, group: str) -> Response:
    group_for(services, visitor.user, group, Permission.READ)
    may_set = may_in_group(visitor.user, Permission.CONFIGURE, group)
    with services.database.reading() as tx:
        users = user_store.all_users(tx)
    held = [(user.name, user.roles[group]) for user in users if group in user.roles]
    named = frozenset(name for name, _ in held)
    others = [user.name for user in users if user.name not in named] if may_set else ()
    frame = plain_frame(visitor, f"Members of the group {group}", href=f"/groups/{group}/members")
    return html("group_members.html", frame, group=group, members=held, others=others, roles=Role, may_set=may_set)


@router.post(_GROUP)
def set_group_member(
    visitor: SignedIn, services: Wired, group: str, user: Text, role: Annotated[Role | Literal[""], Form()] = ""
) -> Response:
    group_for(services, visitor.user, group, Permission.CONFIGURE)
    with services.database.writing() as tx:
        user_store.set_role(tx, user_store.get(tx, user.strip()).id, group, role or None)
    return see(f"/groups/{group}/members")


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
