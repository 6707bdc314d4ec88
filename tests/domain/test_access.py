from itertools import product

import pytest

from cabestan.domain.access import (
    JobIdentity,
    Permission,
    Role,
    User,
    may,
    may_approve,
    may_in_group,
    may_set_approval,
    role_in,
)

PROJECT = "shop/api"
ALL = dict.fromkeys(Permission, True)
NONE = dict.fromkeys(Permission, False)
#: what each role may do
TABLE = {
    None: NONE,
    Role.REPORTER: NONE | {Permission.READ: True},
    Role.DEVELOPER: ALL | {Permission.PUSH_PROTECTED: False, Permission.APPROVE: False, Permission.CONFIGURE: False},
    Role.MAINTAINER: ALL,
}


def user(*, admin: bool = False, **roles: Role) -> User:
    """`roles` by scope; `shop__api` is the project shop/api."""
    return User(1, "dev", admin, {scope.replace("__", "/"): role for scope, role in roles.items()})


@pytest.mark.parametrize(("role", "permission"), list(product(TABLE, Permission)))
def test_a_role_may_do_this_and_nothing_else(role: Role | None, permission: Permission) -> None:
    expected = TABLE[role][permission]
    held = {"shop__api": role} if role else {}
    assert may(user(**held), permission, PROJECT) is expected
    in_group = {"shop": role} if role else {}
    assert may(user(**in_group), permission, PROJECT) is expected


@pytest.mark.parametrize(("role", "permission"), list(product(TABLE, Permission)))
def test_a_groups_own_things_need_a_role_in_the_group(role: Role | None, permission: Permission) -> None:
    assert may_in_group(user(**({"shop": role} if role else {})), permission, "shop") is TABLE[role][permission]
    assert not may_in_group(user(shop__api=Role.MAINTAINER, other=Role.MAINTAINER), permission, "shop")
    assert may_in_group(user(admin=True), permission, "shop")


@pytest.mark.parametrize("permission", Permission)
def test_a_role_elsewhere_is_none_here(permission: Permission) -> None:
    elsewhere = User(
        1, "dev", False, dict.fromkeys(("shop/other", "sho", "shop/ap", "api", "", "other"), Role.MAINTAINER)
    )
    assert not may(elsewhere, permission, PROJECT)


@pytest.mark.parametrize("permission", Permission)
def test_an_administrator_may_do_everything(permission: Permission) -> None:
    assert may(user(admin=True), permission, PROJECT)


@pytest.mark.parametrize("permission", Permission)
def test_a_job_may_read_its_own_project_and_nothing_else(permission: Permission) -> None:
    assert may(JobIdentity(5, PROJECT), permission, PROJECT) is (permission is Permission.READ)
    assert not may(JobIdentity(5, PROJECT), permission, "shop/other")


@pytest.mark.parametrize(("group", "project"), list(product((None, *Role), repeat=2)))
def test_of_two_roles_the_higher_one_counts(group: Role | None, project: Role | None) -> None:
    held = {scope: role for scope, role in (("shop", group), ("shop__api", project)) if role}
    order = [None, Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER]
    assert role_in(user(**held), PROJECT) is max(group, project, key=order.index)


@pytest.mark.parametrize(
    ("who", "approvers", "may_it"),
    [
        (user(), (), False),
        (user(shop=Role.REPORTER), (), False),
        (user(shop=Role.DEVELOPER), (), False),
        (user(shop=Role.MAINTAINER), (), True),
        (user(admin=True), (), True),
        (user(), ("dev",), False),
        (user(shop=Role.REPORTER), ("dev",), True),
        (user(shop=Role.REPORTER), ("other", "dev"), True),
        (user(shop=Role.DEVELOPER), ("other",), False),
        (user(shop=Role.MAINTAINER), ("other",), False),
        (user(admin=True), ("other",), True),
    ],
)
def test_named_approvers_alone_approve_else_the_maintainers(
    who: User, approvers: tuple[str, ...], may_it: bool
) -> None:
    assert may_approve(who, PROJECT, approvers) is may_it


@pytest.mark.parametrize(
    ("who", "approvers", "may_it"),
    [
        (user(shop=Role.DEVELOPER), (), False),
        (user(shop=Role.MAINTAINER), (), True),
        (user(shop=Role.MAINTAINER), ("other",), False),
        (user(shop=Role.MAINTAINER), ("other", "dev"), True),
        (user(shop=Role.DEVELOPER), ("dev",), False),
        (user(admin=True), ("other",), True),
    ],
)
def test_a_maintainer_does_not_make_himself_an_approver(who: User, approvers: tuple[str, ...], may_it: bool) -> None:
    assert may_set_approval(who, PROJECT, approvers) is may_it
