import pytest

from cabestan.domain.access import JobIdentity, Role, User
from cabestan.domain.registry_access import Access, asked, granted, project_of, rights_of_job

READER = User(1, "ann", False, {"shop/api": Role.REPORTER})
ADMIN = User(2, "admin", True, {})


@pytest.mark.parametrize(
    ("scope", "understood"),
    [
        ("repository:shop/api:pull", (Access("shop/api", ("pull",)),)),
        ("repository:shop/api/web:pull,push", (Access("shop/api/web", ("pull", "push")),)),
        ("repository:a/b:pull repository:c/d:push", (Access("a/b", ("pull",)), Access("c/d", ("push",)))),
        ("registry:catalog:*", ()),
        ("repository:../api:pull", ()),
        ("repository:A/b:pull", ()),
        ("repository:a/b", ()),
        ("", ()),
    ],
)
def test_what_docker_asks_for_is_understood_or_nothing(scope: str, understood: tuple[Access, ...]) -> None:
    assert asked([scope]) == understood


def test_no_more_is_looked_at_than_a_client_needs() -> None:
    assert len(asked([" ".join(["repository:a/b:pull"] * 500)])) == 20


@pytest.mark.parametrize(
    ("who", "repository", "may"),
    [
        (READER, "shop/api", True),
        (READER, "shop/api/web", True),
        (READER, "shop/other", False),
        (READER, "shop/apis", False),
        (READER, "shop", False),
        (READER, "cabestan/python", True),
        (READER, "library/acme", False),
        (ADMIN, "shop/other/web", True),
        (JobIdentity(1, "shop/api"), "cabestan/python", False),
    ],
)
def test_people_pull_what_they_may_see_and_push_nothing(who: User | JobIdentity, repository: str, may: bool) -> None:
    given = granted(who, [Access(repository, ("pull", "push"))])
    assert given == ((Access(repository, ("pull",)),) if may else ())
    assert granted(who, [Access(repository, ("push", "delete", "*"))]) == ()


def test_a_job_pushes_its_image_and_pulls_what_it_builds_on_of_its_own_project() -> None:
    bases = ["shop/api/base", "cabestan/python", "vic/app", "shop/apis", "shop/api/web"]
    assert rights_of_job("shop/api", "shop/api/web", bases) == (
        Access("shop/api/web", ("pull", "push")),
        Access("cabestan/python", ("pull",)),
        Access("shop/api/base", ("pull",)),
    )


def test_a_repository_is_of_one_project() -> None:
    assert [project_of(name) for name in ("a/b", "a/b/c/d", "a", "a//c", "cabestan/python")] == [
        "a/b",
        "a/b",
        "",
        "",
        "",
    ]
