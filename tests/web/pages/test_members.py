from cabestan.domain.access import Role, User
from cabestan.web.pages.members import Member, members_of, others


def test_members_are_those_with_a_role_from_wherever_it_comes() -> None:
    users = [
        User(1, "admin", True, {}),
        User(2, "anna", False, {"demo/hello": Role.MAINTAINER}),
        User(3, "bert", False, {"demo": Role.DEVELOPER, "demo/hello": Role.REPORTER}),
        User(4, "carl", False, {"other/app": Role.MAINTAINER}),
    ]
    found = members_of(users, "demo/hello")
    assert found == (
        Member("admin", "administrator", "installation"),
        Member("anna", "maintainer", "project"),
        Member("bert", "developer", "group"),
    )
    assert others(users, found) == ("admin", "bert", "carl")
