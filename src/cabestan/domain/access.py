"""Who may do what. Everything not said here is denied."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """A user's role in a group or a project; each may do all that the one before may."""

    #: sees everything of a project but values of secrets
    REPORTER = "reporter"
    #: pushes to branches that are not protected, starts and cancels pipelines, deploys where no approval is needed
    DEVELOPER = "developer"
    #: pushes to all branches, sets environments, variables and secrets, approves
    MAINTAINER = "maintainer"


_ORDER = (Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER)


class Permission(StrEnum):
    """What a request needs."""

    READ = "read"
    PUSH = "push"
    #: to protected branches
    PUSH_PROTECTED = "push to protected branches"
    RUN = "run"
    DEPLOY = "deploy"
    APPROVE = "approve"
    CONFIGURE = "configure"


_NEEDED = {
    Permission.READ: Role.REPORTER,
    Permission.PUSH: Role.DEVELOPER,
    Permission.PUSH_PROTECTED: Role.MAINTAINER,
    Permission.RUN: Role.DEVELOPER,
    Permission.DEPLOY: Role.DEVELOPER,
    Permission.APPROVE: Role.MAINTAINER,
    Permission.CONFIGURE: Role.MAINTAINER,
}


class TokenScope(StrEnum):
    """What a token may do, of all that its user may."""

    #: looks, fetches with Git, pulls images; changes nothing
    READ = "read"
    #: pushes, runs pipelines, deploys and approves besides; sets nothing, makes nothing, deletes nothing
    DEPLOY = "deploy"
    #: everything that its user may
    ALL = "all"


_SCOPES = {
    TokenScope.READ: frozenset({Permission.READ}),
    TokenScope.DEPLOY: frozenset(Permission) - {Permission.CONFIGURE},
    TokenScope.ALL: frozenset(Permission),
}


@dataclass(frozen=True)
class User:
    """Somebody, with the roles in groups (`group`) and projects (`group/name`).

    `scope` is that of the token by which they ask; who asks by a password has all rights.
    """

    id: int
    name: str
    admin: bool
    roles: Mapping[str, Role]
    scope: TokenScope = TokenScope.ALL

    def scoped(self, scope: TokenScope) -> "User":
        return replace(self, scope=scope)


@dataclass(frozen=True)
class Token:
    """A personal one, of which only the hash is kept. `expires_at` None: it does not end by itself."""

    id: int
    name: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class JobIdentity:
    """A running job, known by its token: it may clone its own project's source and nothing else."""

    job_id: int
    project: str


Identity = User | JobIdentity


def role_in(user: User, project: str) -> Role | None:
    """The higher one of the roles in the project and in its group."""
    group = project.partition("/")[0]
    held = [role for role in (user.roles.get(project), user.roles.get(group)) if role]
    return max(held, key=_ORDER.index, default=None)


def allows(user: User, permission: Permission) -> bool:
    """Whether the token's scope does, whoever has it."""
    return permission in _SCOPES[user.scope]


def may(identity: Identity, permission: Permission, project: str) -> bool:
    if isinstance(identity, JobIdentity):
        return permission is Permission.READ and identity.project == project
    if not allows(identity, permission):
        return False
    if identity.admin:
        return True
    role = role_in(identity, project)
    return role is not None and _ORDER.index(role) >= _ORDER.index(_NEEDED[permission])


def may_in_group(user: User, permission: Permission, group: str) -> bool:
    """For what belongs to a whole group: a role in one of its projects is not enough."""
    if not allows(user, permission):
        return False
    role = user.roles.get(group)
    return user.admin or (role is not None and _ORDER.index(role) >= _ORDER.index(_NEEDED[permission]))


def may_set_approval(user: User, project: str, approvers: tuple[str, ...]) -> bool:
    """May say who approves, and what comes without: else a maintainer who is no approver would become one."""
    return may(user, Permission.CONFIGURE, project) and (user.admin or not approvers or user.name in approvers)


def may_approve(user: User, project: str, approvers: tuple[str, ...]) -> bool:
    """Where an environment names approvers, they alone approve (and administrators)."""
    if not allows(user, Permission.APPROVE):
        return False
    if user.admin:
        return True
    if approvers:
        return user.name in approvers and may(user, Permission.READ, project)
    return may(user, Permission.APPROVE, project)
