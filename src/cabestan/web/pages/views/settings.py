"""Variables, secrets and members of a project."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.access import Role, User, role_in
from cabestan.domain.configuration import Setting
from cabestan.web.pages.views.moments import When, when


@dataclass(frozen=True)
class SettingRow:
    """`scope` is an environment's name, or empty for the whole project. A secret's value is never here."""

    name: str
    scope: str
    secret: bool
    value: str
    version: int
    by: str
    changed: When


@dataclass(frozen=True)
class VariablesPage:
    rows: tuple[SettingRow, ...]
    scopes: tuple[str, ...]
    may_configure: bool


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


def setting_rows(settings: Iterable[Setting], now: datetime) -> tuple[SettingRow, ...]:
    return tuple(
        SettingRow(
            s.name, s.environment, s.secret, "" if s.secret else s.value, s.version, s.by, when(s.created_at, now)
        )
        for s in settings
    )


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
