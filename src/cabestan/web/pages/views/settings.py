"""Members of a project."""

from collections.abc import Iterable
from dataclasses import dataclass

from cabestan.domain.access import Role, User, role_in


@dataclass(frozen=True)
class MemberRow:
    """`source` says where the role comes from."""

    name: str
    role: str
    source: str


@dataclass(frozen=True)
class MembersPage:
    members: tuple[MemberRow, ...]
    others: tuple[str, ...]
    roles: tuple[str, ...]
    may_configure: bool


def members_page(users: Iterable[User], project: str, *, may_configure: bool) -> MembersPage:
    users = tuple(users)
    members = tuple(row for user in users if (row := member_row(user, project)))
    known = {row.name for row in members if row.source == "project"}
    others = tuple(user.name for user in users if user.name not in known) if may_configure else ()
    return MembersPage(members, others, tuple(Role), may_configure)


def member_row(user: User, project: str) -> MemberRow | None:
    if user.admin:
        return MemberRow(user.name, "administrator", "installation")
    role = role_in(user, project)
    if role is None:
        return None
    return MemberRow(user.name, role, "project" if user.roles.get(project) is role else "group")
